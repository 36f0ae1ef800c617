// The file operations that durable outputs are made of, behind one interface so that a test can make each of them fail.
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file open for writing. */
export interface DiskFile {
  write(bytes: Uint8Array): Promise<void>;
  /** Until this has settled a power loss may take what was written. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  /** `w`: emptied or made; `a`: written to at its end. */
  open(path: string, flags: 'w' | 'a'): Promise<DiskFile>;
  truncate(path: string, bytes: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes names made, changed or removed in a folder durable. */
  syncFolder(path: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  read(path: string): Promise<Buffer>;
  /** Names in a folder; none where it is not there. */
  list(path: string): Promise<string[]>;
  /** Removes a file or a folder with all in it; no error where it is not there. */
  remove(path: string): Promise<void>;
}

export const realDisk: Disk = {
  open: async (path, flags) => asDiskFile(await open(path, flags)),
  truncate: async (path, bytes) => {
    const file = await open(path, 'r+');
    try {
      await file.truncate(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
  },
  rename,
  // Some file systems cannot sync a folder; the names in it are then as durable as they make them.
  syncFolder: async (path) => {
    const folder = await open(path).catch(() => undefined);
    await folder?.sync().catch(() => undefined);
    await folder?.close();
  },
  makeFolder: async (path) => void (await mkdir(path, { recursive: true })),
  read: readFile,
  list: (path) => readdir(path).catch(() => []),
  remove: (path) => rm(path, { recursive: true, force: true }),
};

function asDiskFile(file: FileHandle): DiskFile {
  return {
    write: async (bytes) => {
      for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** Writes a file that is there whole or not at all, also after a power loss: synced, renamed into place, its folder synced. */
export async function writeDurably(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeSynced(disk, temporary, 'w', bytes);
  await disk.rename(temporary, path);
  await disk.syncFolder(dirname(path));
}

/** Adds bytes to the end of a file, durably. */
export async function appendDurably(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  await writeSynced(disk, path, 'a', bytes);
}

async function writeSynced(disk: Disk, path: string, flags: 'w' | 'a', bytes: Uint8Array): Promise<void> {
  const file = await disk.open(path, flags);
  try {
    await file.write(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
