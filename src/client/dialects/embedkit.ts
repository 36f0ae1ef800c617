// embedkit's own server: POST /embed, GET /info.
import { z } from 'zod';
import { type Declared, type Dialect, float32, given, shaped } from './dialect.js';

const answerSchema = z.object({
  embeddings: z.array(z.array(z.number())),
  model: z.string(),
  fingerprint: z.string().optional(),
  tokens: z.number().optional(),
  truncated: z.array(z.number()).optional(),
});

const infoSchema = z.object({
  models: z.array(z.object({ name: z.string(), fingerprint: z.string(), aliases: z.array(z.string()).default([]) })),
});

export const embedkit: Dialect = {
  path: '/embed',
  maxTexts: 2048,
  knowsPrompts: true,
  body: (texts, { model }, { prompt, dimensions, truncate }) => ({ texts, ...given({ model, prompt, dimensions, truncate }) }),
  answer: (json) => {
    const { embeddings, model, fingerprint, tokens, truncated } = shaped(answerSchema, json);
    return { vectors: float32(embeddings), model, fingerprint, tokens, truncated };
  },
  infoUrl: (url) => `${url}/info`,
};

/** The models of a server's GET /info, the default one first; none when it says something else. */
export function declaredIn(json: unknown): Declared[] {
  const parsed = infoSchema.safeParse(json);
  return parsed.success ? parsed.data.models.map(({ name, fingerprint, aliases }) => ({ model: name, fingerprint, aliases })) : [];
}
