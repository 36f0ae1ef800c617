// What the routes take and give, as schemas: they check requests, and /openapi.json is made from them.
import { z } from 'zod';

const texts = z.array(z.string()).describe('the texts; none is fine');
const prompt = z.string().describe('query, document, none, or another prompt of the model by name; default: document');
const model = z.string().describe('name or alias of a model; default: the first that is served');
const dimensions = z.int().positive().describe('length of the vectors, where the model allows others than its own');
const truncate = z.boolean().describe('false: a text longer than the model sees is refused, not cut');

const fingerprint = z.string().describe('SHA-256 over all that decides a vector: equal fingerprints, equal vectors');

export const embedBody = z.strictObject({
  texts,
  model: model.optional(),
  prompt: prompt.optional(),
  dimensions: dimensions.optional(),
  truncate: truncate.optional(),
});

export const embedAnswer = z.object({
  embeddings: z.array(z.array(z.number())).describe('a vector a text, in their order; numbers read back to the float32 of `embed`'),
  latency_ms: z.number().describe('from the arrival of the request'),
  model: z.string(),
  fingerprint,
  tokens: z.int().describe('special tokens included'),
  truncated: z.array(z.int()).describe('indices of the texts that were cut'),
});

/** As clients of text-embeddings-inference send it; they write null for what they leave out. */
export const inputsBody = z.strictObject({
  inputs: z.union([z.string(), z.array(z.string())], 'inputs is a text or a list of texts'),
  truncate: truncate.nullish(),
  truncation_direction: z.literal(['right', 'Right'], 'texts are cut on the right').nullish(),
  normalize: z.boolean().nullish(),
  prompt_name: prompt.nullish(),
  dimensions: dimensions.nullish(),
  model: model.nullish(),
});

export const inputsAnswer = z.array(z.array(z.number()));

const ids = z.array(z.int().nonnegative());

export const openaiBody = z.strictObject({
  input: z.union([z.string(), z.array(z.string()), ids, z.array(ids)], 'input is a text or a list of texts'),
  model,
  encoding_format: z.enum(['float', 'base64']).nullish(),
  dimensions: dimensions.nullish(),
  user: z.string().describe('ignored').nullish(),
  prompt: prompt.nullish(),
  truncate: truncate.nullish(),
});

export const openaiAnswer = z.object({
  object: z.literal('list'),
  data: z.array(
    z.object({
      object: z.literal('embedding'),
      index: z.int(),
      embedding: z.union([z.array(z.number()), z.string().describe('base64 of little-endian float32')]),
    }),
  ),
  model: z.string(),
  fingerprint,
  usage: z.object({ prompt_tokens: z.int(), total_tokens: z.int() }),
});

export const tokenizeBody = z.strictObject({
  inputs: z.union([z.string(), z.array(z.string())], 'inputs is a text or a list of texts'),
  add_special_tokens: z.boolean().nullish(),
  prompt_name: prompt.nullish(),
  model: model.nullish(),
});

export const tokenizeAnswer = z.array(
  z.array(
    z.object({
      id: z.int(),
      text: z.string(),
      special: z.boolean(),
      start: z.null().describe('not known'),
      stop: z.null().describe('not known'),
    }),
  ),
);

export const errorAnswer = z.object({
  error: z.object({ message: z.string(), type: z.string(), param: z.string().nullable(), code: z.string() }),
});

export const inputsErrorAnswer = z.object({ error: z.string(), error_type: z.string() });

export const healthAnswer = z.object({ status: z.string() });

export const readyAnswer = z.object({
  status: z.string(),
  models: z.record(z.string(), z.object({ ready: z.boolean(), engines: z.int(), seconds_since_success: z.number().nullable() })),
});

const modelFacts = z.object({
  name: z.string(),
  aliases: z.array(z.string()),
  fingerprint,
  precision: z.string(),
  pooling: z.string(),
  normalize: z.boolean(),
  dim: z.int(),
  dimensions: z.array(z.int()),
  max_tokens: z.int(),
  prompts: z.array(z.string()),
  engines: z.int(),
});

export const infoAnswer = z.object({
  version: z.string(),
  models: z.array(modelFacts),
  limits: z.record(z.string(), z.number()),
  accept_token_ids: z.boolean(),
});

export const openaiModels = z.object({
  object: z.literal('list'),
  data: z.array(z.object({ id: z.string(), object: z.literal('model'), created: z.int(), owned_by: z.string() })),
});
