// The rule that keeps vectors of different models out of one index. Pure.
import type { Likeness, ModelName } from './config.js';

/** What the index holds, as far as it is known. */
export interface IndexModel {
  readonly fingerprint: string | undefined;
  /** Name that the server's first answer gave; it stands in for a fingerprint where the server declares none. */
  readonly model: string | undefined;
  /** Models besides that for which the caller vouches. */
  readonly listed: readonly ModelName[];
}

/** What made some vectors, as far as it is known. */
export interface MadeBy {
  readonly fingerprint: string | undefined;
  readonly model: string | undefined;
  /** Undefined while there are no vectors yet: then only the name is compared. */
  readonly dimension: number | undefined;
}

/** Why vectors made by this belong into the index; undefined: they do not. */
export function likenessOf(index: IndexModel, made: MadeBy): Exclude<Likeness, 'other-model-allowed' | 'same-server'> | undefined {
  if (index.fingerprint !== undefined && index.fingerprint === made.fingerprint) return 'same-fingerprint';
  const isListed = ({ model, dimension }: ModelName): boolean =>
    model === made.model && (made.dimension === undefined || dimension === made.dimension);
  return index.listed.some(isListed) ? 'listed' : undefined;
}

/** Of the server's own vectors: it may go on as it began, where neither side ever declared a fingerprint. */
export function serverLikenessOf(index: IndexModel, made: MadeBy): Exclude<Likeness, 'other-model-allowed'> | undefined {
  const likeness = likenessOf(index, made);
  if (likeness !== undefined) return likeness;
  const undeclared = index.fingerprint === undefined && made.fingerprint === undefined;
  return undeclared && made.model !== undefined && index.model === made.model ? 'same-server' : undefined;
}
