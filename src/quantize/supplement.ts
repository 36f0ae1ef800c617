// A small calibration is filled up with texts of another file, so that ranges cover what the corpus at hand does not happen to hold.
import { createHash } from 'node:crypto';
import type { TextTokenizer } from '../tokens/tokenizer.js';
import { type Calibration, type CalibrationText, readCalibration } from './calibration.js';

export interface SupplementOptions {
  readonly path: string;
  /** Texts that are to be observed in all. */
  readonly texts: number;
  /** Texts that the gate judges on: none of them is taken. */
  readonly apart: readonly CalibrationText[];
}

/** `calibration` with texts of the other file added to those observed, as many as are missing; itself where none are. */
export async function supplemented(
  calibration: Calibration,
  { path, texts, apart }: SupplementOptions,
  tokenizer: TextTokenizer,
  maxTokens: number,
): Promise<Calibration> {
  const missing = texts - calibration.observed.length;
  if (missing <= 0) return calibration;
  const other = await readCalibration({ paths: [path], samples: missing + apart.length, heldOutShare: 0 }, tokenizer, maxTokens);
  const taken = new Set([...apart, ...calibration.observed, ...calibration.heldOut].map(({ text }) => text));
  const added = other.observed.filter(({ text }) => !taken.has(text)).slice(0, missing);
  const hash = createHash('sha256').update(calibration.digest);
  for (const { text } of added) hash.update(`${JSON.stringify(text)}\n`);
  return {
    ...calibration,
    observed: [...calibration.observed, ...added],
    files: [...calibration.files, ...other.files],
    supplemented: added.length,
    digest: hash.digest('hex'),
  };
}
