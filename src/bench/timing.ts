// Calls on an open model, timed one after the other; runs in the measuring process.
import type { EmbeddingModel } from '../embedder/open.js';
import { promptFor } from '../model/settings.js';
import type { Layout, TimeArguments, Timed } from './protocol.js';

/** Tokenizes, embeds and awaits each call as a user's program would. At least one call is timed, however little time there is. */
export async function timeCalls(model: EmbeddingModel, asked: TimeArguments): Promise<Timed> {
  const run = RUNS[asked.layout];
  const call = (at: number): readonly string[] => asked.calls[at % asked.calls.length] as readonly string[];
  const tokensOf = asked.calls.map((texts) => texts.reduce((sum, text) => sum + idsOf(model, text).length, 0));
  for (let at = 0; at < asked.warm; at++) await run(model, call(at), asked.batch);
  const timed = { milliseconds: [] as number[], texts: [] as number[], tokens: [] as number[] };
  const end = performance.now() + asked.seconds * 1000;
  for (let at = 0; at === 0 || performance.now() < end; at++) {
    const started = performance.now();
    await run(model, call(at), asked.batch);
    timed.milliseconds.push(performance.now() - started);
    timed.texts.push(call(at).length);
    timed.tokens.push(tokensOf[at % tokensOf.length] as number);
  }
  return timed;
}

const RUNS: Readonly<Record<Layout, (model: EmbeddingModel, texts: readonly string[], batch: number) => Promise<unknown>>> = {
  whole: (model, texts) => model.embed(texts),
  slices: (model, texts, batch) => Promise.all(sliced(texts, batch).map((slice) => model.embed(slice))),
  padded: (model, texts, batch) => Promise.all(sliced(texts, batch).map((slice) => runPadded(model, slice))),
};

function sliced(texts: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(texts.length / size) }, (_, at) => texts.slice(at * size, (at + 1) * size));
}

/** One matrix as wide as the longest text. Each row is filled up with its own ids: the engine computes padding like any token, masked or not. */
async function runPadded(model: EmbeddingModel, texts: readonly string[]): Promise<void> {
  const rows = texts.map((text) => idsOf(model, text));
  const width = rows.reduce((most, { length }) => Math.max(most, length), 0);
  const ids = new Int32Array(rows.length * width);
  for (const [row, own] of rows.entries()) {
    for (let at = 0; at < width; at++) ids[row * width + at] = own[at % own.length] as number;
  }
  await model.pool.run({ ids, rows: rows.length, width });
}

function idsOf({ tokenizer, folder, maxTokens }: EmbeddingModel, text: string): ArrayLike<number> {
  return tokenizer.encode(promptFor(folder.manifest, undefined) + text, maxTokens).ids;
}
