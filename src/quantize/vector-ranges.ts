// `ranges`: calibration texts are embedded, and the ranges of their vectors go into the model's manifest, for `embed --dtype int8`.
import { startModel } from '../embedder/open.js';
import { untilAborted } from '../job/abort.js';
import { amendManifest } from '../model/amend.js';
import { openFolder } from '../model/folder.js';
import type { VectorRanges } from '../model/manifest.js';
import { rangesOf } from '../vectors/int8.js';
import { type CalibrationOptions, readCalibration } from './calibration.js';

/** Most texts that are embedded, spread evenly over corpus and lengths: about a minute's work on two CPUs. */
const MOST_TEXTS = 2000;

export interface RangesOptions {
  /** Folder or shipped name. */
  readonly model?: string | undefined;
  readonly calibration: Omit<CalibrationOptions, 'samples' | 'heldOutShare'>;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface RangesResult {
  readonly folder: string;
  /** One for each length that the model's vectors may have. */
  readonly ranges: readonly VectorRanges[];
}

/** Throws what reading, the model and embedding throw; `output-unwritable` where the manifest cannot be changed. */
export async function recordRanges(options: RangesOptions): Promise<RangesResult> {
  const folder = await openFolder(options.model);
  const { manifest } = folder;
  const model = startModel(folder, { threads: options.threads });
  try {
    await untilAborted(model.pool.ready(), options.signal);
    const asked = { ...options.calibration, samples: MOST_TEXTS, heldOutShare: 0 };
    const { observed, digest } = await readCalibration(asked, model.tokenizer, model.maxTokens);
    const texts = observed.map(({ text }) => text);
    const ranges: VectorRanges[] = [];
    for (const dims of new Set([manifest.dim, ...manifest.dimensions])) {
      const vectors = await untilAborted(model.embed(texts, { dims }), options.signal);
      ranges.push({ texts: texts.length, calibration_digest: digest, ...rangesOf(vectors) });
    }
    const failure = { what: 'the ranges', hint: 'check permissions, or copy the model folder to a place of your own' };
    await amendManifest<{ vector_ranges?: VectorRanges[] }>(folder.path, failure, (whole) => {
      whole.vector_ranges = ranges;
    });
    return { folder: folder.path, ranges };
  } finally {
    await model.close();
  }
}
