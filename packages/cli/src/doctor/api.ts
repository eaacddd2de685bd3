import { request } from "node:https";
import type { Permissions, Right } from "../access/privileges.ts";
import type { NodeSettings } from "../lib/node-settings.ts";

/** An answer other than 200, or none at all. */
export class ApiError extends Error {
  /** The answer's status, or Node's code where there was none. */
  readonly code: string | number;

  constructor(code: string | number, words: string) {
    super(words);
    this.code = code;
  }
}

const patience = 10_000;

/** Reads one path of the node's API. @throws ApiError */
export function read({ endpoint, insecure }: NodeSettings, token: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = {
      headers: { authorization: `PVEAPIToken=${token}` },
      rejectUnauthorized: !insecure,
      timeout: patience,
    };
    const call = request(new URL(`/api2/json${path}`, endpoint), options, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (piece: string) => (body += piece));
      response.on("end", () => {
        const { statusCode = 0, statusMessage = "" } = response;
        if (statusCode !== 200) {
          reject(new ApiError(statusCode, statusMessage));
          return;
        }
        try {
          resolve((JSON.parse(body) as { data: unknown }).data);
        } catch {
          reject(new ApiError(statusCode, "no JSON"));
        }
      });
    });
    call.on("timeout", () => call.destroy(new ApiError("ETIMEDOUT", "no answer")));
    call.on("error", (error: NodeJS.ErrnoException) =>
      reject(error instanceof ApiError ? error : new ApiError(error.code ?? "", error.message)),
    );
    call.end();
  });
}

/** What the token may do on the paths of these rights. @throws ApiError */
export async function readPermissions(
  settings: NodeSettings,
  token: string,
  rights: readonly Right[],
): Promise<Permissions> {
  const paths = [...new Set(rights.map(({ path }) => path))];
  const answers = paths.map(async (path) => {
    const query = new URLSearchParams({ path }).toString();
    const data = (await read(settings, token, `/access/permissions?${query}`)) as Record<
      string,
      Record<string, unknown>
    >;
    return [path, new Set(Object.keys(data[path] ?? {}))] as const;
  });
  return new Map(await Promise.all(answers));
}
