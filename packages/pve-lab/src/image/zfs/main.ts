import { UsageError } from "./options.ts";
import type { Tool } from "./real.ts";
import { RealFailed, pass } from "./real.ts";
import { zfsGet, zfsList } from "./zfs-read.ts";
import {
  zfsClone,
  zfsCreate,
  zfsDestroy,
  zfsInherit,
  zfsRename,
  zfsRollback,
  zfsSend,
  zfsSet,
  zfsSnapshot,
} from "./zfs-write.ts";
import { zpoolGet, zpoolList, zpoolStatus } from "./zpool-read.ts";
import {
  zpoolAdd,
  zpoolCreate,
  zpoolImport,
  zpoolLabelclear,
  zpoolRelease,
  zpoolSet,
} from "./zpool-write.ts";

/**
 * `zfs` and `zpool` of the lab's node: they take what OpenZFS 2.x takes, and zfs-fuse does the work. Asked values that
 * it does not have are kept and shown; verbs that need nothing of the kind go straight to it.
 */
type Verb = (args: readonly string[]) => number;

/** Told apart from the real thing on purpose. */
function version(): number {
  process.stdout.write(
    "zfs-2.2.7-phoenixlab\nzfs-kmod-2.2.7-phoenixlab (simulated: zfs-fuse, pool version 23)\n",
  );
  return 0;
}

function impossible(what: string): Verb {
  return () => {
    process.stderr.write(`${what} is not possible in the lab (zfs-fuse)\n`);
    return 1;
  };
}

const verbs: Readonly<Record<Tool, Readonly<Record<string, Verb | undefined>>>> = {
  zfs: {
    get: zfsGet,
    list: zfsList,
    create: zfsCreate,
    set: zfsSet,
    inherit: zfsInherit,
    clone: zfsClone,
    snapshot: zfsSnapshot,
    snap: zfsSnapshot,
    destroy: zfsDestroy,
    rename: zfsRename,
    rollback: zfsRollback,
    send: zfsSend,
    version,
    "--version": version,
    "-V": version,
    bookmark: impossible("a bookmark"),
    "load-key": impossible("encryption"),
    "unload-key": impossible("encryption"),
    "change-key": impossible("encryption"),
  },
  zpool: {
    get: zpoolGet,
    list: zpoolList,
    status: zpoolStatus,
    create: zpoolCreate,
    add: (args) => zpoolAdd("add", args),
    attach: (args) => zpoolAdd("attach", args),
    replace: (args) => zpoolAdd("replace", args),
    set: zpoolSet,
    import: zpoolImport,
    labelclear: zpoolLabelclear,
    destroy: (args) => zpoolRelease("destroy", args),
    export: (args) => zpoolRelease("export", args),
    version,
    "--version": version,
    "-V": version,
    trim: impossible("trim"),
    checkpoint: impossible("a checkpoint"),
    initialize: impossible("initialize"),
  },
};

function main(tool: Tool, verb: string | undefined, args: readonly string[]): number {
  const known = verb === undefined ? undefined : verbs[tool][verb];
  if (verb === undefined || known === undefined) return pass(tool, verb === undefined ? [] : [verb, ...args]);
  try {
    return known(args);
  } catch (error) {
    if (error instanceof RealFailed) return error.status;
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\nusage: see ${tool}-${verb}(8)\n`);
      return 2;
    }
    throw error;
  }
}

const [tool, verb, ...rest] = process.argv.slice(2);
process.exitCode = main(tool === "zpool" ? "zpool" : "zfs", verb, rest);
