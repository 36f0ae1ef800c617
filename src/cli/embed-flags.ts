// The flags of `embed`.

import { InvalidArgumentError } from 'commander';
import { DEFAULT_BATCH_SIZE, DEFAULT_BATCH_TOKENS } from '../batches/plan.js';
import { OUTPUT_FORMAT_NAMES } from '../columns/formats.js';
import { KEPT_TYPES, type KeepColumn, type KeptTypeName, VECTOR_DTYPES } from '../columns/row.js';
import { DEFAULT_MAX_LINE_BYTES, DEFAULT_WINDOW, type MaxErrors, ON_ERROR, ON_OVERFLOW, RESUME } from '../job/config.js';
import type { Shard } from '../job/items.js';
import { parseBytes } from '../job/memory.js';
import { DEFAULT_MODEL, PRECISIONS } from '../model/names.js';
import { FORMAT_NAMES } from '../records/formats.js';
import { type Flag, list, percentage, wholeNumber } from './flags.js';

const number = (value: number): string => value.toLocaleString('en-US');

export const EMBED_FLAGS: readonly Flag[] = [
  { flags: '-o, --output <file>', help: 'file to write, or folder/ for a folder of them; "-" is standard output' },
  { flags: '--from <format>', help: 'format of the inputs', fallback: 'by extension; JSONL for "-"', choices: FORMAT_NAMES },
  { flags: '--to <format>', help: 'format of the output', fallback: 'by extension; JSONL for "-"', choices: OUTPUT_FORMAT_NAMES },
  { flags: '--overwrite', help: 'write into a folder that is not empty: the files that embedkit wrote there are replaced' },
  { flags: '--text-field <name>', help: 'field that holds the text; a.b reaches into objects', fallback: 'text' },
  { flags: '--template <text>', help: 'text made of several fields, like "{title}\\n{text}"; {name?} may be missing' },
  { flags: '--id-field <name>', help: 'field that holds the id', fallback: 'id, else _id, else the row number from 0' },
  {
    flags: '--keep <columns>',
    help: `columns to carry through, like a,b; name:type (${KEPT_TYPES.join(', ')}) fixes a type`,
    fallback: 'none, types as in the input; all from an Arrow stream into one',
    parse: keepColumns,
  },
  {
    flags: '--shard <i/n>',
    help: 'only the i-th of n parts of the rows, by their text: n machines write n outputs',
    fallback: 'all',
    parse: shard,
  },
  { flags: '--limit <rows>', help: 'stop after this many rows', parse: wholeNumber },
  {
    flags: '--model <folder>',
    help: "model folder, ORG/NAME[@revision] of the hub's cache (see pull), or the name of a shipped model",
    fallback: DEFAULT_MODEL,
  },
  { flags: '--precision <type>', help: 'arithmetic of the model', fallback: 'int8 where the model has it', choices: PRECISIONS },
  { flags: '--prompt <prompt>', help: 'query, document, none, or the text itself to put before each text', fallback: 'document' },
  { flags: '--max-tokens <n>', help: 'longest text in tokens', fallback: "the model's", parse: wholeNumber },
  { flags: '--on-overflow <what>', help: 'what to do with longer texts', fallback: 'truncate', choices: ON_OVERFLOW },
  {
    flags: '--chunk-tokens <n>',
    help: 'with --on-overflow chunk: most tokens of a piece',
    fallback: 'as --max-tokens',
    parse: wholeNumber,
  },
  {
    flags: '--chunk-overlap <n>',
    help: 'with --on-overflow chunk: tokens that a piece shares with the one before',
    fallback: '0',
    parse: wholeNumber,
  },
  {
    flags: '--on-error <what>',
    help: 'what to do with a row that cannot be embedded; quarantine: it goes to <output>.quarantine.jsonl, and the run exits 3',
    fallback: 'quarantine; fail on standard output',
    choices: ON_ERROR,
  },
  {
    flags: '--quarantine <file>',
    help: 'where the rows go that a stream (-o -) cannot have; the run then goes on, and exits 3',
    fallback: 'none: the first ends the run',
  },
  {
    flags: '--max-errors <n>',
    help: 'stop when more rows than this, like 100 or 1%, cannot be embedded',
    fallback: 'no limit',
    parse: maxErrors,
  },
  {
    flags: '--resume <how>',
    help: 'unfinished run of this output; auto: go on with it, or start over where input or options changed; require: that or fail',
    fallback: 'auto',
    choices: RESUME,
  },
  {
    flags: '--reuse <files...>',
    help: 'outputs of earlier runs, the output itself among them if you like; rows whose text is there take its vector',
    fallback: 'none',
  },
  {
    flags: '--metrics-file <file>',
    help: "Prometheus text for the node exporter's textfile collector, renewed after each window",
    fallback: 'none',
  },
  { flags: '--summary <file>', help: 'the summary, or the error, as JSON in a file', fallback: 'none' },
  {
    flags: '--audit <share>',
    help: 'share of the texts to embed again in fp32, chosen by their hash, like 0.1%; mean and least cosine go into summary and metrics',
    fallback: 'none',
    parse: percentage,
  },
  {
    flags: '--dtype <type>',
    help: 'type of the vectors; int8 by fixed ranges, binary as packed signs',
    fallback: 'float32',
    choices: VECTOR_DTYPES,
  },
  { flags: '--dims <n>', help: 'length of the vectors, where the model allows others', fallback: "the model's", parse: wholeNumber },
  { flags: '--threads <n>', help: 'engine threads', fallback: 'the CPUs this process may use', parse: wholeNumber },
  {
    flags: '--threads-per-worker <n>',
    help: 'CPUs that each engine thread computes with; bench --tune says whether more than one is worth it',
    fallback: '1',
    parse: wholeNumber,
  },
  {
    flags: '--max-memory <size>',
    help: 'peak memory to keep to, like 600MB: threads, windows and lines are cut to it, or the run is refused',
    fallback: 'no bound',
    parse: bytes,
  },
  { flags: '--batch-tokens <n>', help: 'most tokens in a batch', fallback: number(DEFAULT_BATCH_TOKENS), parse: wholeNumber },
  { flags: '--batch-size <n>', help: 'most texts in a batch', fallback: number(DEFAULT_BATCH_SIZE), parse: wholeNumber },
  { flags: '--window-rows <n>', help: 'most rows sorted at a time', fallback: number(DEFAULT_WINDOW.rows), parse: wholeNumber },
  { flags: '--window-bytes <n>', help: 'most bytes of text held at a time', fallback: number(DEFAULT_WINDOW.bytes), parse: wholeNumber },
  { flags: '--window-tokens <n>', help: 'most tokens held at a time', fallback: number(DEFAULT_WINDOW.tokens), parse: wholeNumber },
  { flags: '--max-line-bytes <n>', help: 'longest line of a text format', fallback: number(DEFAULT_MAX_LINE_BYTES), parse: wholeNumber },
  { flags: '--dry-run', help: 'only read and tokenize; predict rows, bad rows, truncation, duplicates, time and memory' },
  { flags: '--quiet', help: 'print errors only' },
  { flags: '--log-format <format>', help: 'how progress and summary are printed', fallback: 'text', choices: ['text', 'json'] },
];

function shard(text: string): Shard {
  const [, index, of] = /^(\d+)\/(\d+)$/.exec(text.trim()) ?? [];
  if (index === undefined || of === undefined) throw new InvalidArgumentError(`"${text}" is not like 2/8`);
  return { index: wholeNumber(index) - 1, of: wholeNumber(of) };
}

function bytes(text: string): number {
  const value = parseBytes(text);
  if (value !== undefined) return value;
  throw new InvalidArgumentError(`"${text}" is not a size like 600MB or 2GiB`);
}

function maxErrors(text: string): MaxErrors {
  return text.trim().endsWith('%') ? { share: percentage(text) } : { rows: wholeNumber(text) };
}

function keepColumns(text: string): KeepColumn[] {
  return list(text).map((entry) => {
    const type = KEPT_TYPES.find((name) => entry.endsWith(`:${name}`));
    return { name: type === undefined ? entry : entry.slice(0, -type.length - 1), type: type as KeptTypeName | undefined };
  });
}
