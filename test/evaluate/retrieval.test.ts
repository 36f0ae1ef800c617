// Rankings and their measures are those of pytrec_eval; the search does not depend on blocks; a query's own document is no hit.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { EmbedTexts } from '#src/evaluate/distinct.js';
import type { RetrievalSet } from '#src/evaluate/labelled-set.js';
import { measureSet } from '#src/evaluate/measure.js';
import { HITS, type RetrievalMeasured } from '#src/evaluate/measured.js';
import { rankedIds } from '#src/evaluate/ndcg.js';
import { recallOf, reciprocalRankOf } from '#src/evaluate/rank-measures.js';
import { measureRanking, type RankMeasures, rankDocuments } from '#src/evaluate/retrieval.js';
import { documentsOf } from '#src/evaluate/retrieval-set.js';
import { addDocuments, NO_ROW, openTopRows } from '#src/evaluate/top-rows.js';
import { fc } from '../properties.js';

type Relevance = Record<string, Record<string, number>>;
type Answers = {
  readonly ndcg_cut_10: number[];
  readonly recall_10: number[];
  readonly recall_100: number[];
  readonly recip_rank: number[];
};

interface Golden {
  readonly runs: Answers & { readonly run: Record<string, Record<string, number>>; readonly relevance: Relevance };
  readonly retrieval: Answers & {
    readonly ids: string[];
    readonly documents: number[][];
    readonly names: string[];
    readonly queries: number[][];
    readonly relevance: Relevance;
  };
}

/** Made by test/golden/evaluate.py. */
const { runs, retrieval }: Golden = JSON.parse(readFileSync(new URL('../golden/evaluate.json', import.meta.url), 'utf8'));

function expectSame(found: RankMeasures, golden: Answers): void {
  const pairs = [
    [found.ndcg10, golden.ndcg_cut_10],
    [found.recall10, golden.recall_10],
    [found.recall100, golden.recall_100],
    [found.reciprocalRank, golden.recip_rank],
  ] as const;
  for (const [values, expected] of pairs) {
    expect(values).toHaveLength(expected.length);
    expected.forEach((value, query) => void expect(values[query]).toBeCloseTo(value, 9));
  }
}

/** Embeds a text that is the JSON of its vector; a word before it is a prompt, which turns the vector round. */
const parsing: EmbedTexts = async (texts) => {
  const vectors = texts.map((text) => {
    const [, word, json] = /^(\w*: )?(.*)$/.exec(text) as unknown as [string, string | undefined, string];
    const vector = JSON.parse(json) as number[];
    return word === undefined ? vector : vector.toReversed();
  });
  return { rows: texts.length, dim: vectors[0]?.length ?? 0, data: Float32Array.from(vectors.flat()) };
};

const jsonOf = (vectors: readonly number[][]): string[] => vectors.map((vector) => JSON.stringify(vector));

const SET: RetrievalSet = {
  kind: 'retrieval',
  name: 'made-up',
  queries: { ids: retrieval.names, texts: jsonOf(retrieval.queries) },
  documents: documentsOf(retrieval.ids, jsonOf(retrieval.documents)),
  judgements: retrieval.names.map(
    (name) => new Map(Object.entries(retrieval.relevance[name] as object).map(([id, value]) => [retrieval.ids.indexOf(id), value])),
  ),
};

describe('a run file', () => {
  it('gives the measures of pytrec_eval, query by query', () => {
    const ids = [...new Set(Object.values(runs.run).flatMap((hits) => Object.keys(hits)))];
    const ranking = Int32Array.from(
      Object.values(runs.run).flatMap((hits) => {
        const rows = rankedIds(new Map(Object.entries(hits))).map((id) => ids.indexOf(id));
        return [...rows.slice(0, HITS), ...Array(Math.max(0, HITS - rows.length)).fill(NO_ROW)];
      }),
    );
    const judgements = Object.values(runs.relevance).map(
      (judged) => new Map(Object.entries(judged).map(([id, value]) => [ids.indexOf(id), value])),
    );
    expectSame(measureRanking({ judgements }, ranking, HITS), runs);
  });
});

