// One model on one set: which texts are embedded, with which prompt, and what they score. Reads no files of its own.
import { type Matrix, rowOf } from '../vectors/matrix.js';
import { normalise } from '../vectors/normalise.js';
import type { ClassificationSet } from './classification-set.js';
import { type EmbedTexts, embedDistinct, type Prompt } from './distinct.js';
import type { RetrievalSet, StsSet } from './labelled-set.js';
import { accuracyOf, classify, fitLogistic, macroF1 } from './logistic.js';
import {
  type ClassificationMeasured,
  type EvaluationSet,
  HITS,
  type Measured,
  type PromptScore,
  type RetrievalMeasured,
  type StsMeasured,
  type TextsMeasured,
} from './measured.js';
import { meanOf, measureRanking, type QueryForm, rankDocuments } from './retrieval.js';
import type { MeasuredStorage } from './storages.js';
import { pairCosines, stsScore } from './sts.js';
import type { TextSet } from './text-set.js';

export interface MeasureOptions {
  /** The model's own; empty where it has none. */
  readonly own: string;
  /** That of another model, to show what it costs; undefined: prompts are not compared. */
  readonly wrong: string | undefined;
  /** Types that a retrieval set's documents are stored as besides. */
  readonly storages?: readonly MeasuredStorage[];
}

/** Throws what `embed` throws, and `vector-invalid` for vectors that are not finite or all zeros. */
export async function measureSet(set: EvaluationSet, embed: EmbedTexts, prompts: MeasureOptions): Promise<Measured> {
  if (set.kind === 'sts') return measureSts(set, embed);
  if (set.kind === 'retrieval') return measureRetrieval(set, embed, prompts);
  return set.kind === 'classification' ? measureClassification(set, embed) : measureTexts(set, embed);
}

async function measureSts(set: StsSet, embed: EmbedTexts): Promise<StsMeasured> {
  const cosines = await pairCosines(set, embed);
  return { kind: 'sts', set, cosines, values: { sts: stsScore(cosines, set.scores) }, count: cosines.length };
}

async function measureRetrieval(set: RetrievalSet, embed: EmbedTexts, prompts: MeasureOptions): Promise<RetrievalMeasured> {
  const { storages = [] } = prompts;
  const named = formsOf(set.queries.texts, prompts);
  const forms = named.map(({ form }) => form);
  const rankings = await rankDocuments(set, embed, forms, HITS, storages);
  const all = rankings.map((ranking) => measureRanking(set, ranking, HITS));
  const [ranking] = rankings as [Int32Array];
  const ndcgOf = (at: number): number => meanOf((all[at] as (typeof all)[0]).ndcg10);
  const [{ ndcg10, recall10, recall100, reciprocalRank }] = all as [(typeof all)[0]];
  return {
    kind: 'retrieval',
    set,
    ranking,
    ndcg: ndcg10,
    prompts: named.map(({ prompt, text }, at) => ({ prompt, text, ndcg: ndcgOf(at) })),
    storages: storages.map(({ dtype, bytes, queries }, at) => ({ dtype, bytes, queries, ndcg: ndcgOf(forms.length + at) })),
    values: { ndcg: meanOf(ndcg10), 'recall@10': meanOf(recall10), 'recall@100': meanOf(recall100), mrr: meanOf(reciprocalRank) },
    count: ndcg10.length,
  };
}

type NamedForm = Omit<PromptScore, 'ndcg'> & { readonly form: QueryForm };

/** The model's own prompt first: it is the one that is scored. */
function formsOf(texts: readonly string[], { own, wrong }: MeasureOptions): NamedForm[] {
  const scored: NamedForm = { prompt: 'own', text: own, form: { texts, prompt: 'query' } };
  if (wrong === undefined) return [scored];
  const other = (prompt: 'none' | 'wrong', text: string): NamedForm => ({
    prompt,
    text,
    form: { texts: texts.map((query) => text + query), prompt: 'none' },
  });
  return [scored, ...(own === '' ? [] : [other('none', '')]), other('wrong', wrong)];
}

async function measureClassification(set: ClassificationSet, embed: EmbedTexts): Promise<ClassificationMeasured> {
  const { tested, learnt, labels, classes } = set;
  const vectors = await unitRows(set.texts, 'none', embed);
  const labelsOf = (rows: Int32Array): Int32Array => rows.map((row) => labels[row] as number);
  const predicted = classify(fitLogistic(rowsOf(vectors, learnt), labelsOf(learnt), classes.length), rowsOf(vectors, tested));
  const truth = labelsOf(tested);
  const values = { accuracy: accuracyOf(predicted, truth), f1: macroF1(predicted, truth) };
  return { kind: 'classification', set, tested, predicted, values, count: tested.length };
}

async function measureTexts(set: TextSet, embed: EmbedTexts): Promise<TextsMeasured> {
  return { kind: 'texts', set, vectors: await unitRows(set.texts, 'document', embed), values: {}, count: set.texts.length };
}

/** Vectors of distinct texts, of length 1. */
async function unitRows(texts: readonly string[], prompt: Prompt, embed: EmbedTexts): Promise<Matrix> {
  const { vectors } = await embedDistinct(texts, prompt, embed);
  const unit = { ...vectors, data: vectors.data.slice() };
  normalise(unit);
  return unit;
}

function rowsOf(matrix: Matrix, rows: Int32Array): Matrix {
  const data = new Float32Array(rows.length * matrix.dim);
  rows.forEach((row, at) => {
    data.set(rowOf(matrix, row), at * matrix.dim);
  });
  return { rows: rows.length, dim: matrix.dim, data };
}
