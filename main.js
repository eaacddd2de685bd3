// Plain JavaScript on purpose: an old Node cannot load index.ts, and must be able to say so.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  const { RunError } = await import("@pulumi/pulumi");
  throw new RunError(
    `Phoenix needs Node 22.18 or newer, this is Node ${process.versions.node}. ` +
      `Install Node 24 LTS, or use the one that Phoenix brings: eval "$(bin/phoenix env)"`,
  );
}

export default { ...(await import("./index.ts")) };
