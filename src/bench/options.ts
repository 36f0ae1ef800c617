// What a benchmark may be told, its defaults and its limits.
import { EmbedkitError } from '../errors.js';
import type { Pooling } from '../vectors/pool.js';
import type { Baseline } from './baseline.js';
import type { Claim } from './claim.js';

export interface BenchOptions {
  /** Model folder or shipped name whose int8 and fp32 are measured; default: the shipped model. */
  readonly model?: string | undefined;
  /** `int8`, `fp32`, model folders (`FOLDER@int8`, `FOLDER@fp32`) and ONNX files; default: what the model has of int8 and fp32. */
  readonly variants?: readonly string[] | undefined;
  /** For ONNX files with nothing beside them that says so. */
  readonly pooling?: Pooling | undefined;
  /** Engine threads of every variant; default: what the process may use. */
  readonly threads?: number | undefined;
  readonly batch?: number | undefined;
  readonly tokens?: number | undefined;
  /** Input whose mix of lengths is measured too. */
  readonly corpus?: string | undefined;
  readonly textField?: string | undefined;
  readonly baseline?: Baseline | undefined;
  /** Any currency, for the machine kept up. */
  readonly pricePerHour?: number | undefined;
  /** No round is begun that would end later; at least one is. */
  readonly seconds?: number | undefined;
  /** Each measurement of a round. */
  readonly turnSeconds?: number | undefined;
  /** Rounds end when the figures are known to this share of themselves. */
  readonly within?: number | undefined;
  readonly claim?: Claim | undefined;
  readonly curves?: boolean | undefined;
  /** Text that the texts of fixed length are made of. */
  readonly wordsFile: string;
  /** The script of a measuring process. */
  readonly script: URL;
  /** The program whose `serve` is measured over loopback, too. */
  readonly serveProgram?: URL | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined;
}

export interface BenchProgress {
  readonly said: string;
  /** 0 to 1. */
  readonly done: number;
}

export const DEFAULTS = { batch: 32, tokens: 50, seconds: 120, turnSeconds: 1, within: 0.02 } as const;

export const LIMITS = {
  /** A batch of more is no batch that anyone waits for. */
  batch: 4096,
  threads: 1024,
  /** Rounds: intervals need six of them. */
  leastRounds: 6,
  mostRounds: 50,
  /** Rows of a corpus that are read; the sample is spread evenly over them. */
  corpusRows: 20_000,
  /** Tokens a thread in the many texts that are handed over at once, and in the sample of a corpus. */
  tokensAThread: 8192,
} as const;

/** The value of a flag that counts things. Throws `usage` where it is not a whole number from 1 to `most`. */
export function counted(flag: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= most) return value;
  throw new EmbedkitError('usage', `${flag} ${value}: not a whole number from 1 to ${most}`, { hint: 'choose one' });
}

/** The value of a flag that measures something. Throws `usage` where it is not a number above 0. */
export function above0(flag: string, value: number): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new EmbedkitError('usage', `${flag} ${value}: not a number above 0`, { hint: 'choose one' });
}
