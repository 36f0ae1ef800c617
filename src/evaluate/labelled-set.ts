// A path becomes a labelled set: a folder is a retrieval set, a file an STS set. Scores nothing.
import { stat } from 'node:fs/promises';
import { EmbedkitError } from '../errors.js';
import { type RetrievalSet, readRetrievalSet } from './retrieval-set.js';
import { readStsSet, type StsSet } from './sts-set.js';

export type { RetrievalSet, StsSet };
export type LabelledSet = StsSet | RetrievalSet;

/**
 * Reads the labelled set at a path: a TSV file of scored pairs, or a folder in BEIR's layout.
 * @throws EmbedkitError `input-not-found`, `input-unreadable`, `bad-row`, `text-too-long`
 */
export async function readLabelledSet(path: string): Promise<LabelledSet> {
  const info = await stat(path).catch(() => undefined);
  if (info?.isDirectory()) return readRetrievalSet(path);
  if (info?.isFile()) return readStsSet(path);
  const found = info === undefined ? `no labelled set "${path}"` : `"${path}" is neither a file nor a folder`;
  const hint = 'name a file of lines score, tab, text, tab, text, or a folder with corpus.jsonl, queries.jsonl and qrels/';
  throw new EmbedkitError('input-not-found', found, { hint });
}
