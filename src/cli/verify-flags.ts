// The flags of `verify`: those of `embed` that say how an input is read, with the provenance as their default, and its own.
import { VECTOR_DTYPES, type VectorDtype } from '../columns/row.js';
import { DEFAULT_SAMPLE } from '../inspect/even-sample.js';
import { ON_OVERFLOW, type OnOverflow } from '../job/config.js';
import type { Shard } from '../job/items.js';
import { PRECISIONS, type Precision } from '../model/names.js';
import type { FormatName } from '../records/formats.js';
import { EMBED_FLAGS } from './embed-flags.js';
import { type Flag, wholeNumber } from './flags.js';
import { type InspectArguments, RESULT_FLAGS } from './inspect.js';

/** Flags that mean what they mean to `embed`, with the same defaults. */
const SAME = ['--from', '--id-field', '--limit', '--shard', '--threads', '--max-line-bytes', '--chunk-tokens', '--chunk-overlap'];

const PROVENANCE = "the provenance's";

export const VERIFY_FLAGS: readonly Flag[] = [
  { flags: '--against <input...>', help: 'input that the file was made from: files, folders, globs, or "-"' },
  {
    flags: '--sample <rows>',
    help: 'rows to embed again and compare bit for bit, spread evenly; 0 takes all',
    fallback: DEFAULT_SAMPLE.toLocaleString('en-US'),
    parse: wholeNumber,
  },
  { flags: '--model <folder>', help: 'model folder, ORG/NAME of the cache, or the name of a shipped model', fallback: PROVENANCE },
  { flags: '--precision <type>', help: 'arithmetic of the model', fallback: PROVENANCE, choices: PRECISIONS },
  { flags: '--text-field <name>', help: 'field of the input that holds the text', fallback: PROVENANCE },
  { flags: '--template <text>', help: 'text made of several fields of the input', fallback: PROVENANCE },
  { flags: '--prompt <prompt>', help: 'query, document, none, or the text itself', fallback: PROVENANCE },
  { flags: '--max-tokens <n>', help: 'longest text in tokens', fallback: PROVENANCE, parse: wholeNumber },
  { flags: '--on-overflow <what>', help: 'what was done with longer texts', fallback: PROVENANCE, choices: ON_OVERFLOW },
  { flags: '--dtype <type>', help: 'type of the vectors of a JSONL file', fallback: 'float32', choices: VECTOR_DTYPES },
  ...EMBED_FLAGS.filter(({ flags }) => SAME.some((name) => flags.startsWith(`${name} `))),
  ...RESULT_FLAGS,
];

/** The options as commander names them. */
export interface VerifyArguments extends InspectArguments {
  readonly against?: string[];
  readonly sample?: number;
  readonly model?: string;
  readonly precision?: Precision;
  readonly textField?: string;
  readonly template?: string;
  readonly prompt?: string;
  readonly maxTokens?: number;
  readonly onOverflow?: OnOverflow;
  readonly chunkTokens?: number;
  readonly chunkOverlap?: number;
  readonly dtype?: VectorDtype;
  readonly from?: FormatName;
  readonly idField?: string;
  readonly limit?: number;
  readonly shard?: Shard;
  readonly threads?: number;
  readonly maxLineBytes?: number;
}
