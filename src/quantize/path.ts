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
  /** The INT8 graph; the products of sites named in `keep` stay in fp32. */
  emit(keep: ReadonlySet<string>, format: GraphFormat): ModelProto;
}

export interface QuantizePath extends Way {
  readonly tapped: TappedModel;
  /** @param observations one a tap, in their order */
  quantize(observations: readonly StoredObservation[], matmul: MatMul, options: PassOptions): Promise<QuantizedModel>;
}

export type PassOptions = ChooseOptions & { readonly onSite?: (done: number, total: number) => void };
