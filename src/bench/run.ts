// A benchmark from its options to its result: what is measured is found and checked, its operations are counted, then it takes turns.
import { request } from './baseline.js';
import { type Census, takeCensus } from './census.js';
import { judgeClaim } from './claim.js';
import { drawCurves } from './curves.js';
import { baselineFigures, figuresOf } from './figures.js';
import { type Load, loadNow, machineFacts, ownSeconds } from './machine.js';
import { findNoise } from './noise.js';
import { operationsAt } from './operations.js';
import type { BenchOptions } from './options.js';
import { type Prepared, prepare } from './prepare.js';
import { bestRate } from './rates.js';
import { type BaselineResult, type BenchResult, type ClaimResult, RESULT_KIND, type VariantResult } from './result.js';
import { type Rounds, runRounds } from './rounds.js';
import { median, type Spread } from './statistics.js';

/**
 * Measures; writes nothing. Every model runs in processes of its own, and only one of them at a time.
 * @throws EmbedkitError `usage` and what opening models and reading texts throws, all before the first measurement; `engine-failed`; the reason of the signal
 */
export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const before = loadNow();
  const say = (said: string, done = 0): void => options.onProgress?.({ said, done });
  say('reading models and texts');
  const prepared = await prepare(options);
  const { settings, subjects, work, words, tokenizer } = prepared;
  if (options.baseline !== undefined) await request(options.baseline, [work.fixed[0] as string], options.signal);
  const turnSettings = { script: options.script, signal: options.signal };
  const censuses: Census[] = [];
  for (const subject of subjects) {
    say(`counting the operations of ${subject.label}`);
    censuses.push(await takeCensus(subject, work.fixed[0] as string, settings.tokens, turnSettings));
  }
  const rounds = await runRounds({
    ...turnSettings,
    ...settings,
    subjects,
    work,
    baseline: options.baseline,
    serveProgram: options.serveProgram,
    onTurn: say,
  });
  const drawing = { ...turnSettings, subjects, work, words, tokenizer, onStep: say };
  const { curves, own_seconds } = options.curves ? await drawCurves(drawing) : { curves: [], own_seconds: 0 };
  rounds.own_seconds += own_seconds + censuses.reduce((sum, { cpu_seconds }) => sum + cpu_seconds, 0);
  return { ...resultOf(options, prepared, censuses, rounds, before), curves };
}

function resultOf(options: BenchOptions, prepared: Prepared, censuses: readonly Census[], rounds: Rounds, before: Load): BenchResult {
  const { settings, corpus, absent } = prepared;
  const variants = variantResults(prepared, censuses, rounds);
  const [machine, after] = [machineFacts(), loadNow()];
  const own_seconds = rounds.own_seconds + ownSeconds();
  const roofs = rounds.roof.map((turn) => bestRate(turn, 'fp32'));
  return {
    kind: RESULT_KIND,
    format: 1,
    options: settings,
    machine,
    before,
    after,
    own_seconds,
    noise: findNoise({ machine, before, after, own_seconds, roofs, figures: restedOn(variants) }),
    ended: rounds.ended,
    corpus,
    variants,
    absent,
    baseline: baselineResult(options, rounds),
    roof: rounds.roof,
    claim: claimResult(options, variants, rounds, settings.threads),
    curves: [],
  };
}

function variantResults({ subjects, settings }: Prepared, censuses: readonly Census[], { turns, roof }: Rounds): VariantResult[] {
  return subjects.map(({ name, label, bytes, folder: { manifest } }, at) => {
    const { operations, profile } = censuses[at] as Census;
    const own = turns[at] ?? [];
    const figures = figuresOf({ turns: own, operations, roof, pricePerHour: settings.price_per_hour ?? undefined });
    return {
      name,
      label,
      model: manifest.name,
      sha256: manifest.files[manifest.model]?.sha256 ?? '',
      bytes,
      operations,
      profile,
      turns: own,
      figures,
      tokensPerSecond: figures.tokens_per_second?.value ?? null,
    };
  });
}

/** The figures that must be narrow for a run to count as quiet. */
function restedOn(variants: readonly VariantResult[]): Record<string, Spread> {
  const named = variants.flatMap(({ label, figures }): [string, Spread | undefined][] => [
    [`the speed of ${label}`, figures.texts_per_second],
    [`the latency of ${label}`, figures.batch_p50_ms],
  ]);
  return Object.fromEntries(named.filter((entry): entry is [string, Spread] => entry[1] !== undefined));
}

function baselineResult({ baseline }: BenchOptions, rounds: Rounds): BaselineResult | null {
  if (baseline === undefined) return null;
  const { url, model } = baseline;
  return { url, model, turns: rounds.baseline, failed: rounds.baselineFailed, figures: baselineFigures(rounds.baseline) };
}

/** Held against the kind of arithmetic that each variant's products by weights mostly are. */
function claimResult({ claim }: BenchOptions, variants: readonly VariantResult[], { roof }: Rounds, threads: number): ClaimResult | null {
  if (claim === undefined) return null;
  const verdicts = variants.map(({ name, operations }) => {
    const { int8, fp32 } = operationsAt(operations, claim.tokens);
    const kind = int8 > fp32 ? ('int8' as const) : ('fp32' as const);
    const best = median(roof.map((turn) => bestRate(turn, kind)));
    return { variant: name, ...judgeClaim(claim, kind, int8 + fp32, best, threads) };
  });
  return { text: claim.text, tokens: claim.tokens, verdicts };
}
