// Relevance judgements: a qrels table of BEIR (query-id, corpus-id, score). Knows ids, not texts.
import { EmbedkitError } from '../errors.js';
import { badRow } from '../records/select.js';
import { linesOf, type TextLine } from './labelled-lines.js';
import { integerOf } from './labels.js';

export interface Judgement {
  /** Row of the query among all queries read. */
  readonly query: number;
  /** Row of the document. */
  readonly document: number;
  /** Above 0: relevant, the more the higher. */
  readonly relevance: number;
}

type RowsById = ReadonlyMap<string, number>;

const FORM = 'write lines of query-id, tab, corpus-id, tab, score (a whole number)';

/**
 * Reads the judgements; a first line whose score is no number is the header.
 * @throws EmbedkitError `bad-row` naming the line that has an unknown id, no whole score, or another score for a pair
 *   judged before; `bad-row` where nothing is relevant; `input-not-found`
 */
export async function readJudgements(path: string, queries: RowsById, documents: RowsById): Promise<Judgement[]> {
  const judgements: Judgement[] = [];
  const known = new Map<string, number>();
  for await (const line of linesOf(path, FORM)) {
    const judgement = judgementOf(line, queries, documents);
    if (judgement === undefined) continue;
    const pair = `${judgement.query} ${judgement.document}`;
    const before = known.get(pair);
    if (before !== undefined && before !== judgement.relevance) {
      throw badRow(
        line.place,
        `another score (${judgement.relevance}, before ${before}) for a pair judged before`,
        'remove one of the two lines',
      );
    }
    if (before === undefined) judgements.push(judgement);
    known.set(pair, judgement.relevance);
  }
  if (judgements.some((judgement) => judgement.relevance > 0)) return judgements;
  const found = judgements.length === 0 ? 'holds no judgement' : 'no judgement is above 0, so nothing is relevant';
  throw new EmbedkitError('bad-row', `${path}: ${found}`, { hint: FORM });
}

/** The judgement of a line; undefined for the header. */
function judgementOf({ text, place }: TextLine, queries: RowsById, documents: RowsById): Judgement | undefined {
  const fields = text.split('\t');
  if (fields.length !== 3) throw badRow(place, `${fields.length} field${fields.length === 1 ? '' : 's'}, not three`, FORM);
  const [queryId, documentId, score] = fields as [string, string, string];
  const relevance = integerOf(score);
  if (relevance === undefined) {
    if (place.number === 1) return undefined;
    throw badRow(place, 'the score is not a whole number', FORM);
  }
  const query = queries.get(queryId);
  const document = documents.get(documentId);
  if (query === undefined) throw badRow(place, `no query "${queryId}" in queries.jsonl`, 'correct or remove the line');
  if (document === undefined) throw badRow(place, `no document "${documentId}" in corpus.jsonl`, 'correct or remove the line');
  return { query, document, relevance };
}
