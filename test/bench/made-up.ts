// A benchmark as one might have come out, with the figures made from its turns as the command makes them.
import { figuresOf } from '#src/bench/figures.js';
import type { RoofTurn, Timed } from '#src/bench/protocol.js';
import type { BenchResult, VariantResult } from '#src/bench/result.js';
import type { Turn } from '#src/bench/turn.js';

/** `calls` calls of `texts` texts of 50 tokens. */
export function timed(calls: number, texts: number, milliseconds: (call: number) => number): Timed {
  const all = Array.from({ length: calls }, (_, call) => call);
  return { milliseconds: all.map(milliseconds), texts: all.map(() => texts), tokens: all.map(() => 50 * texts) };
}

/** A turn of a model that takes `ms` a text. */
export function turn(round: number, ms: number, withCorpus = false): Turn {
  const many = timed(3, 320, (call) => ms * 320 * (1 + call / 1000));
  return {
    round,
    start_ms: 900 + round,
    one: timed(120, 1, (call) => ms * (1 + (call % 12) / 10)),
    batch: timed(8, 32, (call) => ms * 32 * (1 + call / 100)),
    many,
    ...(withCorpus ? { corpus: { whole: many, slices: timed(1, 320, () => ms * 400), padded: timed(1, 320, () => ms * 700) } } : {}),
    peak_bytes: (280 + round) * 2 ** 20,
    cpu_seconds: 4,
  };
}

export const OPERATIONS = { int8: [1e6, 4e7, 0], fp32: [0, 0, 0], attention: [0, 1e4, 1.8e4] } as const;

export function roofTurn(round: number, scale = 1): RoofTurn {
  const rate = (kind: 'int8' | 'fp32', base: number) => ({ kind, shape: [1024, 1024, 1024], rate: scale * base * (1 + round / 1000) });
  return { products: [rate('int8', 4e11), rate('int8', 3e11), rate('fp32', 1.5e11)], bandwidth: 1.2e10 };
}

interface Made {
  /** Milliseconds a text, a round each. */
  readonly speeds?: Readonly<Record<string, readonly number[]>>;
  readonly pricePerHour?: number;
  readonly withCorpus?: boolean;
}

const MACHINE = {
  cpu: 'A processor',
  flags: ['avx2', 'fma'],
  cpus: 2,
  usable_cpus: 2,
  memory_bytes: 2 ** 34,
  kernel: 'Linux 6',
  governor: 'performance',
  node: '20.0.0',
  runtime: '1.30.0',
  embedkit: '0.2.0',
};

/** Without a speed given, INT8 takes about 2 ms a text and full precision 4, in seven rounds. */
export function madeUp({ speeds, pricePerHour, withCorpus = false }: Made = {}): BenchResult {
  const rounds = [0, 1, 2, 3, 4, 5, 6];
  const own = speeds ?? { fp32: rounds.map((round) => 4 + round / 500), int8: rounds.map((round) => 2 + round / 500) };
  const roof = (Object.values(own)[0] ?? []).map((_, round) => roofTurn(round));
  const variants = Object.entries(own).map(([name, all]): VariantResult => {
    const turns = all.map((ms, round) => turn(round, ms, withCorpus));
    const classes = {
      MatMulIntegerToFloat: { milliseconds: 30, nodes: 72, int8: 4e10, fp32: 0, attention: 0 },
      Gelu: { milliseconds: 4, nodes: 12, int8: 0, fp32: 0, attention: 0 },
    };
    return {
      name,
      label: name === 'int8' ? 'INT8' : name,
      model: 'made-up',
      sha256: '0'.repeat(64),
      bytes: 34_581_438,
      operations: OPERATIONS,
      profile: { rows: 20, width: 50, classes },
      turns,
      figures: figuresOf({ turns, operations: OPERATIONS, roof, pricePerHour }),
      tokensPerSecond: 25_000,
    };
  });
  const load = { load_average: 0.1, busy_seconds: 100, stolen_seconds: 1 };
  return {
    kind: 'embedkit-bench',
    format: 1,
    options: { threads: 2, batch: 32, tokens: 50, seconds: 120, turn_seconds: 1, within: 0.02, price_per_hour: pricePerHour ?? null },
    machine: MACHINE,
    before: { ...load, date: '2026-01-01T00:00:00.000Z' },
    after: { ...load, date: '2026-01-01T00:01:30.000Z' },
    own_seconds: 0,
    noise: [],
    ended: 'narrow',
    corpus: withCorpus
      ? { path: 'corpus.txt', rows: 1000, texts: 320, tokens: { total: 16000, p10: 8, p50: 40, p90: 120, most: 512 } }
      : null,
    variants,
    absent: [],
    baseline: null,
    roof,
    claim: null,
    curves: [],
  };
}
