// Disks that fail: one that can do something before each operation, and one that forgets on a power loss what was not synced.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Disk, type DiskFile, realDisk } from '#src/columns/disk.js';

const CHANGING = ['truncate', 'rename', 'syncFolder', 'makeFolder', 'remove'] as const;

/** `disk`, with `before` called ahead of each operation that changes something; what it throws is the operation's error. */
export function watched(before: (operation: string, path: string) => void, disk: Disk = realDisk): Disk {
  const file = (path: string, inner: DiskFile): DiskFile => ({
    write: async (bytes) => {
      before('write', path);
      // Half of it, then the other: a fault between the two leaves a torn write.
      const half = bytes.length >> 1;
      await inner.write(bytes.subarray(0, half));
      before('write on', path);
      await inner.write(bytes.subarray(half));
    },
    sync: async () => {
      before('sync', path);
      await inner.sync();
    },
    close: () => inner.close(),
  });
  const changing = Object.fromEntries(
    CHANGING.map((name) => [
      name,
      async (path: string, other: never) => {
        before(name, path);
        await (disk[name] as (path: string, other: never) => Promise<void>)(path, other);
      },
    ]),
  ) as Pick<Disk, (typeof CHANGING)[number]>;
  return {
    ...disk,
    ...changing,
    open: async (path, flags) => {
      before('open', path);
      return file(path, await disk.open(path, flags));
    },
  };
}

/** A disk whose operation number `fatal` fails, and all after it: the disk is gone until the next run. */
export function failingFrom(fatal: number, code: string, disk?: Disk): Disk {
  let operations = 0;
  return watched((operation) => {
    if (++operations >= fatal) throw Object.assign(new Error(`${code}: injected, ${operation}`), { code });
  }, disk);
}

/** What the platters hold of a file: its content when it was last synced. */
interface Inode {
  durable: Buffer;
}

export interface ForgetfulDisk {
  readonly disk: Disk;
  /** Brings everything below the folder to what a power loss leaves. */
  powerLoss(): void;
}

/**
 * A real folder whose files keep only synced content, under names whose folder was synced: the least that POSIX promises.
 * @param honours what of the promises of the interface this disk keeps; without one it is a negative control
 */
export function forgetfulDisk(root: string, honours = { sync: true, syncFolder: true }): ForgetfulDisk {
  const now = new Map<string, Inode>();
  const durable = new Map<string, Inode>();
  for (const path of filesBelow(root)) {
    const inode = { durable: readFileSync(path) };
    now.set(path, inode);
    durable.set(path, inode);
  }
  const inodeOf = (path: string): Inode => {
    const inode = now.get(path) ?? { durable: Buffer.alloc(0) };
    now.set(path, inode);
    return inode;
  };
  const disk: Disk = {
    ...realDisk,
    open: async (path, flags) => {
      const file = await realDisk.open(path, flags);
      const inode = inodeOf(path);
      return {
        ...file,
        sync: async () => {
          if (honours.sync) inode.durable = readFileSync([...now].find(([, other]) => other === inode)?.[0] ?? path);
        },
      };
    },
    truncate: async (path, bytes) => {
      await realDisk.truncate(path, bytes);
      inodeOf(path).durable = readFileSync(path);
    },
    rename: async (from, to) => {
      await realDisk.rename(from, to);
      now.set(to, inodeOf(from));
      now.delete(from);
    },
    syncFolder: async (folder) => {
      if (!honours.syncFolder) return;
      for (const path of durable.keys()) if (dirname(path) === folder && !now.has(path)) durable.delete(path);
      for (const [path, inode] of now) if (dirname(path) === folder) durable.set(path, inode);
    },
    remove: async (path) => {
      await realDisk.remove(path);
      for (const name of now.keys()) if (name === path || name.startsWith(`${path}/`)) now.delete(name);
    },
  };
  return {
    disk,
    powerLoss: () => {
      for (const path of filesBelow(root)) rmSync(path);
      for (const [path, inode] of durable) {
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, inode.durable);
      }
    },
  };
}

function filesBelow(root: string): string[] {
  if (!existsSync(root)) return [];
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
