// The input formats: one entry each, with the extensions that name it. Readers are loaded when first used.
import { EmbedkitError } from '../errors.js';
import type { Compression } from './decompress.js';
import type { LineLimits } from './lines.js';
import type { Item } from './record.js';
import { rowReader, type Selection } from './select.js';
import { type ReadProgress, readBytes, type Source } from './source.js';

export interface ReadOptions {
  readonly selection: Selection;
  readonly limits: LineLimits;
}

interface Format {
  readonly extensions: readonly string[];
  /** Text formats may be compressed. */
  readonly text: boolean;
  read(source: Source, options: ReadOptions, progress: ReadProgress): AsyncGenerator<Item[]>;
}

export const FORMATS = {
  jsonl: { extensions: ['.jsonl', '.ndjson'], text: true, read: jsonl },
  csv: { extensions: ['.csv'], text: true, read: (s, o, p) => delimited(s, o, p, ',') },
  tsv: { extensions: ['.tsv'], text: true, read: (s, o, p) => delimited(s, o, p, '\t') },
  txt: { extensions: ['.txt'], text: true, read: txt },
  parquet: { extensions: ['.parquet'], text: false, read: parquet },
  arrow: { extensions: ['.arrow', '.feather', '.ipc'], text: false, read: arrow },
  'arrow-stream': { extensions: ['.arrows'], text: false, read: arrow },
} as const satisfies Record<string, Format>;

export type FormatName = keyof typeof FORMATS;

export const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[];

const COMPRESSED: readonly (readonly [string, Compression])[] = [
  ['.gz', 'gzip'],
  ['.zst', 'zstd'],
];

/** Format and compression by a file's name; undefined where the name says neither. */
export function formatOf(path: string): { format: FormatName; compression: Compression } | undefined {
  const lower = path.toLowerCase();
  const packed = COMPRESSED.find(([extension]) => lower.endsWith(extension));
  const bare = packed === undefined ? lower : lower.slice(0, -packed[0].length);
  const format = FORMAT_NAMES.find((name) => FORMATS[name].extensions.some((extension) => bare.endsWith(extension)));
  if (format === undefined) return undefined;
  if (packed !== undefined && !FORMATS[format].text) return undefined;
  return { format, compression: packed?.[1] ?? 'none' };
}

async function* jsonl(source: Source, options: ReadOptions, progress: ReadProgress): AsyncGenerator<Item[]> {
  const { readJsonl } = await import('./jsonl.js');
  yield* readJsonl(readBytes(source, progress), source.name, options.limits, rowReader(options.selection));
}

async function* txt(source: Source, options: ReadOptions, progress: ReadProgress): AsyncGenerator<Item[]> {
  const { keep, template, idField } = options.selection;
  if (keep.length > 0 || template !== undefined || idField !== undefined) {
    const found = `${source.name} is plain text, which has no columns`;
    throw new EmbedkitError('usage', found, { hint: 'leave out --keep, --template and --id-field' });
  }
  const { readTxt } = await import('./txt.js');
  yield* readTxt(readBytes(source, progress), source.name, options.limits);
}

async function* delimited(source: Source, options: ReadOptions, progress: ReadProgress, delimiter: ',' | '\t'): AsyncGenerator<Item[]> {
  const { readCsv } = await import('./csv.js');
  yield* readCsv(readBytes(source, progress), source.name, options.limits, rowReader(options.selection), delimiter);
}

async function* parquet(source: Source, options: ReadOptions, progress: ReadProgress): AsyncGenerator<Item[]> {
  const { readParquet } = await import('./parquet.js');
  yield* readParquet(source, options.selection, progress);
}

async function* arrow(source: Source, options: ReadOptions, progress: ReadProgress): AsyncGenerator<Item[]> {
  const { readArrow } = await import('./arrow.js');
  yield* readArrow(source, options.selection, progress);
}
