import { error } from "./problem.ts";
import type { Problem } from "./problem.ts";

/** Where something listens, for messages. */
export interface Place {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly stack: string;
}

/** Why an `ssh` did not work, from its last words; pure. */
export function sshProblem(words: string, { host, port, user, stack }: Place): Problem {
  const set = (key: string, value: string): string =>
    `pulumi config set phoenix:${key} ${value} --stack ${stack}`;
  if (/Could not resolve hostname/i.test(words))
    return error(`SSH: nobody knows the name ${host}`, set("sshHost", "ADDRESS"));
  if (/Connection refused/i.test(words))
    return error(
      `SSH: nothing listens on ${host}:${port}`,
      `start sshd there, or ${set("sshPort", "NUMBER")}`,
    );
  if (/timed out|No route to host|unreachable/i.test(words))
    return error(
      `SSH: ${host} does not answer`,
      `is the node on, and its address right? Else ${set("sshHost", "ADDRESS")}`,
    );
  if (/Host key verification failed|HOST IDENTIFICATION|No \S+ host key is known/i.test(words)) {
    return error(
      `SSH: ${host}:${port} has another host key than phoenix:sshHostKey: another machine, or a node made anew`,
      `compare with /etc/ssh/ssh_host_ed25519_key.pub on the node's own screen; if it is right: ${set("sshHostKey", "'ssh-ed25519 AAAA…'")}`,
    );
  }
  if (/invalid|not a valid key|Bad configuration|line 1/i.test(words) && /known_hosts|host key/i.test(words))
    return error("phoenix:sshHostKey is no host key", set("sshHostKey", "'ssh-ed25519 AAAA…'"));
  if (/Permission denied/i.test(words)) {
    return error(
      `SSH: ${host} refuses ${user} with the keys of the ssh-agent`,
      `ssh-copy-id -p ${port} ${user}@${host}, or ${set("sshUser", "NAME")}`,
    );
  }
  return error(
    `SSH to ${user}@${host}:${port} failed: ${words.trim().split("\n").at(-1) ?? ""}`,
    `ssh -p ${port} ${user}@${host}`,
  );
}

/** Why a call of the API did not work; `code` is Node's or the answer's status; pure. */
export function apiProblem(code: string | number, words: string, origin: string, stack: string): Problem {
  const set = (key: string, value: string): string =>
    `pulumi config set phoenix:${key} ${value} --stack ${stack}`;
  if (code === 401)
    return error(`the API refuses the token: ${words}`, `bin/phoenix access --stack ${stack} --renew`);
  if (typeof code === "number")
    return error(`the API answers ${code}: ${words}`, `is ${origin} Proxmox VE's?`);
  if (/ENOTFOUND|EAI_AGAIN/.test(code))
    return error(`nobody knows the name in ${origin}`, set("endpoint", "https://ADDRESS:8006/"));
  if (code === "ECONNREFUSED")
    return error(
      `nothing listens at ${origin}`,
      `systemctl status pveproxy on the node, or ${set("endpoint", "https://ADDRESS:8006/")}`,
    );
  if (/ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/.test(code))
    return error(
      `${origin} does not answer`,
      `is the node on, and its address right? Else ${set("endpoint", "https://ADDRESS:8006/")}`,
    );
  if (/SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ALTNAME|CERT_/.test(code))
    return error(
      `the certificate of ${origin} is signed by nobody whom this machine knows`,
      `${set("insecure", "true")}   (Proxmox VE's own certificate is such a one)`,
    );
  return error(`the API at ${origin} cannot be used: ${words}`, `open ${origin} in a browser`);
}

/** What is wrong with the ssh-agent, from what `ssh-add -l` ended with; pure. */
export function agentProblem(socket: string | undefined, code: number): Problem | undefined {
  const start = 'eval "$(ssh-agent)" && ssh-add';
  if (code === 127) return error("there is no ssh-add on this machine", "apt-get install openssh-client");
  if (!socket)
    return error("there is no ssh-agent (SSH_AUTH_SOCK is not set); the scripts log in with its keys", start);
  if (code === 2)
    return error(`no ssh-agent answers at SSH_AUTH_SOCK (${socket}); a dead one breaks every login`, start);
  if (code === 1) return error("the ssh-agent holds no key", "ssh-add");
  return undefined;
}
