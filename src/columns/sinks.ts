// Where the bytes of an output go: a file that appears whole or not at all, a device, or a stream such as stdout.
import { readdir, realpath, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { EmbedkitError, messageOf, systemCode } from '../errors.js';
import { type Disk, type DiskFile, realDisk } from './disk.js';
import type { ByteSink } from './row.js';

export interface OutputSink extends ByteSink {
  /** Bytes written so far. */
  readonly bytes: number;
  /** Where the bytes stand until `commit`, for reading them back; undefined for a stream. */
  readonly path: string | undefined;
  /** Makes the output final and durable. */
  commit(): Promise<void>;
  /** Leaves nothing behind. */
  abort(): Promise<void>;
}

// Two runs in one process do not share a temporary.
let opened = 0;

/** A sink for `path`: a temporary file beside it that `commit` renames, or the thing itself where it is no plain file. */
export async function openFileSink(path: string, disk: Disk = realDisk): Promise<OutputSink> {
  // Of a link the file that it names is replaced, not the link: /dev/stdout, latest.parquet.
  const target = await realpath(path).catch(() => resolve(path));
  const info = await stat(target).catch(() => undefined);
  if (info?.isDirectory()) {
    throw new EmbedkitError('usage', `-o ${path} is a folder`, { hint: 'name a file in it, for example out.parquet' });
  }
  const isDevice = info !== undefined && !info.isFile();
  if (!isDevice) await removeStale(target);
  const temporary = isDevice ? target : join(dirname(target), `${temporaryPrefix(target)}${process.pid}-${opened++}`);
  const file = await disk.open(temporary, 'w').catch((error: unknown) => {
    throw unwritable(path, error);
  });
  return new FileSink(path, target, temporary, file, disk);
}

class FileSink implements OutputSink {
  bytes = 0;
  private open = true;

  constructor(
    private readonly name: string,
    private readonly target: string,
    private readonly temporary: string,
    private readonly file: DiskFile,
    private readonly disk: Disk,
  ) {}

  get path(): string | undefined {
    return this.temporary === this.target ? undefined : this.temporary;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.file.write(bytes);
      this.bytes += bytes.length;
    } catch (error) {
      throw unwritable(this.name, error);
    }
  }

  /** Synced before the rename, and the folder after it: after a power loss there is the old file or the whole new one. */
  async commit(): Promise<void> {
    try {
      if (this.path !== undefined) await this.file.sync();
      await this.close();
      if (this.path === undefined) return;
      await this.disk.rename(this.temporary, this.target);
      await this.disk.syncFolder(dirname(this.target));
    } catch (error) {
      throw unwritable(this.name, error);
    }
  }

  async abort(): Promise<void> {
    await this.close().catch(() => undefined);
    if (this.path !== undefined) await rm(this.temporary, { force: true }).catch(() => undefined);
  }

  private async close(): Promise<void> {
    if (!this.open) return;
    this.open = false;
    await this.file.close();
  }
}

function temporaryPrefix(target: string): string {
  return `.embedkit-${basename(target)}.`;
}

/** Removes what a killed run of this output left; a living process keeps its own. */
async function removeStale(target: string): Promise<void> {
  const prefix = temporaryPrefix(target);
  for (const name of await readdir(dirname(target)).catch(() => [])) {
    const pid = name.startsWith(prefix) ? /^(\d+)-\d+$/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(dirname(target), name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** A sink for a stream. Its reader may go away: that is `closed-pipe`. */
export function streamSink(stream: Writable, name: string): OutputSink {
  let failure: unknown;
  let bytes = 0;
  const onError = (error: unknown): void => {
    failure = error;
  };
  stream.on('error', onError);
  return {
    get bytes() {
      return bytes;
    },
    path: undefined,
    async write(chunk) {
      if (failure !== undefined) throw unwritable(name, failure);
      await new Promise<void>((done, fail) => stream.write(chunk, (error) => (error ? fail(unwritable(name, error)) : done())));
      bytes += chunk.length;
    },
    commit: async () => {
      stream.off('error', onError);
    },
    // The listener stays: a stream that failed may report errors later too.
    abort: async () => {
      failure ??= new Error('the run has ended');
    },
  };
}

const REASONS: Record<string, readonly [string, string]> = {
  ENOSPC: ['the disk is full', 'free some space and run again'],
  EDQUOT: ['the disk quota is used up', 'free some space and run again'],
  EACCES: ['permission denied', 'choose another place or change the permissions'],
  EROFS: ['the file system is read-only', 'choose another place'],
  ENOENT: ['its folder does not exist', 'make the folder first'],
  ENOTDIR: ['its folder is a file', 'choose another place'],
  EFBIG: ['the file would pass the size limit', 'raise the limit (ulimit -f) or split the input'],
};

export function unwritable(name: string, error: unknown): EmbedkitError {
  if (error instanceof EmbedkitError) return error;
  const code = systemCode(error) ?? '';
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED')
    return new EmbedkitError('closed-pipe', `the reader of ${name} went away`, { cause: error });
  const [found, hint] = REASONS[code] ?? [messageOf(error), 'check the place and run again'];
  return new EmbedkitError('output-unwritable', `cannot write ${name}: ${found}`, { hint, cause: error });
}
