// Endpoints of OpenAI's contract: POST /embeddings under a base that ends in /v1. An embedkit server is one too, and declares its models.
import { z } from 'zod';
import { Failure } from '../failure.js';
import { type Dialect, float32, given, shaped } from './dialect.js';

const answerSchema = z.object({
  data: z.array(z.object({ index: z.number().int().nonnegative(), embedding: z.array(z.number()) })),
  model: z.string().optional(),
  /** Only embedkit's server says so. */
  fingerprint: z.string().optional(),
  usage: z.object({ total_tokens: z.number().optional() }).nullish(),
});

export const openai: Dialect = {
  path: '/embeddings',
  maxTexts: 2048,
  knowsPrompts: false,
  body: (input, { model }, { dimensions }) => ({ input, encoding_format: 'float', ...given({ model, dimensions }) }),
  answer: (json) => {
    const { data, model, fingerprint, usage } = shaped(answerSchema, json);
    return { vectors: float32(inOrder(data)), model, fingerprint, tokens: usage?.total_tokens, truncated: undefined };
  },
  infoUrl: (url) => `${url.replace(/\/v1$/, '')}/info`,
};

/** By their index, which need not be their order. */
function inOrder(data: readonly { readonly index: number; readonly embedding: number[] }[]): number[][] {
  const lists: number[][] = [];
  for (const { index, embedding } of data) lists[index] = embedding;
  if (Object.keys(lists).length === data.length && lists.length === data.length) return lists;
  throw new Failure('wrong-answer', 'the answer has an index twice or leaves one out');
}
