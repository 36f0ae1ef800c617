// The lines of a labelled set's files, with their places for messages. Knows nothing of what stands in a line.
import { stat } from 'node:fs/promises';
import { EmbedkitError } from '../errors.js';
import { lineText, readLines } from '../records/lines.js';
import type { Place } from '../records/record.js';
import { badRow, describeValue } from '../records/select.js';
import { readBytes } from '../records/source.js';

export interface TextLine {
  readonly text: string;
  readonly place: Place;
}

/** Longest line of a labelled set in bytes: a document of a corpus.jsonl is one line. */
export const MAX_LABELLED_LINE_BYTES = 32 * 2 ** 20;

/**
 * The lines of a UTF-8 file that are not blank, without line ends (LF or CRLF) and byte order mark; .gz and .zst are unpacked.
 * @param hint what to do where the file is missing
 * @throws EmbedkitError `input-not-found`, `input-unreadable`, `bad-row` (not UTF-8), `text-too-long`
 */
export async function* linesOf(path: string, hint: string): AsyncGenerator<TextLine> {
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) throw new EmbedkitError('input-not-found', `no file "${path}"`, { hint });
  if (!info.isFile()) throw new EmbedkitError('input-not-found', `"${path}" is not a file`, { hint });
  const source = { name: path, path, stream: undefined, compression: undefined, bytes: info.size };
  const chunks = readBytes(source, { bytesDone: 0 });
  try {
    for await (const lines of readLines(chunks, path, { maxLineBytes: MAX_LABELLED_LINE_BYTES })) {
      for (const line of lines) {
        const text = lineText(line);
        if (text.trim() !== '') yield { text, place: line.place };
      }
    }
  } catch (error) {
    throw tooLongHere(error);
  }
}

/** The reader of lines names a flag of `embed`, which whoever evaluates does not have. */
function tooLongHere(error: unknown): unknown {
  if (!(error instanceof EmbedkitError && error.code === 'text-too-long')) return error;
  return new EmbedkitError('text-too-long', error.message, { hint: 'shorten or remove this line', cause: error });
}

/** The object of a JSON line. Throws `bad-row`. */
export function objectOf({ text, place }: TextLine): Readonly<Record<string, unknown>> {
  const value = parseJson(text, place);
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
  throw badRow(place, `${describeValue(value)}, not an object`, 'write one JSON object a line');
}

function parseJson(text: string, place: Place): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRow(place, 'not JSON', 'write one JSON object a line', error);
  }
}
