// `bench --tune` from its options to what it found.
import { DEFAULT_BATCH_TOKENS } from '../batches/plan.js';
import { EmbedkitError } from '../errors.js';
import { createTokenizer } from '../tokens/tokenizer.js';
import { type Load, loadNow, type Machine, machineFacts, ownSeconds } from './machine.js';
import { findNoise } from './noise.js';
import { type BenchOptions, LIMITS } from './options.js';
import { settingsOf } from './prepare.js';
import { findSubjects, type Subject } from './subjects.js';
import { sampleCorpus } from './texts.js';
import { type Tuned, tune } from './tune.js';

export interface TuneResult {
  readonly kind: 'embedkit-tune';
  readonly format: 1;
  readonly variant: string;
  readonly corpus: { readonly path: string; readonly rows: number; readonly texts: number; readonly tokens: number };
  readonly machine: Machine;
  readonly before: Load;
  readonly after: Load;
  readonly noise: readonly string[];
  readonly tuned: Tuned;
}

/** Texts that are sampled at least. */
const LEAST_TEXTS = 64;

/** Tunes for the one variant asked for; default: what `embed` runs. Throws `usage` without a corpus, and as runBench does. */
export async function runTune(options: BenchOptions): Promise<TuneResult> {
  const before = loadNow();
  const { threads, seconds, turn_seconds } = settingsOf(options);
  if (options.corpus === undefined)
    throw new EmbedkitError('usage', '--tune without --corpus', { hint: 'name texts like those that you embed' });
  const [subject, another] = await findSubjects(options.model, options.variants, options.pooling, 'int8');
  if (another !== undefined) throw new EmbedkitError('usage', '--tune with several --variants', { hint: 'name one' });
  const { folder, label } = subject as Subject;
  const limits = { maxTokens: folder.manifest.max_tokens, tokens: LIMITS.tokensAThread * threads, least: LEAST_TEXTS };
  const sample = await sampleCorpus(options.corpus, options.textField, createTokenizer(folder.tokenizer), limits);
  const tuned = await tune({
    script: options.script,
    signal: options.signal,
    subject: subject as Subject,
    texts: sample.texts,
    threads,
    defaultBatchTokens: DEFAULT_BATCH_TOKENS,
    seconds,
    turnSeconds: turn_seconds,
    onStep: (said, done) => options.onProgress?.({ said, done }),
  });
  const [machine, after] = [machineFacts(), loadNow()];
  const own_seconds = tuned.own_seconds + ownSeconds();
  return {
    kind: 'embedkit-tune',
    format: 1,
    variant: label,
    corpus: { path: sample.path, rows: sample.rows, texts: sample.texts.length, tokens: sample.tokens.reduce((a, b) => a + b, 0) },
    machine,
    before,
    after,
    noise: findNoise({ machine, before, after, own_seconds, roofs: [], figures: {} }),
    tuned,
  };
}
