// The JSON of an earlier benchmark, read back and checked as far as others rely on it.
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { EmbedkitError, wrapError } from '../errors.js';
import { type BenchResult, RESULT_KIND } from './result.js';

const HINT = 'name a file that embedkit bench --json wrote';

const numbers = z.array(z.number());
const timed = z.object({ milliseconds: numbers.min(1), texts: numbers.min(1), tokens: numbers.min(1) });
const turn = z.object({
  start_ms: z.number(),
  one: timed,
  batch: timed,
  many: timed,
  corpus: z.object({ whole: timed, slices: timed, padded: timed }).optional(),
  peak_bytes: z.number(),
});
const schema = z.object({
  kind: z.literal(RESULT_KIND),
  format: z.literal(1),
  options: z.object({ threads: z.number(), batch: z.number(), tokens: z.number() }),
  machine: z.object({ cpu: z.string(), flags: z.array(z.string()), cpus: z.number(), usable_cpus: z.number() }),
  noise: z.array(z.string()),
  corpus: z.object({ path: z.string(), texts: z.number() }).nullable(),
  variants: z.array(z.object({ name: z.string(), label: z.string(), turns: z.array(turn) })),
  roof: z.array(z.object({ products: z.array(z.object({ kind: z.enum(['int8', 'fp32']), rate: z.number() })) })),
});

/** Throws `input-not-found` where there is no file, `input-unreadable` where it is not what `bench --json` writes. */
export async function readResult(path: string): Promise<BenchResult> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw wrapError(error, 'input-not-found', path, HINT);
  });
  try {
    const found: unknown = JSON.parse(text);
    schema.parse(found);
    return found as BenchResult;
  } catch (error) {
    throw new EmbedkitError('input-unreadable', `${path}: not the JSON of a benchmark`, { hint: HINT, cause: error });
  }
}
