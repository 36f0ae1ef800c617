// An output that is open: what it says of itself, and its rows as a stream; several of one run as if they were one.
import type { OutputFormatName } from '../columns/formats.js';
import { EmbedkitError } from '../errors.js';
import type { Provenance } from './provenance.js';
import type { BatchesOptions, FileBatch } from './rows.js';

export interface OutputFile {
  readonly path: string;
  readonly bytes: number;
  readonly format: OutputFormatName;
  /** Undefined for JSONL, which has no place for it. */
  readonly provenance: Provenance | undefined;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Length of the vectors, in values. */
  readonly dim: number;
  /** Rows that the footer promises; undefined where the format promises none. */
  readonly promised: number | undefined;
  /** The rows; `vectors` false saves reading them where the format allows. Throws `input-unreadable` where they cannot all be read. */
  batches(options: BatchesOptions): AsyncGenerator<FileBatch>;
}

/** Throws `input-unreadable` where the files are not of one run. */
export function asOne(path: string, files: readonly OutputFile[]): OutputFile {
  const [first] = files as [OutputFile];
  const madeAs = (file: OutputFile): string => JSON.stringify([file.provenance, file.columns]);
  const other = files.find((file) => madeAs(file) !== madeAs(first));
  if (other !== undefined) {
    const found = `${path} holds outputs of different runs: ${first.path} and ${other.path}`;
    throw new EmbedkitError('input-unreadable', found, { hint: 'look at them one by one' });
  }
  const promised = files.map((file) => file.promised);
  return {
    ...first,
    path,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    promised: promised.includes(undefined) ? undefined : promised.reduce((sum: number, rows) => sum + (rows as number), 0),
    async *batches(options) {
      for (const file of files) yield* file.batches(options);
    },
  };
}
