// A made-up embedder and small sets become the scores that SciPy and pytrec_eval give; what one score keeps of another.
import { describe, expect, it } from 'vitest';
import type { RetrievalSet, StsSet } from '#src/evaluate/labelled-set.js';
import { documentsOf } from '#src/evaluate/retrieval-set.js';
import { compareScores, type EmbedTexts, type Prompt, type Score, scoreSet } from '#src/evaluate/score.js';
import { GOLDEN } from './golden.js';

interface Call {
  readonly prompt: Prompt;
  readonly texts: readonly string[];
}

/** Embeds a text that is the JSON of its vector. */
function parsing(calls: Call[] = []): EmbedTexts {
  return async (texts, prompt) => {
    calls.push({ prompt, texts });
    const vectors = texts.map((text) => JSON.parse(text) as number[]);
    return { rows: texts.length, dim: vectors[0]?.length ?? 0, data: Float32Array.from(vectors.flat()) };
  };
}

const jsonOf = (vectors: readonly number[][]): string[] => vectors.map((vector) => JSON.stringify(vector));

function stsSet(a: readonly number[][], b: readonly number[][], scores: readonly number[]): StsSet {
  return { kind: 'sts', name: 'made/up', a: jsonOf(a), b: jsonOf(b), scores: Float64Array.from(scores) };
}

const { ids, documents, queries, relevance, ndcg } = GOLDEN.retrieval;
const RETRIEVAL: RetrievalSet = {
  kind: 'retrieval',
  name: 'made-up',
  queries: { ids: Object.keys(relevance), texts: jsonOf(queries) },
  documents: documentsOf(ids, jsonOf(documents)),
  judgements: Object.values(relevance).map((judged) => new Map(Object.entries(judged).map(([id, value]) => [ids.indexOf(id), value]))),
};

describe('an STS set', () => {
  it('gives the Spearman correlation that SciPy finds for the cosines', async () => {
    const { a, b, scores, rho } = GOLDEN.sts;
    const score = await scoreSet(stsSet(a, b, scores), parsing());
    expect(score).toEqual({ set: 'made/up', metric: 'spearman', value: expect.closeTo(rho, 12), count: 40 });
  });

  it('is embedded in one call without a prompt, each distinct text once', async () => {
    const calls: Call[] = [];
    const [x, y, z] = [
      [1, 0],
      [1, 1],
      [0, 1],
    ] as [number[], number[], number[]];
    const score = await scoreSet(stsSet([x, y, x], [y, z, z], [3, 3, 1]), parsing(calls));
    expect(calls).toEqual([{ prompt: 'none', texts: jsonOf([x, y, z]) }]);
    expect(score.value).toBeCloseTo(1, 12);
  });

  it('scores 0 where all cosines are equal', async () => {
    const same = [
      [1, 0],
      [1, 0],
      [1, 0],
    ];
    expect((await scoreSet(stsSet(same, same, [1, 2, 3]), parsing())).value).toBe(0);
  });
});

describe('a retrieval set', () => {
  it('gives the nDCG@10 that pytrec_eval finds, though a third of the documents are equal', async () => {
    const score = await scoreSet(RETRIEVAL, parsing());
    expect(score).toMatchObject({ set: 'made-up', metric: 'ndcg@10', value: expect.closeTo(ndcg, 12), count: 7 });
    expect(score.neighbours).toHaveLength(70);
  });

  it('names neighbours by their row in the set, equal ones by id as trec_eval does', async () => {
    const set: RetrievalSet = {
      kind: 'retrieval',
      name: 'x',
      queries: { ids: ['q'], texts: ['[1,0]'] },
      documents: documentsOf(['10', '9', '8', '11'], ['[0,2]', '[7,0]', '[0,-1]', '[7,0]']),
      judgements: [new Map([[3, 1]])],
    };
    const score = await scoreSet(set, parsing());
    expect(score.neighbours).toEqual(Int32Array.of(1, 3, 2, 0, -1, -1, -1, -1, -1, -1));
    expect(score.value).toBeCloseTo(1 / Math.log2(3), 14);
  });

  it('uses both prompts and embeds each distinct text once a prompt', async () => {
    const calls: Call[] = [];
    await scoreSet(RETRIEVAL, parsing(calls));
    expect(calls.map(({ prompt }) => prompt)).toEqual(['query', 'document']);
    expect(calls[0]?.texts).toEqual(RETRIEVAL.queries.texts);
    expect([...(calls[1]?.texts ?? [])].sort()).toEqual([...new Set(jsonOf(documents))].sort());
  });

  it('ranks by cosine, whatever the lengths of the vectors, and leaves the embedder its matrix', async () => {
    const factors = (texts: readonly string[]) => texts.map((_, row) => 2 ** ((row % 9) - 4));
    let kept: { before: Float32Array; after: Float32Array } | undefined;
    const scaled: EmbedTexts = async (texts, prompt) => {
      const matrix = await parsing()(texts, prompt);
      factors(texts).forEach((factor, row) => {
        for (let at = row * matrix.dim; at < (row + 1) * matrix.dim; at++) matrix.data[at] = (matrix.data[at] as number) * factor;
      });
      kept = { before: matrix.data.slice(), after: matrix.data };
      return matrix;
    };
    expect(await scoreSet(RETRIEVAL, scaled)).toEqual(await scoreSet(RETRIEVAL, parsing()));
    expect(kept?.after).toEqual(kept?.before);
  });
});

describe('an embedder that is broken', () => {
  it.each([
    ['is not finite', [1e39, 0]],
    ['is all zeros', [0, 0]],
  ])('stops the evaluation: a vector %s', async (_, vector) => {
    const set = stsSet(
      [[1, 0], vector],
      [
        [0, 1],
        [1, 1],
      ],
      [1, 2],
    );
    await expect(scoreSet(set, parsing())).rejects.toMatchObject({ code: 'vector-invalid', message: expect.stringContaining('text 1') });
  });

  it('stops the evaluation: too few vectors', async () => {
    const short: EmbedTexts = async (texts, prompt) => parsing()(texts.slice(1), prompt);
    await expect(scoreSet(RETRIEVAL, short)).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('compareScores', () => {
  const full: Score = { set: 's', metric: 'spearman', value: 0.8, count: 9 };

  it('gives the share that was kept', () => {
    const expected = { set: 's', metric: 'spearman', full: 0.8, quantized: 0.6, kept: 0.6 / 0.8 };
    expect(compareScores(full, { ...full, value: 0.6 })).toEqual(expected);
  });

  it('gives the overlap of the neighbours', () => {
    const rows = Int32Array.from({ length: 20 }, (_, at) => at);
    const others = rows.map((row) => (row < 5 ? 100 + row : row));
    const a: Score = { set: 's', metric: 'ndcg@10', value: 0.5, count: 2, neighbours: rows };
    expect(compareScores(a, { ...a, neighbours: others })).toEqual({
      set: 's',
      metric: 'ndcg@10',
      full: 0.5,
      quantized: 0.5,
      kept: 1,
      overlap: 0.75,
    });
  });

  it('refuses a share of nothing, which would pass any gate', () => {
    for (const value of [0, -0.2, Number.NaN]) {
      expect(() => compareScores({ ...full, value }, full)).toThrow(expect.objectContaining({ code: 'vector-invalid' }));
    }
  });

  it('refuses scores of different sets', () => {
    for (const other of [{ set: 't' }, { count: 8 }, { metric: 'ndcg@10' as const }]) {
      expect(() => compareScores(full, { ...full, ...other })).toThrow(RangeError);
    }
  });
});
