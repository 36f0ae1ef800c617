// What records/ hands on: one text with its id and the columns to carry through.
import type { DataType, Vector } from 'apache-arrow';
import type { EmbedkitError } from '../errors.js';

/** Where a record stands in its source: a file and a 1-based line, or a 0-based row of a columnar file. */
export interface Place {
  readonly source: string;
  readonly unit: 'line' | 'row';
  readonly number: number;
}

/** Kept values of one row: plain JS values, or a row of an Arrow batch, which keeps its exact types. */
export type KeptRow =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'arrow'; readonly columns: readonly Vector[]; readonly row: number };

export interface TextRecord {
  /** The id as text. Undefined where the input names none: the reader above gives it its global row number. */
  readonly id: string | undefined;
  readonly text: string;
  readonly kept: KeptRow;
  readonly place: Place;
}

/** A row that holds no text: why, where, and what it held. */
export interface BadRow {
  readonly error: EmbedkitError;
  readonly id: string | undefined;
  readonly place: Place;
  /** The bytes of the row as far as the source has them; undefined for columnar sources. */
  readonly raw: Buffer | undefined;
}

/** What an input holds, in its order. */
export type Item = TextRecord | BadRow;

/** The name and, where the source fixes it, the Arrow type of a kept column. */
export interface KeptField {
  readonly name: string;
  readonly type: DataType | undefined;
}

export function describePlace(place: Place): string {
  return `${place.source}, ${place.unit} ${place.number}`;
}
