// How a model is used in a run: the manifest's defaults with what was asked for, checked; and its fingerprint.
import { hash } from 'node:crypto';
import { EmbedkitError } from '../errors.js';
import type { Manifest, VectorRanges } from './manifest.js';
import { TOKENIZER_NAME } from './names.js';

export interface ModelRequest {
  /** Longest text in tokens, special tokens included; default: the manifest's. */
  readonly maxTokens?: number | undefined;
  /** `query`, `document`, `none`, another prompt of the manifest, or the literal text to put before each text. */
  readonly prompt?: string | undefined;
  /** Length of the vectors; default: the model's. */
  readonly dims?: number | undefined;
}

/** The length limit. `flag` is what asked for it. Throws `usage` where the model has fewer positions. */
export function maxTokensFor(manifest: Manifest, asked: number | undefined, flag = '--max-tokens'): number {
  const positions = manifest.architecture.positions ?? manifest.max_tokens;
  const maxTokens = asked ?? manifest.max_tokens;
  if (maxTokens >= 3 && maxTokens <= positions) return maxTokens;
  throw new EmbedkitError('usage', `${flag} ${maxTokens}: ${manifest.name} takes 3 to ${positions} tokens`, {
    hint: 'choose a number in that range',
  });
}

/** A prompt of one word alone is the name of one, or a slip: in front of a text it would run into its first word. */
const BARE_WORD = /^\w+$/;

/** The text put before every text. `document` where none is asked for. */
export function promptFor(manifest: Manifest, asked: string | undefined): string {
  if (asked === 'none') return '';
  if (asked === undefined) return manifest.prompts['document'] ?? '';
  const prompt = Object.hasOwn(manifest.prompts, asked) ? manifest.prompts[asked] : undefined;
  if (prompt !== undefined) return prompt;
  if (!BARE_WORD.test(asked)) return asked;
  const names = ['none', ...Object.keys(manifest.prompts)].join(', ');
  const hint = `name one of ${names}, or write a prompt of your own to its space or colon, like "${asked}: " (export --query-prompt puts one into a model)`;
  throw new EmbedkitError('usage', `--prompt ${asked}: ${manifest.name} has no such prompt`, { hint });
}

/** The length of the vectors. Throws `usage` for one that the model was not trained to be cut to. */
export function dimsFor(manifest: Manifest, asked: number | undefined): number {
  const allowed = [...new Set([...manifest.dimensions, manifest.dim])].sort((a, b) => a - b);
  if (asked === undefined) return manifest.dim;
  if (allowed.includes(asked)) return asked;
  throw new EmbedkitError('usage', `--dims ${asked}: ${manifest.name} gives vectors of ${allowed.join(', ')}`, {
    hint: 'leave --dims out or choose one of these',
  });
}

/** The ranges of int8 vectors of this length. Throws `usage` where the model has none. */
export function rangesFor({ manifest, path }: { readonly manifest: Manifest; readonly path: string }, dims: number): VectorRanges {
  const ranges = manifest.vector_ranges?.find(({ minimum }) => minimum.length === dims);
  if (ranges !== undefined) return ranges;
  const hint = `make them: embedkit ranges ${path}`;
  throw new EmbedkitError('usage', `--dtype int8: ${manifest.name} has no ranges for vectors of ${dims} values`, { hint });
}

/** SHA-256 over everything that decides a model's vector for a text: two equal fingerprints give equal vectors. */
export function fingerprint(manifest: Manifest, maxTokens: number): string {
  const model = Object.entries(manifest.files)
    .filter(([name]) => name !== TOKENIZER_NAME)
    .map(([, file]) => file.sha256);
  const parts = {
    model,
    tokenizer: manifest.files[TOKENIZER_NAME]?.sha256,
    output: manifest.architecture.output,
    pooling: manifest.pooling,
    ...(manifest.dense === undefined ? {} : { dense: manifest.dense }),
    normalize: manifest.normalize,
    prompts: Object.entries(manifest.prompts).sort(),
    max_tokens: maxTokens,
  };
  return hash('sha256', JSON.stringify(parts), 'hex');
}

/** What a vector was made from: SHA-256 over the fingerprint and the final text, prompt included; the first 128 bits, in hexadecimal. */
export function contentHash(fingerprintHex: string, text: string): string {
  return hash('sha256', fingerprintHex + text, 'hex').slice(0, 32);
}
