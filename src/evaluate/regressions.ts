// Where one model does worse than another, one query, pair or text at a time: the worst of each set. Pure.
import { textCosines } from './compare.js';
import { rising } from './distribution.js';
import {
  type ClassificationMeasured,
  HITS,
  type Measured,
  type RetrievalMeasured,
  type StsMeasured,
  type TextsMeasured,
} from './measured.js';
import type { Regression } from './report.js';
import { averageRanks } from './spearman.js';
import { NO_ROW } from './top-rows.js';

/** Of each set. */
const WORST = 10;
const QUOTED_CHARACTERS = 160;

type Fall = Omit<Regression, 'set' | 'task'>;

/** The worst first; only what is worse than with the other model. Throws RangeError for measurements of different sets. */
export function regressionsOf(a: Measured, b: Measured): Regression[] {
  if (a.set.name !== b.set.name) throw new RangeError(`measured on ${a.set.name} and on ${b.set.name}`);
  const quoted = (text: string): string => text.slice(0, QUOTED_CHARACTERS).toWellFormed();
  return fallsOf(a, b).map((fall) => ({ set: a.set.name, task: a.kind, ...fall, text: quoted(fall.text) }));
}

function fallsOf(a: Measured, b: Measured): Fall[] {
  if (a.kind === 'retrieval' && b.kind === 'retrieval') return queryFalls(a, b);
  if (a.kind === 'sts' && b.kind === 'sts') return pairFalls(a, b);
  if (a.kind === 'classification' && b.kind === 'classification') return lostTexts(a, b);
  return a.kind === 'texts' && b.kind === 'texts' ? textFalls(a, b) : [];
}

/** Numbers of the greatest values above 0, greatest first; of equal ones the lower number. */
function worstOf(falls: Float64Array): number[] {
  const numbers = [...falls.keys()].filter((number) => (falls[number] as number) > 0);
  return numbers.sort((x, y) => (falls[y] as number) - (falls[x] as number) || x - y).slice(0, WORST);
}

function queryFalls(a: RetrievalMeasured, b: RetrievalMeasured): Fall[] {
  const { queries, documents, judgements } = a.set;
  const placeOf = ({ ranking }: RetrievalMeasured, query: number): string => {
    const found = ranking.subarray(query * HITS, (query + 1) * HITS);
    const place = found.findIndex((row) => row !== NO_ROW && (judgements[query]?.get(row) ?? 0) > 0);
    return place === -1 ? `beyond ${HITS}` : String(place + 1);
  };
  return worstOf(b.ndcg.map((value, query) => value - (a.ndcg[query] as number))).map((query) => {
    const first = a.ranking[query * HITS] as number;
    const found = first === NO_ROW ? 'nothing' : `document ${documents.ids[first]}`;
    return {
      id: queries.ids[query] as string,
      text: queries.texts[query] as string,
      value: a.ndcg[query] as number,
      against: b.ndcg[query] as number,
      measure: 'nDCG@10',
      detail: `first relevant document at place ${placeOf(a, query)}, before ${placeOf(b, query)}; finds ${found} first`,
    };
  });
}

/** How much further a pair stands from its place by people's scores, in places. */
function pairFalls(a: StsMeasured, b: StsMeasured): Fall[] {
  const { set } = a;
  const wanted = averageRanks(set.scores);
  const off = (cosines: Float64Array): Float64Array => averageRanks(cosines).map((rank, pair) => Math.abs(rank - (wanted[pair] as number)));
  const [now, before] = [off(a.cosines), off(b.cosines)];
  return worstOf(now.map((places, pair) => places - (before[pair] as number))).map((pair) => ({
    id: String(pair),
    text: `${set.a[pair]?.slice(0, QUOTED_CHARACTERS / 2 - 2)} | ${set.b[pair]}`,
    value: a.cosines[pair] as number,
    against: b.cosines[pair] as number,
    measure: 'cosine',
    detail: `${now[pair]} places of ${wanted.length} off where its score of ${set.scores[pair]} puts it, before ${before[pair]}`,
  }));
}

function lostTexts(a: ClassificationMeasured, b: ClassificationMeasured): Fall[] {
  const { labels, texts, classes } = a.set;
  const isRight = ({ predicted }: ClassificationMeasured, at: number): number => Number(predicted[at] === labels[a.tested[at] as number]);
  const lost = Float64Array.from(a.tested, (_, at) => isRight(b, at) - isRight(a, at));
  return worstOf(lost).map((at) => {
    const row = a.tested[at] as number;
    return {
      id: String(row),
      text: texts[row] as string,
      value: 0,
      against: 1,
      measure: 'right',
      detail: `taken for ${classes[a.predicted[at] as number]}, and is ${classes[labels[row] as number]}`,
    };
  });
}

function textFalls(a: TextsMeasured, b: TextsMeasured): Fall[] {
  const cosines = textCosines(a, b);
  if (cosines === undefined) return [];
  const rows = [...cosines.keys()].sort((x, y) => rising(cosines[x] as number, cosines[y] as number));
  return rows.slice(0, WORST).map((row) => ({
    id: String(row),
    text: a.set.texts[row] as string,
    value: cosines[row] as number,
    against: 1,
    measure: 'cosine of the two vectors',
    detail: '',
  }));
}
