// A cache folder for one test, and a model of the hub small enough for it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { entriesUnder } from '#src/hub/cached.js';
import { parseHubName } from '#src/hub/name.js';
import type { PullOptions } from '#src/hub/pull.js';
import { familyFolder } from '../model/families.js';
import { temporaryFolder } from '../run.js';
import type { Hub } from './hub.js';

/** HF_HUB_CACHE points to a new folder until the test ends. */
export function temporaryCache(): string {
  const before = process.env['HF_HUB_CACHE'];
  const folder = temporaryFolder();
  process.env['HF_HUB_CACHE'] = folder;
  onTestFinished(() => {
    if (before === undefined) delete process.env['HF_HUB_CACHE'];
    else process.env['HF_HUB_CACHE'] = before;
  });
  return folder;
}

/** Options of a pull from this hub that waits hardly at all. */
export function quickly(hub: Hub, more: Partial<PullOptions> & { token?: string; stallMs?: number } = {}): PullOptions {
  const { token, stallMs = 20_000, ...options } = more;
  return {
    settings: { endpoint: hub.endpoint, token, offline: false, stallMs },
    patience: { firstWaitMs: 1, longestWaitMs: 5, ...options.patience },
    ...options,
  };
}

/** Bytes that look like nothing in particular, the same every time. */
export function noise(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** The least that makes a model: weights that are only bytes. */
export function plainModel(weights: Buffer): Record<string, Buffer | string> {
  return { 'config.json': '{"model_type":"bert"}', 'tokenizer.json': '{"model":{}}', 'model.safetensors': weights };
}

/** The files of a tiny model with seeded weights, as a hub would hold them. */
export async function familyFiles(name: string): Promise<Record<string, Buffer>> {
  const folder = familyFolder(name);
  const paths = (await entriesUnder(folder)).filter((path) => !path.startsWith('golden'));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(folder, path))]));
}

export const named = (text: string): NonNullable<ReturnType<typeof parseHubName>> => {
  const name = parseHubName(text);
  if (name === undefined) throw new Error(`${text} is no name`);
  return name;
};