describe('a retrieval set', () => {
  it('gives the measures of pytrec_eval, with equal documents, and without the document that is the query', async () => {
    const measured = (await measureSet(SET, parsing, { own: '', wrong: 'x: ' })) as RetrievalMeasured;
    expectSame(measureRanking(SET, measured.ranking, HITS), retrieval);
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(measured.values.ndcg).toBeCloseTo(mean(retrieval.ndcg_cut_10), 9);
    expect(measured.values['recall@100']).toBeCloseTo(mean(retrieval.recall_100), 9);
    expect(measured.values.mrr).toBeCloseTo(mean(retrieval.recip_rank), 9);
  });

  it('puts prompts side by side: own, none and the wrong one, and scores its own', async () => {
    const calls: string[] = [];
    const embed: EmbedTexts = async (texts, prompt) => {
      calls.push(`${prompt} ${texts[0]?.slice(0, 3)}`);
      return parsing(texts, prompt);
    };
    const { prompts, values } = (await measureSet(SET, embed, { own: 'own: ', wrong: 'x: ' })) as RetrievalMeasured;
    expect(prompts.map(({ prompt, text }) => [prompt, text])).toEqual([
      ['own', 'own: '],
      ['none', ''],
      ['wrong', 'x: '],
    ]);
    expect(calls.map((call) => call.split(' ')[0])).toEqual(['query', 'none', 'none', 'document']);
    expect(calls[2]).toBe('none x: ');
    const [own, none, wrong] = prompts.map(({ ndcg }) => ndcg);
    expect([own, none]).toEqual([values.ndcg, values.ndcg]);
    expect(wrong).not.toBeCloseTo(none as number, 3);
    const bare = (await measureSet(SET, parsing, { own: '', wrong: 'x: ' })) as RetrievalMeasured;
    expect(bare.prompts.map(({ prompt }) => prompt)).toEqual(['own', 'wrong']);
    expect(((await measureSet(SET, parsing, { own: '', wrong: undefined })) as RetrievalMeasured).prompts).toHaveLength(1);
  });

  it('finds the same k first whatever k is', async () => {
    const form = { texts: SET.queries.texts, prompt: 'query' as const };
    const [deep] = (await rankDocuments(SET, parsing, [form], HITS)) as [Int32Array];
    const [ten] = (await rankDocuments(SET, parsing, [form], 10)) as [Int32Array];
    expect(ten).toEqual(deep.filter((_, at) => at % HITS < 10));
  });
});

describe('addDocuments', () => {
  it('gives one answer however the documents are cut into blocks and ordered', () => {
    const cells = fc.integer({ min: -2, max: 2 });
    const documents = fc.array(fc.tuple(cells, cells), { minLength: 1, maxLength: 40 });
    const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 });
    const matrix = (some: readonly (readonly number[])[]) => ({ rows: some.length, dim: 2, data: Float32Array.from(some.flat()) });
    fc.assert(
      fc.property(documents, cuts, fc.integer({ min: 1, max: 6 }), (rows, sizes, k) => {
        const queries = [
          [1, 0],
          [0, 1],
          [1, 1],
        ];
        const whole = openTopRows(matrix(queries), k);
        addDocuments(whole, matrix(rows), (row) => row);
        const cut = openTopRows(matrix(queries), k);
        const order = [...rows.keys()].reverse();
        for (let at = 0, turn = 0; at < order.length; turn++) {
          const some = order.slice(at, at + (sizes[turn % sizes.length] as number));
          addDocuments(cut, matrix(some.map((row) => rows[row] as [number, number])), (row) => some[row] as number);
          at += some.length;
        }
        expect(cut.rows).toEqual(whole.rows);
        const alone = openTopRows(matrix([[0, 1]]), k);
        addDocuments(alone, matrix(rows), (row) => row);
        expect(alone.rows).toEqual(whole.rows.subarray(k, 2 * k));
      }),
    );
  });
});

describe('recall and reciprocal rank', () => {
  const gains = fc.array(fc.integer({ min: -1, max: 2 }), { maxLength: 30 });

  it('never fall with depth, and are 1 where all that is relevant comes first', () => {
    fc.assert(
      fc.property(gains, gains, fc.integer({ min: 1, max: 30 }), (ranked, missing, k) => {
        const judged = [...ranked, ...missing];
        expect(recallOf(ranked, judged, k + 1)).toBeGreaterThanOrEqual(recallOf(ranked, judged, k));
        const sorted = judged.toSorted((a, b) => b - a);
        const relevant = sorted.filter((value) => value > 0).length;
        expect(recallOf(sorted, judged, Math.max(relevant, 1))).toBe(relevant > 0 ? 1 : 0);
        expect(reciprocalRankOf(sorted)).toBe(relevant > 0 ? 1 : 0);
      }),
    );
  });

  it('of the third document', () => {
    expect([reciprocalRankOf([0, -1, 1]), recallOf([0, -1, 1], [1, 1, 0], 2), recallOf([0, -1, 1], [1, 1, 0], 3)]).toEqual([1 / 3, 0, 0.5]);
    expect([reciprocalRankOf([]), recallOf([], [], 10)]).toEqual([0, 0]);
  });
});
