// The word table as int8, one scale a row: every word keeps its own precision. Pure.
import type { Table } from '../encoder/encoder.js';
import type { QuantizedTable } from '../encoder/quantized.js';

const LARGEST = 127;

/** Symmetric: the largest magnitude of a row becomes 127. A row of zeros stays zeros. */
export function quantizeRows({ rows, dim, data }: Table): QuantizedTable {
  const integers = new Int8Array(rows * dim);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const start = row * dim;
    let top = 0;
    for (let at = start; at < start + dim; at++) top = Math.max(top, Math.abs(data[at] as number));
    const scale = Math.fround(top / LARGEST) || 1;
    scales[row] = scale;
    for (let at = start; at < start + dim; at++)
      integers[at] = Math.max(-LARGEST, Math.min(LARGEST, Math.round((data[at] as number) / scale)));
  }
  return { rows, dim, data: integers, scales };
}

/** The table that the integers stand for. */
export function dequantizeRows({ rows, dim, data, scales }: QuantizedTable): Table {
  const floats = new Float32Array(data.length);
  for (let at = 0; at < data.length; at++) floats[at] = (data[at] as number) * (scales[Math.floor(at / dim)] as number);
  return { rows, dim, data: floats };
}
