// embedkit.json: what a model folder says about itself, checked when read.
import { z } from 'zod';
import { EmbedkitError } from '../errors.js';
import { POOLINGS } from '../vectors/pool.js';

const fileSchema = z.object({ bytes: z.number().int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const manifestSchema = z.object({
  /** Version of this file's layout. */
  format: z.literal(1),
  name: z.string().min(1),
  source: z.string(),
  license: z.string(),
  attribution: z.string().optional(),
  /** Name of the ONNX file in the folder. */
  model: z.string().min(1),
  /** Every file of the folder but this one. */
  files: z.record(z.string(), fileSchema),
  architecture: z.object({
    inputs: z.array(z.string()),
    /** Graph output that embeddings are taken from. */
    output: z.string(),
    opset: z.number().int(),
    /** Rows of the position table: no text may be longer. */
    positions: z.number().int().positive().optional(),
    vocabulary: z.number().int().positive().optional(),
  }),
  dim: z.number().int().positive(),
  /** Shorter dimensions that the model was trained to be cut to. */
  dimensions: z.array(z.number().int().positive()).default([]),
  max_tokens: z.number().int().positive(),
  pooling: z.enum(POOLINGS),
  normalize: z.boolean(),
  /** Text put before a text, by kind of text. */
  prompts: z.record(z.string(), z.string()),
  /** What storing the weights cost. */
  weights: z.object({
    dtype: z.enum(['float32', 'float16']),
    total: z.number().int(),
    exact: z.number().int(),
    max_difference: z.number(),
  }),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** Parses the text of an embedkit.json. Throws `model-invalid` that names the first field that is wrong. */
export function parseManifest(text: string, path: string): Manifest {
  const parsed = manifestSchema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'the file';
  throw new EmbedkitError('model-invalid', `${path}: ${where}: ${issue?.message ?? 'invalid'}`, { hint: 'export the model again' });
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new EmbedkitError('model-invalid', `${path}: not JSON`, { hint: 'export the model again', cause: error });
  }
}
