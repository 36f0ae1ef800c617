// Runs a model on a few texts, to learn the shape of what it gives and to hold two files of one model against each other.
import type { EngineInput } from '../engine/contract.js';
import { openOrt } from '../engine/ort.js';
import type { TextTokenizer } from '../tokens/tokenizer.js';

export interface Probe {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

export const PROBE_TEXTS: readonly string[] = [
  'A short one.',
  'The ferry leaves the northern pier at a quarter past six, and the last bus meets it on the other side.',
  'How long may bread dough rest in a cold kitchen before it is baked, and what does the wait do to its taste?',
];

/** Batches to probe with: single texts of different lengths, and several rows of one length. */
export function probeInputs(tokenizer: TextTokenizer, maxTokens: number): EngineInput[] {
  const encoded = PROBE_TEXTS.map((text) => Int32Array.from(tokenizer.encode(text, maxTokens).ids));
  const singles = encoded.map((ids) => ({ ids, rows: 1, width: ids.length }));
  const first = encoded[0] as Int32Array;
  const ids = new Int32Array(first.length * 3);
  for (let row = 0; row < 3; row++) ids.set(first, row * first.length);
  return [...singles, { ids, rows: 3, width: first.length }];
}

/** One input of exactly the given shape. */
export function probeOfShape(tokenizer: TextTokenizer, rows: number, width: number): EngineInput {
  const text = PROBE_TEXTS.join(' ').repeat(Math.ceil(width / 40));
  const ids = new Int32Array(rows * width);
  const row = Int32Array.from(tokenizer.encode(text, width).ids);
  for (let index = 0; index < rows; index++) ids.set(row, index * width);
  return { ids, rows, width };
}

/** What a model gives for each input, with nothing else loaded. Throws `model-invalid`, or the runtime's own error. */
export async function runModel(path: string, output: string, inputs: readonly EngineInput[]): Promise<Probe[]> {
  const engine = await openOrt(path, { threads: 1, output, weights: 'as-stored' });
  try {
    const probes: Probe[] = [];
    for (const input of inputs) {
      const { hidden, dims } = await engine.run(input);
      probes.push({ dims: [...dims], values: hidden.slice() });
    }
    return probes;
  } finally {
    await engine.close();
  }
}

/** Largest absolute difference between two runs; infinite where the shapes differ. */
export function largestDifference(a: readonly Probe[], b: readonly Probe[]): number {
  let largest = 0;
  a.forEach((probe, index) => {
    const other = b[index];
    if (other === undefined || other.values.length !== probe.values.length) largest = Number.POSITIVE_INFINITY;
    else
      probe.values.forEach((value, at) => {
        largest = Math.max(largest, Math.abs(value - (other.values[at] as number)));
      });
  });
  return largest;
}
