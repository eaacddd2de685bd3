import { request } from "node:https";
import type * as pulumi from "@pulumi/pulumi";
import type { NodeConnection } from "../../settings.ts";

/** An answer other than 200. */
export class PveApiError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "PveApiError";
    this.status = status;
  }
}

/** The few questions that the guard asks of the Proxmox VE API; resources go through the provider. */
export class PveApi {
  readonly #connection: NodeConnection;
  readonly #token: pulumi.Output<string> | undefined;

  constructor(connection: NodeConnection, token: pulumi.Output<string> | undefined) {
    this.#connection = connection;
    this.#token = token;
  }

  /** The node's name, for paths. */
  get node(): string {
    return encodeURIComponent(this.#connection.name);
  }

  /**
   * One call; `data` of the answer.
   * @throws PveApiError with the node's own text; Error when the node cannot be reached
   */
  async call(method: "GET" | "POST" | "DELETE", path: string): Promise<unknown> {
    const token = await this.#authorization();
    const url = new URL(`/api2/json${path}`, this.#connection.endpoint);
    const { status, reason, body } = await new Promise<{ status: number; reason: string; body: string }>(
      (resolve, reject) => {
        const call = request(
          url,
          {
            method,
            headers: { authorization: `PVEAPIToken=${token}` },
            rejectUnauthorized: !this.#connection.insecure,
            timeout: 30_000,
          },
          (response) => {
            let body = "";
            response.setEncoding("utf8");
            response.on("data", (part: string) => (body += part));
            response.on("end", () =>
              resolve({ status: response.statusCode ?? 0, reason: response.statusMessage ?? "", body }),
            );
          },
        );
        call.on("timeout", () => call.destroy(new Error("no answer within 30 s")));
        call.on("error", (error) => reject(new Error(`${url.origin}: ${error.message}`)));
        call.end();
      },
    );
    if (status !== 200) throw new PveApiError(status, reason);
    return (JSON.parse(body) as { data: unknown }).data;
  }

  async #authorization(): Promise<string> {
    const token = this.#token
      ? await new Promise<string>((resolve) => this.#token?.apply(resolve))
      : process.env["PROXMOX_VE_API_TOKEN"];
    if (token) return token;
    throw new Error(
      "No API token: set it with `pulumi config set --secret phoenix:apiToken 'USER@REALM!ID=SECRET'` or in PROXMOX_VE_API_TOKEN.",
    );
  }
}
