// Pairs of texts with a similarity that people gave them: an STS set from a TSV file. Scores nothing.
import { basename, dirname, resolve } from 'node:path';
import { EmbedkitError } from '../errors.js';
import { badRow, checkText } from '../records/select.js';
import { linesOf, type TextLine } from './labelled-lines.js';
import { numberOf } from './labels.js';

/** n pairs: texts a[i] and b[i] have the similarity scores[i], in any unit that grows with likeness. */
export interface StsSet {
  readonly kind: 'sts';
  /** Folder and file without extension, as in "stsb/dev". */
  readonly name: string;
  readonly a: readonly string[];
  readonly b: readonly string[];
  readonly scores: Float64Array;
}

const FORM = 'write lines of score, tab, text, tab, text';

interface Pair {
  readonly score: number;
  readonly a: string;
  readonly b: string;
}

/**
 * Reads `score<TAB>a<TAB>b` lines. A first line whose score is no number is a header; blank lines are none; b may hold tabs.
 * @throws EmbedkitError `bad-row` naming file and line, or for a set that cannot rank anything; `input-not-found`
 */
export async function readStsSet(path: string): Promise<StsSet> {
  const pairs: Pair[] = [];
  for await (const line of linesOf(path, FORM)) {
    const pair = pairOf(line);
    if (pair !== undefined) pairs.push(pair);
  }
  const scores = Float64Array.from(pairs, (pair) => pair.score);
  checkScores(path, scores);
  return { kind: 'sts', name: nameOf(path), a: pairs.map((pair) => pair.a), b: pairs.map((pair) => pair.b), scores };
}

/** The pair of a line; undefined for the header. */
function pairOf({ text, place }: TextLine): Pair | undefined {
  const first = text.indexOf('\t');
  const second = text.indexOf('\t', first + 1);
  if (first === -1 || second === -1) throw badRow(place, 'fewer than three fields', FORM);
  const score = numberOf(text.slice(0, first));
  if (score === undefined) {
    if (place.number === 1) return undefined;
    throw badRow(place, 'the score is not a number', FORM);
  }
  return {
    score,
    a: checkText(text.slice(first + 1, second), 'the first text', place),
    b: checkText(text.slice(second + 1), 'the second text', place),
  };
}

function checkScores(path: string, scores: Float64Array): void {
  if (scores.length === 0) throw new EmbedkitError('bad-row', `${path}: holds no pair`, { hint: FORM });
  if (scores.some((score) => score !== scores[0])) return;
  const found = `${path}: all scores are ${scores[0]}, so there is no order to compare with`;
  throw new EmbedkitError('bad-row', found, { hint: 'name a set with at least two different scores' });
}

function nameOf(path: string): string {
  const full = resolve(path);
  const file = basename(full).replace(/(\.(tsv|txt))?(\.(gz|zst))?$/i, '');
  return [basename(dirname(full)), file].filter(Boolean).join('/');
}
