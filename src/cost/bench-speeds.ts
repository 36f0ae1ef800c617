// The speeds in the JSON of `embedkit bench`. Only what a cost needs is read; all else in the file may be as it likes.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { EmbedkitError, wrapError } from '../errors.js';
import type { Machine } from './inputs.js';

const speed = z.number().positive().nullish();

/** A speed is the median that a variant states itself, or that of its figures; absent or null where it was not measured. */
const variant = z
  .looseObject({
    name: z.string().min(1),
    tokensPerSecond: speed,
    figures: z.looseObject({ tokens_per_second: z.looseObject({ median: speed }).nullish() }).nullish(),
  })
  .transform(({ name, tokensPerSecond, figures }) => ({ name, tokensPerSecond: tokensPerSecond ?? figures?.tokens_per_second?.median }));

const schema = z.looseObject({ variants: z.array(variant).min(1) });

export interface BenchSpeeds {
  readonly machines: readonly Machine[];
  readonly source: string;
}

/** Throws `input-unreadable` for a file that is not there or holds no speed. */
export async function readBenchSpeeds(path: string): Promise<BenchSpeeds> {
  const hint = 'name the file that embedkit bench --json wrote, or give a speed with --rate';
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw wrapError(error, 'input-unreadable', `--bench ${path} cannot be read`, hint);
  });
  const { variants } = parsed(text, path, hint);
  const machines = variants.flatMap(({ name, tokensPerSecond }) =>
    typeof tokensPerSecond === 'number' ? [{ name, tokensPerSecond }] : [],
  );
  if (machines.length > 0) return { machines, source: `medians of ${basename(path)}` };
  throw new EmbedkitError('input-unreadable', `--bench ${path}: none of its variants has a speed`, { hint });
}

function parsed(text: string, path: string, hint: string): z.infer<typeof schema> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new EmbedkitError('input-unreadable', `--bench ${path} is not JSON`, { hint, cause: error });
  }
  const found = schema.safeParse(value);
  if (found.success) return found.data;
  const [issue] = found.error.issues;
  const where = issue?.path.join('.') || 'the file';
  throw new EmbedkitError('input-unreadable', `--bench ${path}: ${where}: ${issue?.message ?? 'invalid'}`, { hint });
}
