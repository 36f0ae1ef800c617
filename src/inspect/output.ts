// An output of embedkit is opened: its format, provenance and columns, and its rows as a stream.
import { open } from 'node:fs/promises';
import type { Field, FixedSizeList, Schema } from 'apache-arrow';
import { OUTPUT_FORMAT_NAMES, type OutputFormatName, outputFormatOf } from '../columns/formats.js';
import { OWN_COLUMNS } from '../columns/row.js';
import { EmbedkitError, systemCode, wrapError } from '../errors.js';
import { PROVENANCE_KEY } from '../job/provenance.js';
import { readArrowBatches } from '../records/arrow.js';
import { openParquet } from '../records/parquet-file.js';
import { type Source, unreadable } from '../records/source.js';
import { fieldFaults, jsonlBatches, jsonRows, jsonType } from './jsonl-rows.js';
import { asOne, type OutputFile } from './output-file.js';
import { filesIn } from './output-folder.js';
import { parseProvenance } from './provenance.js';
import { batchRows, columnFaults } from './rows.js';

/**
 * Opens an output, by the format that its name tells or else its first bytes. Holds nothing open: each `batches` opens the file.
 * Throws `input-not-found`, and `input-unreadable` for a damaged file and for one that embedkit did not write.
 * A folder is opened as one output; one without its marker is not finished, and no output.
 */
export async function openOutput(path: string): Promise<OutputFile> {
  const files = await filesIn(path);
  return files === undefined ? openFile(path) : asOne(path, await Promise.all(files.map(openFile)));
}

async function openFile(path: string): Promise<OutputFile> {
  const { bytes, start } = await look(path);
  const format = outputFormatOf(path) ?? formatByBytes(start, path);
  const source: Source = { name: path, path, stream: undefined, compression: 'none', bytes };
  if (bytes === 0 && format !== 'jsonl') throw notAnOutput(path, ['no content']);
  if (format === 'parquet') return { path, bytes, format, ...(await parquetOutput(source)) };
  return { path, bytes, format, ...(await (format === 'jsonl' ? jsonlOutput(source) : arrowOutput(source))) };
}

type Opened = Omit<OutputFile, 'path' | 'bytes' | 'format'>;

async function look(path: string): Promise<{ bytes: number; start: Buffer }> {
  try {
    const file = await open(path);
    try {
      const info = await file.stat();
      if (!info.isFile()) throw new EmbedkitError('input-unreadable', `${path} is no regular file`, { hint: 'name an output of embed' });
      const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0);
      return { bytes: info.size, start: buffer.subarray(0, bytesRead) };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw wrapError(error, 'input-unreadable', path, 'check that it may be read');
    throw new EmbedkitError('input-not-found', `no file "${path}"`, { hint: 'check the path' });
  }
}

function formatByBytes(start: Buffer, path: string): OutputFormatName {
  const text = start.toString('latin1');
  if (text.startsWith('PAR1')) return 'parquet';
  if (text.startsWith('ARROW1')) return 'arrow';
  if (text.startsWith('\xff\xff\xff\xff')) return 'arrow-stream';
  if (text.startsWith('{"id":')) return 'jsonl';
  throw notAnOutput(path, [`none of the formats ${OUTPUT_FORMAT_NAMES.join(', ')}`]);
}

async function parquetOutput(source: Source): Promise<Opened> {
  const { name: path } = source;
  const opening = (): ReturnType<typeof openParquet> =>
    openParquet(path).catch((error) => {
      throw unreadable(source, error);
    });
  const file = await opening();
  await file.close();
  return {
    ...described(file.schema, file.metadata, path),
    promised: file.rows,
    async *batches({ vectors, text }) {
      const again = await opening();
      try {
        const own = OWN_COLUMNS.filter((name) => vectors || name !== 'embedding');
        const columns = text === undefined ? own : [...new Set([...own, text])];
        for await (const batch of again.batches(columns)) yield batchRows(batch, path, text);
      } catch (error) {
        throw unreadable(source, error);
      } finally {
        await again.close();
      }
    },
  };
}

async function arrowOutput(source: Source): Promise<Opened> {
  for await (const { schema } of readArrowBatches(source, { bytesDone: 0 })) {
    return {
      ...described(schema, schema.metadata, source.name),
      promised: undefined,
      async *batches({ text }) {
        for await (const batch of readArrowBatches(source, { bytesDone: 0 })) yield batchRows(batch, source.name, text);
      },
    };
  }
  throw notAnOutput(source.name, ['no record batch']);
}

function described(schema: Schema, metadata: ReadonlyMap<string, string>, path: string): Pick<Opened, 'provenance' | 'columns' | 'dim'> {
  const json = metadata.get(PROVENANCE_KEY);
  const missing = [...(json === undefined ? [`no key "${PROVENANCE_KEY}" in its metadata`] : []), ...columnFaults(schema)];
  if (json === undefined || missing.length > 0) throw notAnOutput(path, missing);
  const embedding = schema.fields.find(({ name }) => name === 'embedding') as Field<FixedSizeList>;
  return {
    provenance: parseProvenance(json, path),
    dim: embedding.type.listSize,
    columns: schema.fields.map(({ name, type }) => ({ name: String(name), type: String(type) })),
  };
}

async function jsonlOutput(source: Source): Promise<Opened> {
  for await (const [first] of jsonRows(source, 1)) {
    if (first === undefined) break;
    const missing = fieldFaults(first.row);
    if (missing.length > 0) throw notAnOutput(source.name, missing);
    const { length: dim } = first.row['embedding'] as unknown[];
    return {
      provenance: undefined,
      columns: Object.entries(first.row).map(([name, value]) => ({ name, type: jsonType(value) })),
      dim,
      promised: undefined,
      batches: ({ text }) => jsonlBatches(source, dim, text),
    };
  }
  throw notAnOutput(source.name, ['no row']);
}

function notAnOutput(path: string, missing: readonly string[]): EmbedkitError {
  return new EmbedkitError('input-unreadable', `${path} is no output of embedkit: it has ${missing.join(', ')}`, {
    hint: 'name a file that embedkit embed wrote',
  });
}
