// The output formats: one entry each. Writers are loaded when first used.
import type { ByteSink, ColumnsWriter, LayoutOptions } from './row.js';

interface OutputFormat {
  readonly extensions: readonly string[];
  create(sink: ByteSink, layout: LayoutOptions): Promise<ColumnsWriter>;
}

export const OUTPUT_FORMATS = {
  parquet: {
    extensions: ['.parquet'],
    create: async (sink, layout) => new (await import('./parquet.js')).ParquetWriter(sink, layout),
  },
  arrow: {
    extensions: ['.arrow', '.feather'],
    create: async (sink, layout) => new (await import('./arrow.js')).ArrowWriter(sink, layout, 'file'),
  },
  'arrow-stream': {
    extensions: ['.arrows'],
    create: async (sink, layout) => new (await import('./arrow.js')).ArrowWriter(sink, layout, 'stream'),
  },
  jsonl: {
    extensions: ['.jsonl', '.ndjson'],
    create: async (sink, layout) => new (await import('./jsonl.js')).JsonlWriter(sink, layout),
  },
} as const satisfies Record<string, OutputFormat>;

export type OutputFormatName = keyof typeof OUTPUT_FORMATS;

export const OUTPUT_FORMAT_NAMES = Object.keys(OUTPUT_FORMATS) as OutputFormatName[];

/** The format that a file's extension names; undefined for an unknown one. */
export function outputFormatOf(path: string): OutputFormatName | undefined {
  const lower = path.toLowerCase();
  return OUTPUT_FORMAT_NAMES.find((name) => OUTPUT_FORMATS[name].extensions.some((extension) => lower.endsWith(extension)));
}
