// How fast the quantized model is beside full precision, on this machine, now: alternating rounds of one engine each.
import type { Engine, EngineInput } from '../engine/contract.js';
import { openOrt } from '../engine/ort.js';
import type { SpeedReport } from './report.js';

/** Fewer where the model takes no texts of so many. */
const TOKENS_PER_TEXT = 50;
const ROWS = 20;
const ROUNDS = 5;
const LEAST_ROUND_MS = 300;

export interface Measured {
  readonly path: string;
  readonly output: string;
}

/** @param ids a text's token ids, repeated and cut to the measured length */
export async function measureSpeed(full: Measured, int8: Measured, ids: Int32Array, maxTokens: number): Promise<SpeedReport> {
  const tokensPerText = Math.min(TOKENS_PER_TEXT, maxTokens);
  const input = inputOf(ids, tokensPerText);
  const engines = await Promise.all([full, int8].map(({ path, output }) => openOrt(path, { threads: 1, output })));
  const rounds: number[][] = [[], []];
  try {
    for (const engine of engines) await engine.run(input);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [at, engine] of engines.entries()) rounds[at]?.push(await tokensPerSecond(engine, input));
    }
  } finally {
    for (const engine of engines) await engine.close();
  }
  const [fulls, int8s] = rounds as [number[], number[]];
  const ratios = int8s.map((speed, round) => speed / (fulls[round] as number)).sort((a, b) => a - b);
  return { tokensPerText, rows: ROWS, threads: 1, full: fulls, int8: int8s, ratio: ratios[ROUNDS >> 1] as number };
}

function inputOf(ids: Int32Array, width: number): EngineInput {
  const repeated = Int32Array.from({ length: ROWS * width }, (_, at) => ids[at % ids.length] as number);
  return { ids: repeated, rows: ROWS, width };
}

async function tokensPerSecond(engine: Engine, input: EngineInput): Promise<number> {
  const started = performance.now();
  let runs = 0;
  while (performance.now() - started < LEAST_ROUND_MS) {
    await engine.run(input);
    runs++;
  }
  return (runs * input.ids.length * 1000) / (performance.now() - started);
}
