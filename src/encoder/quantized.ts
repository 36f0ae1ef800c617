// What quantize/ hands to emit: the integers and scales of an encoder, as plain data.
import type { LinearName } from './sites.js';

/** How the input of a site becomes uint8: clamp(round(x / divisor / scale) + zeroPoint, 0, 255), ties to even. */
export interface QuantizedInput {
  /** One a channel: what pre-scaling divides by, taken back in the rows of the weights; undefined: nothing. */
  readonly divisor: Float32Array | undefined;
  readonly scale: number;
  readonly zeroPoint: number;
}

/** W is close to weight * scales, column by column. */
export interface QuantizedLinear {
  readonly inputs: number;
  readonly outputs: number;
  /** inputs x outputs, row-major, symmetric: no zero point. */
  readonly weight: Int8Array;
  /** One an output. */
  readonly scales: Float32Array;
  readonly bias: Float32Array;
}

export interface QuantizedSite {
  readonly input: QuantizedInput;
  readonly linears: Readonly<Partial<Record<LinearName, QuantizedLinear>>>;
}

/** rows x dim, one scale a row. */
export interface QuantizedTable {
  readonly rows: number;
  readonly dim: number;
  readonly data: Int8Array;
  readonly scales: Float32Array;
}

export interface QuantizedParts {
  readonly words: QuantizedTable;
  /** By site name; a site that is not here is computed in fp32. */
  readonly sites: ReadonlyMap<string, QuantizedSite>;
}
