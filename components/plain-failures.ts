import * as pulumi from "@pulumi/pulumi";

const FOLLOWS = /resource (\S+) \[\S+\] failed to register/;

/**
 * Whatever needs a resource that failed fails with it, and the SDK shows each such failure as a bug in the program,
 * with its stack. Here it is one plain line per resource; the run goes on with all that does not need it.
 */
export function tellFailuresPlainly(): void {
  const told = new Set<string>();
  const listeners = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (reason, promise) => {
    const name = FOLLOWS.exec(reason instanceof Error ? reason.message : "")?.[1];
    if (name !== undefined && told.has(name)) return;
    if (name !== undefined) told.add(name);
    const plain =
      name === undefined ? reason : new pulumi.RunError(`${name} failed: what needs it was not reached`);
    for (const listener of listeners) listener.call(process, plain, promise);
  });
}
