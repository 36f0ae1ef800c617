// One file of the hub becomes a blob of the cache: resumed where it broke off, and put in place when its hash is right.
import type { Hash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import { realDisk } from '../columns/disk.js';
import { unwritable } from '../columns/sinks.js';
import { EmbedkitError } from '../errors.js';
import { digestKind, feed, isRight, startDigest } from './digest.js';
import { partialPath } from './layout.js';
import type { HubFile } from './listing.js';
import { type Patience, persist } from './persist.js';
import type { Answer, Sender } from './send.js';
import { broken, PassingTrouble } from './trouble.js';

export interface TransferOptions {
  readonly url: string;
  /** Where the blob goes. */
  readonly blob: string;
  readonly sender: Sender;
  readonly patience: Patience;
  /** Bytes of the file that are there, each time that changes. */
  readonly onBytes: (bytes: number) => void;
  readonly write?: WriteBytes | undefined;
}

/** Writes bytes from an offset on at the end of a file; returns how many. */
export type WriteBytes = (descriptor: number, bytes: Buffer, offset: number) => number;

/** A resumed file can hold what a power loss spoilt: then the whole file is fetched once more. */
const WHOLE_TRIES = 2;

/** Returns the bytes that came over the network. Throws EmbedkitError `model-invalid` where the hash stays wrong, and what a Sender throws. */
export async function transfer(file: HubFile, options: TransferOptions): Promise<number> {
  const { blob, patience, write = writeSync } = options;
  const there = await stat(blob).catch(() => undefined);
  if (there?.size === file.bytes && (await isRight(blob, file.blob, file.bytes, patience.signal))) {
    options.onBytes(file.bytes);
    return 0;
  }
  let fetched = 0;
  for (let tries = 0; tries < WHOLE_TRIES; tries++) {
    const partial = await Partial.open(file, partialPath(blob), write, patience.signal);
    try {
      const start = partial.bytes;
      await persist(
        () => receive(partial, file, options),
        patience,
        () => partial.bytes,
      );
      fetched += partial.bytes - start;
      if (await partial.install(blob)) return fetched;
    } finally {
      partial.close();
    }
  }
  const found = `${file.path}: what the hub sends has another ${digestKind(file.blob)} than its list says (${file.blob})`;
  throw new EmbedkitError('model-invalid', found, {
    hint: 'something on the way alters it: check the proxy and HF_ENDPOINT, then pull again',
  });
}

async function receive(partial: Partial, file: HubFile, { url, sender, patience, onBytes }: TransferOptions): Promise<void> {
  const { signal } = patience;
  onBytes(partial.bytes);
  if (partial.bytes === file.bytes) return;
  const answer = await sender.get({ url, what: file.path, from: partial.bytes, signal });
  let skip = bytesToSkip(answer, partial.bytes, file);
  const take = (chunk: Buffer): void => {
    const fresh = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - fresh.length;
    if (partial.bytes + fresh.length > file.bytes) throw lengthDiffers(file, answer, 'more');
    partial.add(fresh);
    onBytes(partial.bytes);
  };
  await drain(answer, take, signal);
  if (partial.bytes < file.bytes) throw broken(answer.host, new Error('the answer ended early'));
}

/**
 * Hands on the bytes of a body as they arrive. At once and not through an iterator: what a stream still holds when its
 * connection breaks is lost, and would have to come over the network again.
 */
async function drain({ body, host }: Answer, take: (chunk: Buffer) => void, signal: AbortSignal): Promise<void> {
  let refusal: unknown;
  body.on('data', (chunk: Buffer) => {
    try {
      if (refusal === undefined) take(chunk);
    } catch (error) {
      refusal = error;
      body.destroy();
    }
  });
  try {
    await finished(body);
  } catch (error) {
    signal.throwIfAborted();
    throw refusal ?? broken(host, error);
  }
}

/** Of a server that knows no ranges the beginning comes again, and is let go. Throws where the answer is not the rest of the file. */
function bytesToSkip(answer: Answer, from: number, file: HubFile): number {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.header('content-range') ?? '');
  if (answer.status === 206) {
    if (Number(range?.[1]) !== from)
      throw new PassingTrouble(`${file.path}: ${answer.host} sends another range than was asked for`, 'server-failed');
    if (range?.[2] !== '*' && Number(range?.[2]) !== file.bytes) throw lengthDiffers(file, answer, range?.[2] as string);
    return 0;
  }
  const length = answer.header('content-length');
  if (length !== undefined && Number(length) !== file.bytes) throw lengthDiffers(file, answer, length);
  return from;
}

function lengthDiffers(file: HubFile, { host, body }: Answer, found: string): PassingTrouble {
  body.destroy();
  return new PassingTrouble(`${file.path}: ${host} sends ${found} bytes where the list says ${file.bytes}`, 'server-failed');
}

/** What has arrived of a file: on disk, and in its hash. */
class Partial {
  private constructor(
    private readonly file: HubFile,
    private readonly path: string,
    private readonly descriptor: number,
    private readonly write: WriteBytes,
    private readonly hash: Hash,
    public bytes: number,
  ) {}

  static async open(file: HubFile, path: string, write: WriteBytes, signal: AbortSignal): Promise<Partial> {
    try {
      // Longer than the file: it is no beginning of it.
      const size = (await stat(path).catch(() => undefined))?.size ?? 0;
      if (size > file.bytes) await realDisk.remove(path);
      const descriptor = openSync(path, 'a');
      const hash = startDigest(file.blob, file.bytes);
      return new Partial(file, path, descriptor, write, hash, await feed(hash, path, signal));
    } catch (error) {
      signal.throwIfAborted();
      throw unwritable(path, error);
    }
  }

  add(bytes: Buffer): void {
    try {
      for (let done = 0; done < bytes.length; ) done += this.write(this.descriptor, bytes, done);
    } catch (error) {
      throw unwritable(this.path, error);
    }
    this.hash.update(bytes);
    this.bytes += bytes.length;
  }

  /** Puts the blob in place, durably, where its hash is right; else removes what has arrived, and returns false. */
  async install(blob: string): Promise<boolean> {
    const isWhole = this.hash.digest('hex') === this.file.blob;
    try {
      if (isWhole) {
        fsyncSync(this.descriptor);
        await realDisk.rename(this.path, blob);
        await realDisk.syncFolder(dirname(blob));
      } else await realDisk.remove(this.path);
      return isWhole;
    } catch (error) {
      throw unwritable(blob, error);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
