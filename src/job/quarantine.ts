// The rows that could not be embedded, a JSON object a line: where each stands, why, and as much of it as it takes to find it again.
import { isUtf8 } from 'node:buffer';
import { type FileHandle, open } from 'node:fs/promises';
import { unwritable } from '../columns/sinks.js';
import type { BadRow } from '../records/record.js';

/** Of a bad row's bytes at most so many are kept. */
export const RAW_BYTES = 4096;

/** The quarantine file of an output. */
export function quarantinePath(output: string): string {
  return `${output}.quarantine.jsonl`;
}

/** Where the bad rows of a run into a stream go, as they come. */
export interface QuarantineStream {
  /** Throws `output-unwritable`. */
  add(rows: readonly BadRow[]): Promise<void>;
  close(): Promise<void>;
}

/** A file, FIFO or descriptor; it is opened, and a file replaced, by the first bad row, so that no bad row leaves no file. */
export function openQuarantine(path: string | undefined): QuarantineStream {
  let file: FileHandle | undefined;
  return {
    async add(rows) {
      if (path === undefined || rows.length === 0) return;
      try {
        file ??= await open(path, 'w');
        await file.appendFile(rows.map(quarantineLine).join(''));
      } catch (error) {
        throw unwritable(path, error);
      }
    },
    close: async () => file?.close(),
  };
}

export function quarantineLine({ error, id, place, raw }: BadRow): string {
  const fields = {
    file: place.source,
    [place.unit]: place.number,
    id: id ?? null,
    code: error.code,
    message: error.message,
    hint: error.hint,
    ...rawFields(raw),
  };
  return `${JSON.stringify(fields)}\n`;
}

/** The bytes as text where they are UTF-8, else in base64; `raw_bytes` only where some were left out. */
function rawFields(raw: Buffer | undefined): object {
  if (raw === undefined) return {};
  const kept = raw.subarray(0, RAW_BYTES);
  const cut = raw.length > kept.length ? { raw_bytes: raw.length } : {};
  // A cut may go through a character.
  const text = isUtf8(raw) ? kept.toString('utf8').replace(/\uFFFD$/, '') : undefined;
  return { ...(text === undefined ? { raw_base64: kept.toString('base64') } : { raw: text }), ...cut };
}
