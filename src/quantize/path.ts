// The two ways to quantize a model, behind one contract: through its encoder, or in place in any graph.
import type { ModelProto } from '../onnx/proto.js';
import type { Pooling } from '../vectors/pool.js';
import type { Choice, ChooseOptions, MatMul } from './choose.js';
import type { StoredObservation } from './observation.js';
import type { TappedModel } from './observe.js';

export type GraphFormat = 'fused' | 'qdq';

/** What a quantized graph takes and gives, for the manifest. */
export interface Ports {
  readonly inputs: readonly string[];
  readonly output: string;
  /** What is left to do to the output for one vector a text. */
  readonly pooling: Pooling;
}

/** Which way a model went. */
export interface Way {
  readonly method: 'encoder' | 'portable';
  /** Why the encoder path was not taken. */
  readonly fallback: string | undefined;
}

export interface QuantizedModel extends Way {
  /** By site name, in the order in which the sites are computed. */
  readonly choices: ReadonlyMap<string, Choice>;
  readonly ports: Ports;
  readonly opset: number;
  /** The INT8 graph; the products of sites named in `keep`, which must be among the keepable, stay in fp32. */
  emit(keep: ReadonlySet<string>, format: GraphFormat): ModelProto;
}

/** Holds no weights: each step reads those that it needs, so that a large model is not in memory beside the engine that runs it. */
export interface QuantizePath extends Way {
  tapped(): Promise<TappedModel>;
  /** @param observations one a tap, in their order */
  quantize(observations: readonly StoredObservation[], matmul: MatMul, options: PassOptions): Promise<QuantizedModel>;
}

export interface PassOptions extends ChooseOptions {
  /** Told of each site when it is scaled, and again when it is quantized. */
  readonly onSite?: (done: number, total: number) => void;
  /** How many sites may be kept in fp32, the most sensitive ones; what all others were is let go. Default: any. */
  readonly keepable?: number;
}
