// Cohere's API, version 2: POST /v2/embed. Its answer names no model, and it declares none.
import { z } from 'zod';
import { type Dialect, float32, given, shaped } from './dialect.js';

const answerSchema = z.object({
  embeddings: z.object({ float: z.array(z.array(z.number())) }),
  meta: z.object({ billed_units: z.object({ input_tokens: z.number().optional() }).nullish() }).nullish(),
});

export const cohere: Dialect = {
  path: '/v2/embed',
  maxTexts: 96,
  knowsPrompts: true,
  body: (texts, { model }, { prompt, dimensions, truncate }) => ({
    texts,
    // Its models ask for the kind of text; there is none for "none".
    input_type: prompt === 'query' ? 'search_query' : 'search_document',
    embedding_types: ['float'],
    ...given({ model, output_dimension: dimensions, truncate: truncate === false ? 'NONE' : undefined }),
  }),
  answer: (json) => {
    const { embeddings, meta } = shaped(answerSchema, json);
    const tokens = meta?.billed_units?.input_tokens;
    return { vectors: float32(embeddings.float), model: undefined, fingerprint: undefined, tokens, truncated: undefined };
  },
  infoUrl: () => undefined,
};
