// The report of an evaluation: scores, agreement of two models, what fell most, the gate's verdict. Data only; written as JSON.
import type { MachineFacts } from '../machine.js';
import type { Precision } from '../model/names.js';
import type { GateTerm } from './gate-terms.js';
import type { Agreement, Metric, PromptScore, Task } from './measured.js';
import type { StorageScore } from './storages.js';

export interface ModelFacts {
  readonly name: string;
  readonly precision: Precision;
  readonly fingerprint: string;
}

export interface ScoreRow {
  readonly set: string;
  readonly task: Task;
  readonly metric: Metric;
  /** Pairs, queries, tested texts. */
  readonly count: number;
  /** Of the model that is evaluated. */
  readonly value: number;
  /** Of the model that it is held against, where there is one. */
  readonly against?: number;
  /** value / against - 1; NaN, written as null, where `against` is not above 0. */
  readonly change?: number;
}

export interface AgreementRow {
  readonly set: string;
  readonly task: Task;
  readonly measure: Agreement;
  readonly value: number;
  /** Texts, queries, pairs. */
  readonly count: number;
}

/** One query, pair or text that the evaluated model does worse on. */
export interface Regression {
  readonly set: string;
  readonly task: Task;
  /** Of the query; the row, from 0, where the set has no ids. */
  readonly id: string;
  /** At most 160 characters. */
  readonly text: string;
  readonly value: number;
  readonly against: number;
  /** What the two numbers are. */
  readonly measure: string;
  /** What became of it, in words. */
  readonly detail: string;
}

export interface PromptRow {
  readonly set: string;
  readonly scores: readonly PromptScore[];
}

/** What storing the documents of a set as a type costs. */
export interface StorageRow extends StorageScore {
  readonly set: string;
  /** ndcg / that of float32 - 1; NaN, written as null, where that is not above 0. */
  readonly change: number;
}

export interface EvaluationReport {
  readonly model: ModelFacts;
  readonly against: ModelFacts | null;
  readonly scores: readonly ScoreRow[];
  readonly agreement: readonly AgreementRow[];
  /** nDCG@10 of the evaluated model by query prompt. */
  readonly prompts: readonly PromptRow[];
  /** nDCG@10 of the evaluated model by type of the stored vectors; empty where none was asked for. */
  readonly storages: readonly StorageRow[];
  readonly worst: readonly Regression[];
  readonly gate: { readonly terms: readonly GateTerm[]; readonly failures: readonly string[] };
  /** What was left out, in sentences. */
  readonly notes: readonly string[];
  readonly machine: MachineFacts;
  readonly seconds: number;
}
