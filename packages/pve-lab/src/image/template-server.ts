import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";

/** Serves the OS template inside the node, on loopback only: GET and HEAD of /template/<file>. */
const directory = process.argv[2] ?? "/usr/share/pve-lab/template";
const port = 8099;

const server = createServer((request, response) => {
  const match = /^\/template\/([A-Za-z0-9_.-]+)$/.exec(
    new URL(request.url ?? "/", "http://127.0.0.1").pathname,
  );
  const name = match?.[1];
  if (name === undefined || name.startsWith(".") || (request.method !== "GET" && request.method !== "HEAD")) {
    response.writeHead(404).end("not found\n");
    return;
  }
  const file = path.join(directory, name);
  let size: number;
  try {
    size = statSync(file).size;
  } catch {
    response.writeHead(404).end("not found\n");
    return;
  }
  response.writeHead(200, {
    "content-type": "application/zstd",
    "content-length": size,
    "accept-ranges": "none",
  });
  if (request.method === "HEAD") response.end();
  else {
    const stream = createReadStream(file);
    stream.on("error", () => response.destroy());
    stream.pipe(response);
  }
});
server.listen(port, "127.0.0.1");
