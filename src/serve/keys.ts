// API keys from a file, one a line, read again when it changes; compared in constant time.
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { IncomingHttpHeaders } from 'node:http';
import { EmbedkitError, wrapError } from '../errors.js';
import { Refusal } from './refusal.js';

export interface KeyRing {
  /** A name for the key that a request carries, which does not give it away. Throws Refusal `unauthorized`. */
  nameOf(headers: IncomingHttpHeaders): string;
}

const LOOK_EVERY_MS = 1000;
const SHORTEST = 16;

/** Opens a key file. Throws `usage` for one that holds no keys; later changes to such a file are told to `onProblem` and the old keys stay. */
export function openKeys(path: string, onProblem: (message: string) => void): KeyRing {
  let keys = readKeys(path);
  let stamp = stampOf(path);
  let looked = performance.now();
  const refresh = (): void => {
    if (performance.now() - looked < LOOK_EVERY_MS) return;
    looked = performance.now();
    const now = stampOf(path);
    if (now === stamp) return;
    stamp = now;
    try {
      keys = readKeys(path);
    } catch (error) {
      onProblem(error instanceof EmbedkitError ? error.sentence : 'the key file cannot be read; the old keys stay');
    }
  };
  return {
    nameOf: (headers) => {
      refresh();
      return nameOf(keys, headers);
    },
  };
}

function nameOf(keys: readonly Buffer[], headers: IncomingHttpHeaders): string {
  const given = digestOf(keyIn(headers));
  // All are compared, whichever fits: the time tells nothing.
  const fitting = keys.filter((key) => timingSafeEqual(key, given));
  if (fitting[0] !== undefined) return `key-${fitting[0].toString('hex', 0, 4)}`;
  throw new Refusal('unauthorized', 'no API key, or an unknown one', { hint: 'send authorization: Bearer <key>' });
}

function keyIn({ authorization, 'x-api-key': other }: IncomingHttpHeaders): string {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? (typeof other === 'string' ? other : '');
}

function digestOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

/** The digests of the keys: the keys themselves are not kept. */
function readKeys(path: string): Buffer[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw wrapError(error, 'usage', `--api-key-file ${path}`, 'name a file with one key a line');
  }
  const lines = text.split('\n').map((line) => line.trim());
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const hint = `write keys of ${SHORTEST} or more letters without blanks, one a line`;
  if (keys.length === 0) throw new EmbedkitError('usage', `--api-key-file ${path}: it holds no key`, { hint });
  const bad = lines.findIndex((line) => keys.includes(line) && (line.length < SHORTEST || /\s/.test(line)));
  if (bad !== -1) throw new EmbedkitError('usage', `--api-key-file ${path}: line ${bad + 1} is no key`, { hint });
  return keys.map(digestOf);
}

/** Changes when the file does. */
function stampOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return 'absent';
  }
}
