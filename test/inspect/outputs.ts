// Small outputs for the tests of inspect/: made by the job with a stub for the engine, then altered byte by byte.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type JobConfig, runJob } from '#src/index.js';
import { type StubOptions, stubModel } from '../job/stub-model.js';
import { temporaryFolder } from '../run.js';

/** Two rows of equal text, one with no text, one that is no JSON, one beyond twelve tokens, one without an id. */
export const INPUT = [
  '{"id":"a","text":"first text","body":"another"}',
  '{"id":"b","text":null}',
  'no JSON',
  '{"id":"c","text":"a text that is much longer than the others, by many words and some more"}',
  '{"id":"d","text":"first text","body":"still another"}',
  '{"text":"the last one"}',
].join('\n');

export interface Output {
  readonly input: string;
  readonly path: string;
}

/** Embeds INPUT (or `content`) into a file of this name, in a folder of its own. */
export async function makeOutput(name: string, changes: Partial<JobConfig> = {}, content = INPUT, stub?: StubOptions): Promise<Output> {
  const folder = temporaryFolder();
  const input = join(folder, 'in.jsonl');
  writeFileSync(input, content);
  const path = join(folder, name);
  const { input: read, output, ...rest } = changes;
  await runJob({ input: { ...read, paths: [input] }, output: { ...output, path }, ...rest }, stubModel(stub));
  return { input, path };
}

/** Puts other bytes of the same length in the place of the first occurrence of some. */
export function alter(path: string, from: string | Uint8Array, to: string | Uint8Array): void {
  const bytes = readFileSync(path);
  const at = bytes.indexOf(from);
  if (at === -1 || Buffer.byteLength(from) !== Buffer.byteLength(to)) throw new Error('nothing to alter');
  Buffer.from(to).copy(bytes, at);
  writeFileSync(path, bytes);
}

/** The bytes of the vector of a text, as the stub gives it and an Arrow file holds it. */
export async function vectorBytes(path: string, row: number): Promise<Buffer> {
  const { tableFromIPC } = await import('apache-arrow');
  const values = tableFromIPC(readFileSync(path)).getChild('embedding')?.get(row).toArray() as Float32Array;
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
