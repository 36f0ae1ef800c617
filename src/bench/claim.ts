// What a claimed speed needs in operations a second, and whether this machine could. Pure.
import { EmbedkitError } from '../errors.js';
import type { Kind } from './operations.js';

/** So many texts of so many tokens a second, on so many cores. */
export interface Claim {
  readonly text: string;
  readonly embeddingsPerSecond: number;
  readonly tokens: number;
  readonly cores: number | undefined;
}

const RATE = '([\\d,_]+(?:\\.\\d+)?)\\s*(?:embeddings|embs?|texts)\\s*/\\s*s(?:ec(?:ond)?)?';
const CORES = '(?:\\s+on\\s+(\\d+)\\s*(?:v?cpus?|cores?|threads?))?';
const CLAIM = new RegExp(`^\\s*${RATE}\\s+at\\s+(\\d+)\\s*tokens?${CORES}\\s*$`, 'i');

/** "4200 emb/s at 50 tokens on 4 cores". Throws `usage` for anything else. */
export function parseClaim(text: string): Claim {
  const [, rate, tokens, cores] = CLAIM.exec(text) ?? [];
  const claim = {
    text,
    embeddingsPerSecond: Number((rate ?? '').replace(/[,_]/g, '')),
    tokens: Number(tokens),
    cores: cores === undefined ? undefined : Number(cores),
  };
  if (claim.embeddingsPerSecond > 0 && claim.tokens > 0 && (claim.cores ?? 1) > 0) return claim;
  throw new EmbedkitError('usage', `--claim "${text}": not a claim`, { hint: 'write it like "4200 emb/s at 50 tokens on 4 cores"' });
}

/** A claim held against one kind of arithmetic. */
export interface ClaimVerdict {
  readonly kind: Kind;
  /** Operations of one text in products by weights. */
  readonly operations: number;
  /** Operations a second that the claim needs. */
  readonly needed: number;
  /** What as many cores like these reach at best on plain products: measured with all threads and scaled. */
  readonly roof: number;
  readonly cores: number;
  readonly isPossible: boolean;
}

/** @param roof operations a second of the best plain product, of `threads` threads together */
export function judgeClaim(claim: Claim, kind: Kind, operations: number, roof: number, threads: number): ClaimVerdict {
  const cores = claim.cores ?? threads;
  const needed = claim.embeddingsPerSecond * operations;
  // More cores share memory and heat: so many times one core's rate is the most they can reach.
  const scaled = (roof * cores) / threads;
  return { kind, operations, needed, roof: scaled, cores, isPossible: needed <= scaled };
}
