// What the readers of config.json share: fields checked one by one, activations by name, and how a model is refused.
import { z } from 'zod';
import { EmbedkitError } from '../../errors.js';
import type { Activation, Table } from '../encoder.js';

/** The parsed config.json of a model. */
export type ModelConfig = Readonly<Record<string, unknown>>;

/** A size of a model. The limit keeps products of two sizes whole numbers. */
export const size = z
  .number()
  .int()
  .min(1)
  .max(2 ** 26);

/** Names of transformers -> what they compute. Source: transformers, activations.py. */
const ACTIVATIONS: Readonly<Record<string, Activation>> = {
  gelu: 'gelu',
  gelu_python: 'gelu',
  gelu_new: 'gelu-tanh',
  gelu_fast: 'gelu-tanh',
  gelu_pytorch_tanh: 'gelu-tanh',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
};

/** The fields of config.json that `schema` names. Throws `model-invalid` for the first that is missing or wrong. */
export function readFields<T>(config: ModelConfig, schema: z.ZodType<T>): T {
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new EmbedkitError('model-invalid', `config.json: ${issue?.path.join('.')}: ${issue?.message}`, { hint: 'fetch the model again' });
}

export function activationOf(name: string): Activation {
  const activation = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (activation !== undefined) return activation;
  throw unsupported(`the activation ${JSON.stringify(name.slice(0, 100))}`, `embedkit knows ${Object.keys(ACTIVATIONS).join(', ')}`);
}

/** Throws where a field has a value other than those that embedkit computes; one that is absent or null computes nothing else. */
export function requireFields(config: ModelConfig, allowed: Readonly<Record<string, readonly unknown[]>>): void {
  for (const [name, values] of Object.entries(allowed)) {
    const value = config[name];
    if (value === undefined || value === null || values.includes(value)) continue;
    const known = values.length === 0 ? 'none' : values.map((one) => JSON.stringify(one)).join(' or ');
    throw unsupported(`${name} ${JSON.stringify(value)?.slice(0, 100)}`, `embedkit computes ${known}`);
  }
}

/** The error for what a model asks for and embedkit cannot compute: `what` is a noun phrase. */
export function unsupported(what: string, hint: string): EmbedkitError {
  return new EmbedkitError('model-unsupported', `config.json asks for ${what}`, { hint });
}

/** Rows from `start` on. */
export function rowsFrom({ rows, dim, data }: Table, start: number): Table {
  return { rows: rows - start, dim, data: data.subarray(start * dim) };
}
