// The vectors of a window's texts: in batches, and one by one for texts that were in the engine when a run ended without a word.
import { unsort } from '../batches/pack.js';
import { type BatchRun, embedBatches } from '../embedder/embed.js';
import { EmbedkitError } from '../errors.js';
import { selectTexts } from '../tokens/tokenize.js';
import { roundToF16 } from '../vectors/f16.js';
import type { Matrix } from '../vectors/matrix.js';
import { brokenRows } from '../vectors/normalise.js';
import type { Run } from './open-run.js';
import type { ComputedTexts } from './store.js';
import type { Window } from './windows.js';

export async function computeTexts(run: Run, window: Window): Promise<ComputedTexts> {
  const { crashes, plan } = run;
  const texts = [...window.hashes.keys()];
  const blamed = texts.filter((text) => crashes.isBlamed(window.hashes[text] as string));
  const alone = texts.filter((text) => crashes.isSuspect(window.hashes[text] as string));
  const computed: ComputedTexts = {
    vectors: { rows: texts.length, dim: plan.dims, data: new Float32Array(texts.length * plan.dims) },
    done: new Uint8Array(texts.length),
    failed: new Map(blamed.map((text) => [text, engineEnded()])),
  };
  run.unfinished.set(window, computed);
  for (const text of alone) await computeSome(run, window, [text], computed);
  const apart = new Set([...blamed, ...alone]);
  await computeSome(run, window, apart.size === 0 ? texts : texts.filter((text) => !apart.has(text)), computed);
  return computed;
}

async function computeSome(run: Run, window: Window, texts: readonly number[], computed: ComputedTexts): Promise<void> {
  const { model, crashes, plan } = run;
  const textsOf = (rows: Int32Array): Int32Array => rows.map((row) => texts[row] as number);
  const hashesOf = (rows: Int32Array): string[] => Array.from(textsOf(rows), (text) => window.hashes[text] as string);
  const options: BatchRun = {
    pool: model.pool,
    batches: model.batches,
    dims: plan.dims,
    normalize: plan.folder.manifest.normalize,
    onTokens: (tokens, count) => run.tally.computed(tokens, count),
    flight: { sent: (rows) => crashes.sent(hashesOf(rows)), landed: (rows) => crashes.landed(hashesOf(rows)) },
    onFailedRow: (row, error) => void computed.failed.set(texts[row] as number, error),
  };
  const tokens = texts.length === window.hashes.length ? window.tokens : selectTexts(window.tokens, texts);
  await embedBatches(tokens, options, (rows, vectors) => {
    const at = textsOf(rows);
    if (plan.dtype === 'float16') narrow(vectors, at, computed.failed);
    unsort(vectors.data, at, plan.dims, computed.vectors.data);
    for (const text of at) computed.done[text] = 1;
  });
}

/** Rounds vectors to binary16; one that does not fit is a failed text. */
function narrow(vectors: Matrix, texts: Int32Array, failed: Map<number, EmbedkitError>): void {
  roundToF16(vectors.data);
  for (const row of brokenRows(vectors, { unit: false })) {
    const text = texts[row] as number;
    if (failed.has(text)) continue;
    failed.set(text, new EmbedkitError('vector-invalid', 'the vector does not fit into float16', { hint: 'use --dtype float32' }));
  }
}

function engineEnded(): EmbedkitError {
  const found = 'the engine ended the whole process with this text in it, twice';
  return new EmbedkitError('engine-failed', found, { hint: 'shorten or remove it, and report it with the text' });
}
