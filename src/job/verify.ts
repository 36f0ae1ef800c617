// The written file is asked, by another library than wrote it, how many rows it holds before it becomes the output: a writer that lost some is found here.
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import type { OutputFormatName } from '../columns/formats.js';
import type { OutputSink } from '../columns/sinks.js';
import { EmbedkitError } from '../errors.js';

/** Throws `internal` where a Parquet file's footer does not promise `rows` rows. Streams cannot be read back. */
export async function verifyRows(sink: OutputSink, format: OutputFormatName, rows: number): Promise<void> {
  if (format !== 'parquet' || sink.path === undefined) return;
  const { num_rows: written } = await parquetMetadataAsync(await asyncBufferFromFile(sink.path));
  if (written === BigInt(rows)) return;
  const found = `the Parquet file holds ${written} rows of the ${rows} that were embedded`;
  throw new EmbedkitError('internal', found, { hint: 'nothing was put in place; please report this' });
}
