// Two benchmarks of one machine held against each other, figure by figure. Pure.
import { EmbedkitError } from '../errors.js';
import { perSecond } from './figures.js';
import type { Kind } from './operations.js';
import { bestRate } from './rates.js';
import type { BenchResult, VariantResult } from './result.js';
import { type Confidence, median, ratioOf, type Spread } from './statistics.js';
import type { Turn } from './turn.js';

export type Verdict = 'differs' | 'no difference' | 'too few rounds';

export interface Compared {
  /** What was measured, and of what. */
  readonly variant: string;
  readonly title: string;
  readonly isRate: boolean;
  /** The second over the first, at CALLED. */
  readonly ratio: Spread;
  readonly verdict: Verdict;
}

export interface Comparison {
  readonly rows: readonly Compared[];
  /** Measured in one of the two only. */
  readonly alone: readonly string[];
  /** The plain products, which have nothing to do with the models: where these differ, the machine did. */
  readonly roof: readonly Compared[];
}

/** A difference is called at this confidence: a comparison has a dozen rows, of which one in twenty would else differ by chance. */
export const CALLED: Confidence = 0.99;

interface Measure {
  readonly title: string;
  readonly of: (turn: Turn) => number | undefined;
  readonly isRate?: true;
}

const MEASURES: readonly Measure[] = [
  { title: 'latency of one text', of: ({ one }) => median(one.milliseconds) },
  { title: 'latency of a batch', of: ({ batch }) => median(batch.milliseconds) },
  { title: 'embeddings/s', of: ({ many }) => perSecond(many, 'texts'), isRate: true },
  { title: 'embeddings/s on the corpus', of: ({ corpus }) => corpus && perSecond(corpus.whole, 'texts'), isRate: true },
  { title: 'peak memory', of: ({ peak_bytes }) => peak_bytes },
  { title: 'start', of: ({ start_ms }) => start_ms },
];

/**
 * Rounds of the two are taken for independent samples.
 * @throws EmbedkitError `usage` where the two were measured on different machines or measured different things
 */
export function compareResults(a: BenchResult, b: BenchResult): Comparison {
  checkSameMachine(a, b);
  checkSameWork(a, b);
  const inB = new Map(b.variants.map((variant) => [variant.name, variant]));
  const shared = a.variants.filter(({ name }) => inB.has(name));
  if (shared.length === 0) {
    throw new EmbedkitError('usage', `nothing was measured in both (${namesOf(a)}; ${namesOf(b)})`, {
      hint: 'measure the same --variants twice',
    });
  }
  const known = new Set(shared.map(({ name }) => name));
  return {
    rows: shared.flatMap((variant) => compareVariant(variant, inB.get(variant.name) as VariantResult)),
    alone: [...new Set([...a.variants, ...b.variants].map(({ name }) => name))].filter((name) => !known.has(name)),
    roof: (['int8', 'fp32'] as const).map((kind) => compareRoof(kind, a, b)),
  };
}

function compareVariant(a: VariantResult, b: VariantResult): Compared[] {
  return MEASURES.flatMap(({ title, of, isRate = false }) => {
    const [first, second] = [a, b].map(({ turns }) => turns.map(of).filter((value) => value !== undefined)) as [number[], number[]];
    return first.length === 0 || second.length === 0 ? [] : [compared(a.label, title, isRate, first, second)];
  });
}

function compareRoof(kind: Kind, a: BenchResult, b: BenchResult): Compared {
  const rates = ({ roof }: BenchResult): number[] => roof.map((turn) => bestRate(turn, kind));
  return compared('roof', `${kind} products`, true, rates(a), rates(b));
}

function compared(variant: string, title: string, isRate: boolean, first: readonly number[], second: readonly number[]): Compared {
  const ratio = ratioOf(second, first, CALLED);
  const holds1 = ratio.low <= 1 && ratio.high >= 1;
  const verdict = ratio.confidence < CALLED ? 'too few rounds' : holds1 ? 'no difference' : 'differs';
  return { variant, title, isRate, ratio, verdict };
}

function checkSameMachine(a: BenchResult, b: BenchResult): void {
  const described = ({ machine }: BenchResult): string => `${machine.cpu}, ${machine.usable_cpus} of ${machine.cpus} CPUs`;
  const whole = (result: BenchResult): string => `${described(result)}, ${result.machine.flags.join(' ')}`;
  if (whole(a) === whole(b)) return;
  const found = described(a) === described(b) ? `${described(a)}, but with other instruction sets` : `${described(a)}; ${described(b)}`;
  throw new EmbedkitError('usage', `the two were measured on different machines (${found})`, { hint: 'measure both on one machine' });
}

function checkSameWork(a: BenchResult, b: BenchResult): void {
  for (const option of ['threads', 'batch', 'tokens'] as const) {
    const [one, other] = [a.options[option], b.options[option]];
    if (one === other) continue;
    throw new EmbedkitError('usage', `the two were measured with --${option} ${one} and ${other}`, { hint: 'measure both alike' });
  }
  if (a.corpus !== null && b.corpus !== null && a.corpus.path !== b.corpus.path) {
    throw new EmbedkitError('usage', `the two were measured on ${a.corpus.path} and ${b.corpus.path}`, {
      hint: 'measure both on one corpus',
    });
  }
}

function namesOf({ variants }: BenchResult): string {
  return variants.map(({ name }) => name).join(', ');
}
