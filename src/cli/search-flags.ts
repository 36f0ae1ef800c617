// The flags of `search`.
import { VECTOR_DTYPES, type VectorDtype } from '../columns/row.js';
import { PRECISIONS, type Precision } from '../model/names.js';
import { type Flag, wholeNumber } from './flags.js';
import { type InspectArguments, RESULT_FLAGS } from './inspect.js';

const PROVENANCE = "the file's own";

export const SEARCH_FLAGS: readonly Flag[] = [
  { flags: '-k, --hits <n>', help: 'rows to show', fallback: '10', parse: wholeNumber },
  { flags: '--model <folder>', help: 'model folder, ORG/NAME of the cache, or the name of a shipped model', fallback: PROVENANCE },
  { flags: '--precision <type>', help: 'arithmetic of the model', fallback: PROVENANCE, choices: PRECISIONS },
  { flags: '--prompt <prompt>', help: 'query, document, none, or the text itself to put before the query', fallback: 'query' },
  { flags: '--dtype <type>', help: 'type of the vectors of a JSONL file', fallback: 'float32', choices: VECTOR_DTYPES },
  { flags: '--show <column>', help: 'kept column to show', fallback: 'text, title, or the first with text in it' },
  ...RESULT_FLAGS,
];

export interface SearchArguments extends InspectArguments {
  readonly hits?: number;
  readonly model?: string;
  readonly precision?: Precision;
  readonly prompt?: string;
  readonly dtype?: VectorDtype;
  readonly show?: string;
}
