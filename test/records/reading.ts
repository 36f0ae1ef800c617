// What the tests of records/ share: inputs read to their end, and bytes handed over in chunks of any size.
import { Readable } from 'node:stream';
import { EmbedkitError } from '#src/errors.js';
import { isBad, recordsOnly } from '#src/records/bad-rows.js';
import type { FormatName } from '#src/records/formats.js';
import { readRecords, resolveInputs } from '#src/records/read.js';
import type { Item, TextRecord } from '#src/records/record.js';
import type { Selection } from '#src/records/select.js';

export interface Reading extends Partial<Selection> {
  readonly from?: FormatName;
  readonly stdin?: Readable;
  readonly maxLineBytes?: number;
  /** Told of each bad row; without it the first one ends the reading. */
  readonly onBadRow?: (error: EmbedkitError) => unknown;
}

/** All records of the inputs that the names stand for, as a run reads them. */
export async function readAll(names: readonly string[], reading: Reading = {}): Promise<TextRecord[]> {
  const records: TextRecord[] = [];
  for await (const some of openRecords(await resolveInputs(names, { from: reading.from, stdin: reading.stdin }), reading)) {
    records.push(...some);
  }
  return records;
}

export function openRecords(inputs: Awaited<ReturnType<typeof resolveInputs>>, reading: Reading = {}): AsyncGenerator<TextRecord[]> {
  const { textField = 'text', template, idField, keep = [], maxLineBytes = 2 ** 20, onBadRow } = reading;
  const items = readRecords(inputs, { selection: { textField, template, idField, keep }, limits: { maxLineBytes } }, { bytesDone: 0 });
  return onBadRow === undefined ? recordsOnly(items) : goodOnly(items, onBadRow);
}

async function* goodOnly(chunks: AsyncIterable<Item[]>, onBadRow: (error: EmbedkitError) => unknown): AsyncGenerator<TextRecord[]> {
  for await (const items of chunks) {
    for (const item of items) if (isBad(item)) onBadRow(item.error);
    yield items.filter((item): item is TextRecord => !isBad(item));
  }
}

/** Records of bytes that come on standard input in these chunks. */
export function readPiped(chunks: readonly Uint8Array[], from: FormatName, reading: Reading = {}): Promise<TextRecord[]> {
  const stdin = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  return readAll(['-'], { ...reading, from, stdin });
}

/** Bytes cut into chunks whose sizes repeat; sizes of 0 are left out. */
export function cutBySizes(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  const used = sizes.filter((size) => size > 0);
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = used[turn % used.length] ?? bytes.length;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

/** The error that a promise fails with, which must be one that embedkit throws on purpose. */
export async function failureOf(work: Promise<unknown>): Promise<EmbedkitError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (thrown instanceof EmbedkitError) return thrown;
  throw new Error(`expected an EmbedkitError, got ${thrown}`, { cause: thrown });
}
