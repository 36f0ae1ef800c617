// Text columns from strings, encoded all at once: the library's builder goes through them one by one, at several times the cost.
import { type Data, makeData, Utf8 } from 'apache-arrow';

const ENCODER = new TextEncoder();

/** A column without nulls. Unpaired surrogates become U+FFFD. */
export function utf8Column(values: readonly string[]): Data<Utf8> {
  const valueOffsets = new Int32Array(values.length + 1);
  let end = 0;
  values.forEach((value, index) => {
    end += Buffer.byteLength(value);
    valueOffsets[index + 1] = end;
  });
  const data = ENCODER.encode(values.join(''));
  // Halves of a surrogate pair in two neighbours join into one character: those are put right first.
  if (data.length !== end) return utf8Column(values.map((value) => value.toWellFormed()));
  return makeData({ type: new Utf8(), length: values.length, nullCount: 0, valueOffsets, data });
}
