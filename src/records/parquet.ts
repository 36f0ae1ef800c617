// Parquet files, of which only the columns that the selection touches are decoded.
import { EmbedkitError } from '../errors.js';
import { batchReader } from './arrow-rows.js';
import { openParquet } from './parquet-file.js';
import type { Item } from './record.js';
import { DEFAULT_ID_FIELDS, type Selection } from './select.js';
import { type ReadProgress, type Source, unreadable } from './source.js';
import { parseTemplate } from './template.js';

export async function* readParquet(source: Source, selection: Selection, progress: ReadProgress): AsyncGenerator<Item[]> {
  const { path } = source;
  if (path === undefined || source.bytes === 0) throw notAFile(source);
  const file = await openParquet(path).catch((error) => {
    throw unreadable(source, error);
  });
  try {
    const read = batchReader(selection, source.name, file.names);
    let row = 0;
    for await (const batch of file.batches(wantedColumns(selection, file.names))) {
      yield* read(batch, row);
      row += batch.numRows;
      progress.bytesDone += (source.bytes * batch.numRows) / file.rows;
    }
  } catch (error) {
    throw unreadable(source, error);
  } finally {
    await file.close();
  }
}

function notAFile({ name, path }: Source): EmbedkitError {
  if (path === undefined) return new EmbedkitError('usage', 'Parquet cannot be read from a pipe', { hint: 'name the file' });
  return new EmbedkitError('input-unreadable', `${name}: no Parquet file: it is empty, or not a regular file`, { hint: 'write it again' });
}

/** The top-level columns that the selection touches. */
function wantedColumns(selection: Selection, names: readonly string[]): string[] {
  const text = selection.template === undefined ? [selection.textField] : templateFields(selection.template);
  const ids = selection.idField === undefined ? DEFAULT_ID_FIELDS : [selection.idField];
  const wanted = new Set([...text, ...ids, ...selection.keep].flatMap((path) => [path, path.split('.')[0] ?? path]));
  const found = names.filter((name) => wanted.has(name));
  return found.length > 0 ? found : names.slice(0, 1);
}

function templateFields(template: string): string[] {
  return parseTemplate(template).flatMap((part) => (part.kind === 'field' ? [part.path] : []));
}
