// Scores go into the manifest of the model that got them.
import { amendManifest } from '../model/amend.js';
import { readManifest } from '../model/folder.js';
import type { Evaluation } from '../model/manifest.js';
import { DEFAULT_MODEL } from '../model/names.js';
import type { EvaluationReport } from './report.js';

/** Writes the scores beside those of other sets; of the same set and metric the new one stands. Throws `output-unwritable`. */
export async function recordScores(
  model: string | undefined,
  { scores, model: { precision, fingerprint } }: EvaluationReport,
): Promise<void> {
  const { path } = await readManifest(model ?? DEFAULT_MODEL);
  const made = scores.map(({ set, metric, value, count }) => ({ set, metric, value, count, fingerprint }));
  const isNew = new Set(made.map(({ set, metric }) => `${metric} ${set}`));
  const failure = { what: 'the scores', hint: 'check permissions, or leave --record out' };
  await amendManifest<{ evaluation?: Evaluation; int8?: { evaluation?: Evaluation } }>(path, failure, (manifest) => {
    const holder = precision === 'int8' && manifest.int8 !== undefined ? manifest.int8 : manifest;
    const kept = (holder.evaluation ?? []).filter(({ set, metric }) => !isNew.has(`${metric} ${set}`));
    holder.evaluation = [...kept, ...made].sort((a, b) => (`${a.set} ${a.metric}` < `${b.set} ${b.metric}` ? -1 : 1));
  });
}
