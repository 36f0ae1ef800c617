// embedkit.json: what a model folder says about itself, checked when read.
import { z } from 'zod';
import { EmbedkitError } from '../errors.js';
import { DENSE_ACTIVATIONS } from '../vectors/dense.js';
import { POOLINGS } from '../vectors/pool.js';
import type { Precision } from './names.js';

const fileSchema = z.object({ bytes: z.number().int().nonnegative(), sha256: z.string().regex(/^[0-9a-f]{64}$/) });

const distribution = z.object({ mean: z.number(), p1: z.number(), minimum: z.number() });

/** How an INT8 model was made and what it cost, by the measurements that let it through. */
const quantizationSchema = z.object({
  /** Passes and settings: enough to make the same bytes again from the same source and calibration text. */
  recipe: z.object({
    method: z.enum(['encoder', 'portable']),
    format: z.enum(['fused', 'qdq']),
    weights: z.enum(['safe', 'vnni', '7bit']),
    headroom: z.number(),
    max_length: z.number().int(),
    /** Sites that stayed in full precision. */
    kept_fp32: z.array(z.string()),
  }),
  /** SHA-256 of the model file that was quantized. */
  source_sha256: z.string(),
  calibration: z.object({
    /** SHA-256 over the texts used, in order. */
    digest: z.string(),
    files: z.array(z.object({ name: z.string(), sha256: z.string(), rows: z.number().int() })),
    observed_texts: z.number().int(),
    observed_tokens: z.number().int(),
    held_out_texts: z.number().int(),
  }),
  /** Against full precision, on texts that were not observed. */
  gate: z.object({
    cosine: distribution,
    overlap: z.number(),
    control: z.object({ texts: z.number().int(), cosine: distribution, overlap: z.number() }).optional(),
    evaluated: z.array(
      z.object({
        set: z.string(),
        metric: z.string(),
        full: z.number(),
        quantized: z.number(),
        kept: z.number(),
        overlap: z.number().optional(),
      }),
    ),
  }),
});

export type Quantization = z.infer<typeof quantizationSchema>;

const probeSchema = z.object({
  text: z.string(),
  /** The normalised vector: little-endian float32 in base64. */
  vector: z.string(),
});

export type ProbeVector = z.infer<typeof probeSchema>;

/** What `evaluate --record` found. */
const evaluationSchema = z.array(
  z.object({ set: z.string(), metric: z.string(), value: z.number(), count: z.number().int(), fingerprint: z.string() }),
);

export type Evaluation = z.infer<typeof evaluationSchema>;

const int8Schema = z.object({
  model: z.string().min(1),
  inputs: z.array(z.string()),
  output: z.string(),
  opset: z.number().int(),
  pooling: z.enum(POOLINGS),
  quantization: quantizationSchema,
  /** Texts whose vectors are checked when the model is opened. */
  probes: z.array(probeSchema),
  /** Scores of this model; quantizing again drops them. */
  evaluation: evaluationSchema.optional(),
});

export type Int8Section = z.infer<typeof int8Schema>;

/** What `--dtype int8` stores vectors of one length by, in manifests and provenance; see vectors/int8.ts. */
export const vectorRangesSchema = z
  .object({
    minimum: z.array(z.number()).readonly(),
    maximum: z.array(z.number()).readonly(),
    /** SHA-256 over the texts whose vectors were asked, in order. */
    calibration_digest: z.string(),
    texts: z.number().int().positive(),
  })
  .refine(({ minimum, maximum }) => minimum.length === maximum.length && minimum.every((least, at) => least <= (maximum[at] as number)), {
    message: 'each minimum needs a maximum that is not below it',
  });

export type VectorRanges = z.infer<typeof vectorRangesSchema>;

const manifestSchema = z.object({
  /** Version of this file's layout. */
  format: z.literal(1),
  name: z.string().min(1),
  source: z.string(),
  license: z.string(),
  attribution: z.string().optional(),
  /** Name of the full-precision ONNX file; it may be left out of a folder that has an INT8 one. */
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
  /** Linear maps between pooling and normalisation; their weights are in dense.safetensors. */
  dense: z
    .array(
      z.object({
        inputs: z.number().int().positive(),
        outputs: z.number().int().positive(),
        activation: z.enum(DENSE_ACTIVATIONS),
        bias: z.boolean(),
      }),
    )
    .optional(),
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
  /** A range a dimension, for each length of the vectors; `embedkit ranges` makes them. */
  vector_ranges: z.array(vectorRangesSchema).optional(),
  /** Scores of the full-precision model. */
  evaluation: evaluationSchema.optional(),
  /** The quantized model, where there is one. */
  int8: int8Schema.optional(),
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

/** The manifest as seen by a run at one precision: its model file, output and pooling, and only the files that it reads. */
export function manifestAt(manifest: Manifest, precision: Precision): Manifest {
  const { int8 } = manifest;
  const isInt8 = precision === 'int8' && int8 !== undefined;
  const model = isInt8 ? int8.model : manifest.model;
  const files = Object.fromEntries(Object.entries(manifest.files).filter(([name]) => isRead(name, model)));
  if (!isInt8) return { ...manifest, files };
  const { inputs, output, opset, pooling } = int8;
  return { ...manifest, model, files, pooling, architecture: { ...manifest.architecture, inputs, output, opset } };
}

/** The model, its external data, and what is no model at all. */
function isRead(name: string, model: string): boolean {
  return name === model || name === `${model}.data` || !/\.onnx(\.data)?$/.test(name);
}
