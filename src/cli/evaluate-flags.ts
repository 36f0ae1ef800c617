// The flags of `evaluate`.
import { InvalidArgumentError } from 'commander';
import { GATE_NAMES, type GateTerm, parseGate } from '../evaluate/gate-terms.js';
import { LOSSY_DTYPES } from '../evaluate/storages.js';
import { DEFAULT_MODEL, PRECISIONS, type Precision } from '../model/names.js';
import { type Flag, list, wholeNumber } from './flags.js';
import type { LogFormat } from './report.js';

export const EVALUATE_FLAGS: readonly Flag[] = [
  {
    flags: '--model <folder>',
    help: "model folder, ORG/NAME[@revision] of the hub's cache (see pull), or the name of a shipped model",
    fallback: DEFAULT_MODEL,
  },
  { flags: '--precision <type>', help: 'arithmetic of the model', fallback: 'int8 where the model has it', choices: PRECISIONS },
  { flags: '--against <model>', help: 'fp32 or int8 of the same model, or another model folder', fallback: 'none' },
  { flags: '--sts <file...>', help: 'pairs with scores: lines of score, tab, text, tab, text' },
  { flags: '--retrieval <folder...>', help: 'folders in the layout of BEIR: corpus.jsonl, queries.jsonl, qrels/test.tsv' },
  { flags: '--classification <file...>', help: 'texts with labels: lines of label, tab, text; a fifth of each class is tested' },
  {
    flags: '--pairs <file...>',
    help: 'texts without labels, one a line or two with a tab between, or the field "text" of JSONL, CSV, Parquet',
  },
  {
    flags: '--gate <terms>',
    help: 'exit 5 unless they hold, like "sts>=-0.2% ndcg>=-0.5%" (change against the other model) or "sts>=0.8" (the score)',
    fallback: 'none',
    parse: gateTerms,
  },
  { flags: '--wrong-prompt <text>', help: "a query prompt that is not the model's, shown beside it", fallback: '"query: "' },
  {
    flags: '--dtypes <types>',
    help: `what storing the documents of retrieval sets as these types costs: ${LOSSY_DTYPES.join(',')}`,
    fallback: 'none',
    parse: lossyTypes,
  },
  { flags: '--json <file>', help: 'the report as JSON in a file', fallback: 'none' },
  { flags: '--html <file>', help: 'the report as one HTML page', fallback: 'none' },
  { flags: '--record', help: "write the scores into the model folder's manifest" },
  { flags: '--max-tokens <n>', help: 'longest text in tokens', fallback: "each model's", parse: wholeNumber },
  { flags: '--threads <n>', help: 'engine threads', fallback: 'the CPUs this process may use', parse: wholeNumber },
  { flags: '--quiet', help: 'print errors only' },
  { flags: '--log-format <format>', help: 'how steps and result are printed', fallback: 'text', choices: ['text', 'json'] },
];

/** The options as commander names them. */
export interface EvaluateArguments {
  readonly model?: string;
  readonly precision?: Precision;
  readonly against?: string;
  readonly sts?: string[];
  readonly retrieval?: string[];
  readonly classification?: string[];
  readonly pairs?: string[];
  readonly gate?: readonly GateTerm[];
  readonly wrongPrompt?: string;
  readonly dtypes?: readonly LossyDtype[];
  readonly json?: string;
  readonly html?: string;
  readonly record?: boolean;
  readonly maxTokens?: number;
  readonly threads?: number;
  readonly quiet?: boolean;
  readonly logFormat?: LogFormat;
}

type LossyDtype = (typeof LOSSY_DTYPES)[number];

function lossyTypes(text: string): readonly LossyDtype[] {
  return [...new Set(list(text))].map((name) => {
    const found = LOSSY_DTYPES.find((dtype) => dtype === name);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`"${name}" is none of ${LOSSY_DTYPES.join(', ')}`);
  });
}

function gateTerms(text: string): readonly GateTerm[] {
  const parsed = parseGate(text);
  if (!('wrong' in parsed)) return parsed;
  const names = Object.keys(GATE_NAMES).join(', ');
  throw new InvalidArgumentError(
    `"${parsed.wrong}" is no term of a gate; write one of ${names} like sts>=-0.2% (a change) or ndcg>=0.7 (a score, above 0)`,
  );
}
