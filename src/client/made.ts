// Vectors with what is known of their maker: the result that the caller gets, or the error where they do not belong into the index. Pure.
import { EmbedkitError } from '../errors.js';
import type { Embeddings, Likeness, Source } from './config.js';
import type { Answer } from './dialects/dialect.js';
import type { Endpoint } from './endpoint.js';
import type { IndexModel, MadeBy } from './same-model.js';

export interface Made {
  readonly answer: Answer;
  readonly made: MadeBy;
  readonly likeness: Likeness;
}

export function madeBy(answer: Answer, fingerprint: string | undefined): MadeBy {
  return { fingerprint, model: answer.model, dimension: answer.vectors[0]?.length };
}

export function identityOf({ fingerprint, model }: MadeBy): Pick<IndexModel, 'fingerprint' | 'model'> {
  return { fingerprint, model };
}

export function strange(url: string, made: MadeBy, index: IndexModel): EmbedkitError {
  const is = (model: string | undefined, fingerprint: string | undefined): string =>
    `${model ?? 'a model'}${fingerprint === undefined ? ', no fingerprint declared' : ` (${fingerprint.slice(0, 12)}…)`}`;
  const found = `${url} answers as ${is(made.model, made.fingerprint)}, ${made.dimension ?? 0} dimensions; the index holds ${is(index.model, index.fingerprint)}`;
  return new EmbedkitError('model-differs', found, {
    hint: 'embed the index again, list name and dimension in sameModel if they are the same model, or say allowOtherModel for this call',
  });
}

export function resultOf(role: Source['role'], { config }: Endpoint, { answer, made, likeness }: Made, started: number): Embeddings {
  return {
    embeddings: answer.vectors,
    model: answer.model ?? config.model ?? 'unknown',
    dimension: made.dimension,
    fingerprint: made.fingerprint,
    source: { role, kind: config.kind, url: config.url, likeness },
    tokens: answer.tokens,
    truncated: answer.truncated,
    latencyMs: performance.now() - started,
  };
}
