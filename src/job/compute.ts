// The vectors of a window's texts: in batches, and one by one for texts that were in the engine when a run ended without a word.
import { embedTokens, type VectorOptions } from '../embedder/embed.js';
import { EmbedkitError } from '../errors.js';
import { selectTexts } from '../tokens/tokenize.js';
import type { Matrix } from '../vectors/matrix.js';
import type { Run } from './open-run.js';
import type { Window } from './windows.js';

export interface ComputedTexts {
  /** A row a text; that of a failed text means nothing. */
  readonly vectors: Matrix;
  readonly failed: Map<number, EmbedkitError>;
}

export async function computeTexts(run: Run, window: Window): Promise<ComputedTexts> {
  const { crashes, plan } = run;
  const texts = [...window.hashes.keys()];
  const blamed = texts.filter((text) => crashes.isBlamed(window.hashes[text] as string));
  const alone = texts.filter((text) => crashes.isSuspect(window.hashes[text] as string));
  const computed: ComputedTexts = {
    vectors: { rows: texts.length, dim: plan.dims, data: new Float32Array(texts.length * plan.dims) },
    failed: new Map(blamed.map((text) => [text, engineEnded()])),
  };
  for (const text of alone) await computeSome(run, window, [text], computed);
  const apart = new Set([...blamed, ...alone]);
  await computeSome(run, window, apart.size === 0 ? texts : texts.filter((text) => !apart.has(text)), computed);
  return computed;
}

async function computeSome(run: Run, window: Window, texts: readonly number[], computed: ComputedTexts): Promise<void> {
  const { model, crashes } = run;
  const hashesOf = (rows: Int32Array): string[] => Array.from(rows, (row) => window.hashes[texts[row] as number] as string);
  const options: VectorOptions = {
    dims: run.plan.dims,
    normalize: run.plan.folder.manifest.normalize,
    onTokens: (tokens, count) => run.tally.computed(tokens, count),
    flight: { sent: (rows) => crashes.sent(hashesOf(rows)), landed: (rows) => crashes.landed(hashesOf(rows)) },
    onFailedRow: (row, error) => void computed.failed.set(texts[row] as number, error),
  };
  const all = texts.length === window.hashes.length;
  const vectors = await embedTokens(all ? window.tokens : selectTexts(window.tokens, texts), model.pool, model.batches, options);
  texts.forEach((text, row) => {
    const { dim, data } = vectors;
    computed.vectors.data.set(data.subarray(row * dim, (row + 1) * dim), text * dim);
  });
}

function engineEnded(): EmbedkitError {
  const found = 'the engine ended the whole process with this text in it, twice';
  return new EmbedkitError('engine-failed', found, { hint: 'shorten or remove it, and report it with the text' });
}
