import { ApiError } from "./route.ts";

const tails = new Map<string, Promise<void>>();

/**
 * Runs `action` while holding the named lock; callers wait in line.
 * @param seconds how long to wait for it; PVE waits 10 s for a storage's or a configuration's lock
 * @throws ApiError 500 `can't lock file '…' - got timeout`
 */
export async function withLock<T>(
  name: string,
  seconds: number,
  action: () => Promise<T> | T,
  file = `/var/lock/pve-manager/pve-storage-${name}`,
): Promise<T> {
  const before = tails.get(name) ?? Promise.resolve();
  let release: () => void = () => undefined;
  const mine = new Promise<void>((resolve) => (release = resolve));
  const tail = before.then(() => mine);
  tails.set(name, tail);
  try {
    await waitFor(before, seconds, () => new ApiError(500, `can't lock file '${file}' - got timeout`));
    return await action();
  } finally {
    release();
    void tail.then(() => {
      if (tails.get(name) === tail) tails.delete(name);
    });
  }
}

async function waitFor(promise: Promise<void>, seconds: number, error: () => Error): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(error()), seconds * 1000);
  });
  try {
    await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
