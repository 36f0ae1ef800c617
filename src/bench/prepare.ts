// What is measured and with which texts: options become subjects and a workload, all checked before the first measurement.
import { quantile } from 'simple-statistics';
import { usableCpus } from '../engine/cpus.js';
import { EmbedkitError } from '../errors.js';
import { PRECISIONS, type Precision } from '../model/names.js';
import { createTokenizer, type TextTokenizer } from '../tokens/tokenizer.js';
import { above0, type BenchOptions, counted, DEFAULTS, LIMITS } from './options.js';
import type { CorpusFacts, ResultOptions } from './result.js';
import { findSubjects, type Subject } from './subjects.js';
import { type CorpusSample, readWords, sampleCorpus, textsOfLength } from './texts.js';
import type { Workload } from './turn.js';

export interface Prepared {
  readonly settings: ResultOptions;
  readonly subjects: readonly Subject[];
  /** Precisions left out because the model has no such file, though none were named. */
  readonly absent: readonly Precision[];
  readonly work: Workload;
  readonly corpus: CorpusFacts | null;
  readonly words: readonly string[];
  readonly tokenizer: TextTokenizer;
}

/** Every option with its default, checked. Throws `usage`. */
export function settingsOf(options: BenchOptions): ResultOptions {
  const { pricePerHour } = options;
  return {
    threads: counted('--threads', options.threads ?? usableCpus(), LIMITS.threads),
    batch: counted('--batch', options.batch ?? DEFAULTS.batch, LIMITS.batch),
    tokens: counted('--tokens', options.tokens ?? DEFAULTS.tokens, Number.MAX_SAFE_INTEGER),
    seconds: above0('--seconds', options.seconds ?? DEFAULTS.seconds),
    turn_seconds: above0('--turn-seconds', options.turnSeconds ?? DEFAULTS.turnSeconds),
    within: above0('--within', options.within ?? DEFAULTS.within),
    price_per_hour: pricePerHour === undefined ? null : above0('--price-per-hour', pricePerHour),
  };
}

/** Throws `usage` for options that cannot be, and what reading models, texts and corpus throws. */
export async function prepare(options: BenchOptions): Promise<Prepared> {
  const settings = settingsOf(options);
  const subjects = await findSubjects(options.model, options.variants, options.pooling);
  const absent = options.variants === undefined ? PRECISIONS.filter((one) => !subjects.some(({ name }) => name === one)) : [];
  checkLength(settings.tokens, subjects);
  const tokenizer = createTokenizer((subjects[0] as Subject).folder.tokenizer);
  const words = await readWords(options.wordsFile);
  const { threads, batch, tokens } = settings;
  const many = Math.max(batch, Math.round((LIMITS.tokensAThread * threads) / tokens));
  const fixed = textsOfLength(words, tokenizer, tokens, Math.ceil(many / batch) * batch);
  const maxTokens = Math.min(...subjects.map(({ folder }) => folder.manifest.max_tokens));
  const limits = { maxTokens, tokens: LIMITS.tokensAThread * threads, least: 2 * batch };
  const sample = options.corpus === undefined ? undefined : await sampleCorpus(options.corpus, options.textField, tokenizer, limits);
  const work = { threads, batch, turnSeconds: settings.turn_seconds, fixed, corpus: sample?.texts };
  return { settings, subjects, absent, work, corpus: sample === undefined ? null : corpusFacts(sample), words, tokenizer };
}

function checkLength(tokens: number, subjects: readonly Subject[]): void {
  for (const { label, folder } of subjects) {
    const most = folder.manifest.max_tokens;
    if (tokens >= 3 && tokens <= most) continue;
    throw new EmbedkitError('usage', `--tokens ${tokens}: ${label} takes texts of 3 to ${most} tokens`, {
      hint: 'choose a number in that range',
    });
  }
}

function corpusFacts({ path, rows, texts, tokens }: CorpusSample): CorpusFacts {
  const lengths = [...tokens];
  const at = (share: number): number => quantile(lengths, share);
  const total = lengths.reduce((sum, one) => sum + one, 0);
  return { path, rows, texts: texts.length, tokens: { total, p10: at(0.1), p50: at(0.5), p90: at(0.9), most: at(1) } };
}
