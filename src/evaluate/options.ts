// What an evaluation is told: one object, checked before a model is opened.
import type { VectorDtype } from '../columns/row.js';
import { EmbedkitError } from '../errors.js';
import type { Precision } from '../model/names.js';
import { GATE_NAMES, type GateTerm, needsAgainst } from './gate-terms.js';
import type { Task } from './measured.js';

export interface EvaluateOptions {
  /** Model folder or shipped name; default: the shipped model. */
  readonly model?: string | undefined;
  readonly precision?: Precision | undefined;
  /** A precision of the same model, or another model folder. */
  readonly against?: string | undefined;
  /** STS TSV files, BEIR folders, classification TSV files, files of texts without labels. */
  readonly sts?: readonly string[] | undefined;
  readonly retrieval?: readonly string[] | undefined;
  readonly classification?: readonly string[] | undefined;
  readonly pairs?: readonly string[] | undefined;
  readonly gate?: readonly GateTerm[] | undefined;
  /** The query prompt of another model, to show what the wrong one costs; default `query: `. */
  readonly wrongPrompt?: string | undefined;
  /** Types to store the documents of retrieval sets as, to show what each costs. */
  readonly dtypes?: readonly VectorDtype[] | undefined;
  /** Longest text in tokens; default: each model's. */
  readonly maxTokens?: number | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told what begins. */
  readonly onStep?: ((step: string) => void) | undefined;
}

/** The flag that names the sets of a task. */
export const SET_FLAGS = {
  sts: '--sts',
  retrieval: '--retrieval',
  classification: '--classification',
  texts: '--pairs',
} as const satisfies Record<Task, string>;

export function pathsOf({ sts, retrieval, classification, pairs }: EvaluateOptions): Record<Task, readonly string[]> {
  return { sts: sts ?? [], retrieval: retrieval ?? [], classification: classification ?? [], texts: pairs ?? [] };
}

/** Throws `usage` where nothing would be measured, or where the gate names what is not. */
export function checkOptions(options: EvaluateOptions): void {
  const paths = pathsOf(options);
  const named = (Object.keys(paths) as Task[]).filter((task) => paths[task].length > 0);
  if (named.length === 0) {
    throw new EmbedkitError('usage', 'no set to evaluate on', { hint: `name some with ${Object.values(SET_FLAGS).join(', ')}` });
  }
  if (options.against === undefined && named.every((task) => task === 'texts')) {
    throw new EmbedkitError('usage', '--pairs has no labels, so it needs a second model', {
      hint: 'name one: --against fp32, or a folder',
    });
  }
  if (options.dtypes !== undefined && paths.retrieval.length === 0) {
    throw new EmbedkitError('usage', '--dtypes says what storing costs in retrieval, and there is no retrieval set', {
      hint: 'name one with --retrieval',
    });
  }
  for (const term of options.gate ?? []) checkTerm(term, named, options.against);
}

function checkTerm(term: GateTerm, named: readonly Task[], against: string | undefined): void {
  if (needsAgainst(term) && against === undefined) {
    throw new EmbedkitError('usage', `--gate ${term.text} compares two models`, {
      hint: 'name the second with --against, or ask for a score like sts>=0.8',
    });
  }
  const tasks: readonly Task[] = GATE_NAMES[term.name];
  if (tasks.some((task) => named.includes(task))) return;
  const flags = tasks.map((task) => SET_FLAGS[task]).join(' or ');
  throw new EmbedkitError('usage', `--gate ${term.text}: no set of this run measures ${term.name}`, { hint: `name one with ${flags}` });
}
