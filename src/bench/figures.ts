// Turns become figures with their uncertainty. Pure.
import type { BaselineTurn } from './baseline.js';
import { type OperationsByLength, operationsAt } from './operations.js';
import type { RoofTurn, Timed } from './protocol.js';
import { bestRate } from './rates.js';
import { median, percentile, type Spread, summarise } from './statistics.js';
import type { Turn } from './turn.js';

export type FigureName =
  | `${'one' | 'batch' | 'served'}_${'p50' | 'p95' | 'p99'}_ms`
  | 'batch_texts_per_second'
  | 'texts_per_second'
  | 'tokens_per_second'
  | `corpus_${'whole' | 'slices' | 'padded'}_texts_per_second`
  | 'corpus_tokens_per_second'
  | 'peak_bytes'
  | 'start_ms'
  | 'price_per_million_tokens'
  | 'roof_share';

/** Absent where it was not measured, or on too few samples to be told. */
export type Figures = Readonly<Partial<Record<FigureName, Spread>>>;

/** Texts or tokens a second over all calls of one turn. */
export function perSecond(timed: Timed, what: 'texts' | 'tokens'): number {
  const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
  return (1000 * total(timed[what])) / total(timed.milliseconds);
}

export interface FigureInputs {
  readonly turns: readonly Turn[];
  readonly operations: OperationsByLength;
  /** Turn i of the same round as turns[i]. */
  readonly roof: readonly RoofTurn[];
  readonly pricePerHour: number | undefined;
}

export function figuresOf({ turns, operations, roof, pricePerHour }: FigureInputs): Figures {
  if (turns.length === 0) return {};
  const over = (figure: (turn: Turn) => number): Spread => summarise(turns.map(figure));
  const tokens = over(({ many }) => perSecond(many, 'tokens'));
  return {
    ...callFigures(turns),
    texts_per_second: over(({ many }) => perSecond(many, 'texts')),
    tokens_per_second: tokens,
    ...servedFigures(turns),
    ...corpusFigures(turns),
    peak_bytes: over(({ peak_bytes }) => peak_bytes),
    start_ms: over(({ start_ms }) => start_ms),
    ...(pricePerHour === undefined ? {} : { price_per_million_tokens: pricePerMillion(tokens, pricePerHour) }),
    roof_share: summarise(turns.map((turn, at) => roofShare(turn, operations, roof[at] as RoofTurn))),
  };
}

export function baselineFigures(turns: readonly BaselineTurn[]): Figures {
  if (turns.length === 0) return {};
  const counted = turns.every(({ batch }) => batch.tokens.every((tokens) => tokens > 0));
  return {
    ...callFigures(turns),
    ...(counted ? { tokens_per_second: summarise(turns.map(({ batch }) => perSecond(batch, 'tokens'))) } : {}),
  };
}

/** Of calls of one text and of one batch, which models and the API share. */
function callFigures(turns: readonly Pick<Turn, 'one' | 'batch'>[]): Figures {
  const rounds = (what: 'one' | 'batch'): (readonly number[])[] => turns.map((turn) => turn[what].milliseconds);
  return {
    ...latencies('one', rounds('one')),
    ...latencies('batch', rounds('batch')),
    batch_texts_per_second: summarise(turns.map(({ batch }) => perSecond(batch, 'texts'))),
  };
}

function servedFigures(turns: readonly Turn[]): Figures {
  const rounds = turns.flatMap(({ served }) => (served === undefined ? [] : [served.milliseconds]));
  return rounds.length === 0 ? {} : latencies('served', rounds);
}

/** The median of the rounds' medians; the rarer percentiles from all calls together. */
function latencies(what: 'one' | 'batch' | 'served', rounds: readonly (readonly number[])[]): Figures {
  const all = rounds.flat();
  const [p95, p99] = [percentile(all, 0.95), percentile(all, 0.99)];
  return {
    [`${what}_p50_ms`]: summarise(rounds.map(median)),
    ...(p95 && { [`${what}_p95_ms`]: p95 }),
    ...(p99 && { [`${what}_p99_ms`]: p99 }),
  };
}

function corpusFigures(turns: readonly Turn[]): Figures {
  const corpora = turns.map(({ corpus }) => corpus).filter((corpus) => corpus !== undefined);
  if (corpora.length === 0) return {};
  return {
    corpus_whole_texts_per_second: summarise(corpora.map(({ whole }) => perSecond(whole, 'texts'))),
    corpus_slices_texts_per_second: summarise(corpora.map(({ slices }) => perSecond(slices, 'texts'))),
    corpus_padded_texts_per_second: summarise(corpora.map(({ padded }) => perSecond(padded, 'texts'))),
    corpus_tokens_per_second: summarise(corpora.map(({ whole }) => perSecond(whole, 'tokens'))),
  };
}

const SECONDS_AN_HOUR = 3600;

/** What a million tokens cost at that speed; where speed is low, the price is high. */
function pricePerMillion({ value, low, high, ...rest }: Spread, pricePerHour: number): Spread {
  const price = (speed: number): number => (pricePerHour * 1e6) / (SECONDS_AN_HOUR * speed);
  return { ...rest, value: price(value), low: price(high), high: price(low) };
}

/**
 * The time that the products by weights would take at the roof of the same round, as a share of the time that everything took. Attention's products,
 * which are of another kind, and all else count as time but not as work.
 */
export function roofShare(turn: Turn, operations: OperationsByLength, roof: RoofTurn): number {
  const textsPerSecond = perSecond(turn.many, 'texts');
  const { int8, fp32 } = operationsAt(operations, perSecond(turn.many, 'tokens') / textsPerSecond);
  return textsPerSecond * (timeOf(int8, bestRate(roof, 'int8')) + timeOf(fp32, bestRate(roof, 'fp32')));
}

const timeOf = (operations: number, rate: number): number => (operations === 0 ? 0 : operations / rate);
