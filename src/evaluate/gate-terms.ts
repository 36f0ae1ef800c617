// The terms of an evaluation's gate, like "sts>=-0.2%": what they may name, and what they need. Pure.
import { type Agreement, METRICS, type Metric, type Task } from './measured.js';

export interface GateTerm {
  readonly name: GateName;
  /** `change`: of the score, relative to the other model's; `value`: of the score or agreement itself. */
  readonly of: 'change' | 'value';
  readonly least: number;
  /** As it was written. */
  readonly text: string;
}

/** What a term may name -> the tasks that measure it. */
export const GATE_NAMES = {
  sts: ['sts'],
  ndcg: ['retrieval'],
  'recall@10': ['retrieval'],
  'recall@100': ['retrieval'],
  mrr: ['retrieval'],
  accuracy: ['classification'],
  f1: ['classification'],
  cosine: ['texts'],
  'cosine-p1': ['texts'],
  'cosine-min': ['texts'],
  overlap: ['retrieval', 'texts'],
} as const satisfies Partial<Record<Metric | Agreement, readonly Task[]>>;

export type GateName = keyof typeof GATE_NAMES;

const TERM = /^([a-z0-9@-]+)\s*>=\s*([+-]?(?:\d+\.?\d*|\.\d+))(%?)$/;

/**
 * Terms with spaces or commas between them. Of a score a percentage is a change relative to the other model and a number the
 * score itself; of an agreement both are the agreement itself.
 * @returns the terms, or the first that is none
 */
export function parseGate(text: string): readonly GateTerm[] | { readonly wrong: string } {
  const parts = text
    .replace(/\s*>=\s*/g, '>=')
    .split(/[\s,]+/)
    .filter((part) => part !== '');
  const terms = parts.map(parseTerm);
  const wrong = terms.indexOf(undefined);
  if (wrong === -1 && terms.length > 0) return terms as GateTerm[];
  return { wrong: parts[wrong] ?? text };
}

function parseTerm(text: string): GateTerm | undefined {
  const [, name = '', number, percent] = TERM.exec(text) ?? [];
  if (!Object.hasOwn(GATE_NAMES, name)) return undefined;
  const least = percent === '%' ? Number(number) / 100 : Number(number);
  const of = percent === '%' && Object.hasOwn(METRICS, name) ? 'change' : 'value';
  // A score of at least nothing always holds: a change was meant, and its % forgotten.
  if (of === 'value' && !(least > 0)) return undefined;
  return { name: name as GateName, of, least, text };
}

/** Whether a term needs a second model. */
export function needsAgainst({ name, of }: GateTerm): boolean {
  return of === 'change' || !Object.hasOwn(METRICS, name);
}
