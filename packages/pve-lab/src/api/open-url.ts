import http, { type IncomingMessage } from "node:http";
import https from "node:https";

const MOST_REDIRECTS = 5;

/** The answer's head (its body not read yet) and the address that it came from after redirects. */
export interface Opened {
  readonly message: IncomingMessage;
  readonly url: string;
}

function once(url: string, method: "GET" | "HEAD", verify: boolean): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { method, timeout: 30_000, headers: { "user-agent": "pve-lab" } };
    const request = url.startsWith("https:")
      ? https.request(url, { ...options, rejectUnauthorized: verify }, resolve)
      : http.request(url, options, resolve);
    request.on("timeout", () => request.destroy(new Error(`no answer from ${new URL(url).host}`)));
    request.on("error", reject);
    request.end();
  });
}

/** Opens an http(s) address, following redirects. */
export async function openUrl(url: string, method: "GET" | "HEAD", verify: boolean): Promise<Opened> {
  let current = url;
  for (let count = 0; count <= MOST_REDIRECTS; count += 1) {
    const message = await once(current, method, verify);
    const location = message.headers.location;
    if (!location || ![301, 302, 303, 307, 308].includes(message.statusCode ?? 0))
      return { message, url: current };
    message.destroy();
    current = new URL(location, current).href;
    if (!/^https?:/.test(current)) throw new Error(`redirected to '${current}'`);
  }
  throw new Error("too many redirects");
}
