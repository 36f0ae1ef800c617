// The name of a blob is its hash: SHA-256 for large files, git's SHA-1 of a blob for small ones.
import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';

const SHA256 = /^[0-9a-f]{64}$/;
const GIT = /^[0-9a-f]{40}$/;

export function isBlobName(name: string): boolean {
  return SHA256.test(name) || GIT.test(name);
}

export function digestKind(name: string): 'SHA-256' | 'git SHA-1' {
  return SHA256.test(name) ? 'SHA-256' : 'git SHA-1';
}

/** A hash that comes to `name` when the right bytes, `bytes` of them, have gone into it. */
export function startDigest(name: string, bytes: number): Hash {
  return SHA256.test(name) ? createHash('sha256') : createHash('sha1').update(`blob ${bytes}\0`);
}

const BUFFER_BYTES = 1 << 20;

/** Puts the bytes of a file into a hash; returns how many they were. */
export async function feed(hash: Hash, path: string, signal?: AbortSignal): Promise<number> {
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  const file = await open(path);
  try {
    for (let bytes = 0; ; ) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, BUFFER_BYTES);
      if (bytesRead === 0) return bytes;
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}

/** Whether a file holds what its name as a blob says; `bytes` is its size. */
export async function isRight(path: string, name: string, bytes: number, signal?: AbortSignal): Promise<boolean> {
  const hash = startDigest(name, bytes);
  return (await feed(hash, path, signal)) === bytes && hash.digest('hex') === name;
}
