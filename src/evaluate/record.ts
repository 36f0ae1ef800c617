// Scores go into the manifest of the model that got them.
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { wrapError } from '../errors.js';
import { readManifest } from '../model/folder.js';
import type { Evaluation } from '../model/manifest.js';
import { DEFAULT_MODEL, MANIFEST_NAME } from '../model/names.js';
import type { EvaluationReport } from './report.js';

/** Writes the scores beside those of other sets; of the same set and metric the new one stands. Throws `output-unwritable`. */
export async function recordScores(
  model: string | undefined,
  { scores, model: { precision, fingerprint } }: EvaluationReport,
): Promise<void> {
  const { path } = await readManifest(model ?? DEFAULT_MODEL);
  const place = join(path, MANIFEST_NAME);
  // As it stands in the file: what this version does not know of stays.
  const manifest = JSON.parse(await readFile(place, 'utf8')) as { evaluation?: Evaluation; int8?: { evaluation?: Evaluation } };
  const made = scores.map(({ set, metric, value, count }) => ({ set, metric, value, count, fingerprint }));
  const holder = precision === 'int8' && manifest.int8 !== undefined ? manifest.int8 : manifest;
  const isNew = new Set(made.map(({ set, metric }) => `${metric} ${set}`));
  const kept = (holder.evaluation ?? []).filter(({ set, metric }) => !isNew.has(`${metric} ${set}`));
  holder.evaluation = [...kept, ...made].sort((a, b) => (`${a.set} ${a.metric}` < `${b.set} ${b.metric}` ? -1 : 1));
  try {
    await writeFile(`${place}.tmp`, `${JSON.stringify(manifest, null, 2)}\n`);
    await rename(`${place}.tmp`, place);
  } catch (error) {
    throw wrapError(error, 'output-unwritable', `${place}: the scores cannot be written`, 'check permissions, or leave --record out');
  }
}
