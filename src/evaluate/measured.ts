// What one model got on one set, with what comparing two models needs. Types and names only.
import type { Matrix } from '../vectors/matrix.js';
import type { ClassificationSet } from './classification-set.js';
import type { RetrievalSet, StsSet } from './labelled-set.js';
import type { StorageScore } from './storages.js';
import type { TextSet } from './text-set.js';

export type EvaluationSet = StsSet | RetrievalSet | ClassificationSet | TextSet;
export type Task = EvaluationSet['kind'];

/** Metric, as the gate names it -> what it is called where it is shown. */
export const METRICS = {
  sts: 'Spearman',
  ndcg: 'nDCG@10',
  'recall@10': 'recall@10',
  'recall@100': 'recall@100',
  mrr: 'MRR@100',
  accuracy: 'accuracy',
  f1: 'macro F1',
} as const;

export type Metric = keyof typeof METRICS;

/** How far the two models give the same, whatever is right. */
export const AGREEMENTS = {
  cosine: 'mean cosine of the same text',
  'cosine-p1': '1st percentile of these cosines',
  'cosine-min': 'least of these cosines',
  overlap: 'nearest ten in common',
  'pair-order': 'Spearman of the pairs’ cosines',
} as const;

export type Agreement = keyof typeof AGREEMENTS;

/** What a query prompt is worth: nDCG@10 of the same queries with other words before them. */
export interface PromptScore {
  /** `own`: the model's; `none`: bare queries; `wrong`: that of another model. */
  readonly prompt: 'own' | 'none' | 'wrong';
  readonly text: string;
  readonly ndcg: number;
}

interface Scored {
  /** Values of this model alone, by metric; none without labels. */
  readonly values: Partial<Record<Metric, number>>;
  /** Pairs, queries, texts that were tested. */
  readonly count: number;
}

export interface StsMeasured extends Scored {
  readonly kind: 'sts';
  readonly set: StsSet;
  readonly cosines: Float64Array;
}

export interface RetrievalMeasured extends Scored {
  readonly kind: 'retrieval';
  readonly set: RetrievalSet;
  /** queries x HITS rows of documents, best first. */
  readonly ranking: Int32Array;
  /** nDCG@10 of each query. */
  readonly ndcg: Float64Array;
  readonly prompts: readonly PromptScore[];
  /** One a type that was asked for. */
  readonly storages: readonly StorageScore[];
}

export interface ClassificationMeasured extends Scored {
  readonly kind: 'classification';
  readonly set: ClassificationSet;
  /** Rows of the set that were tested, and the class that each was given. */
  readonly tested: Int32Array;
  readonly predicted: Int32Array;
}

export interface TextsMeasured extends Scored {
  readonly kind: 'texts';
  readonly set: TextSet;
  /** One row a text, of length 1. */
  readonly vectors: Matrix;
}

export type Measured = StsMeasured | RetrievalMeasured | ClassificationMeasured | TextsMeasured;

/** Documents that a query finds: as deep as recall@100 looks. */
export const HITS = 100;
