// The graph of a model with its weights stored anew and its shapes freed, written to a folder.
import { basename, join } from 'node:path';
import { isHalvable, type StorageReport, storeAsFloat, storeAsHalf } from '../onnx/half.js';
import { allTensors, EXTERNAL, type GraphProto, sizeOf, type TensorProto } from '../onnx/proto.js';
import { type OnnxFile, rawBytes, storedBytes } from '../onnx/read.js';
import { freeShapes } from '../onnx/shapes.js';
import { createStore, INLINE_LIMIT_BYTES } from '../onnx/store.js';
import type { Dtype } from './export-options.js';

/** --dtype -> its name in the manifest, the bytes of a weight, and what stores them. */
export const WEIGHTS = {
  fp16: { dtype: 'float16', bytes: 2, store: storeAsHalf },
  fp32: { dtype: 'float32', bytes: 4, store: storeAsFloat },
} as const;

export interface Written {
  readonly path: string;
  readonly dtype: Dtype;
  /** Paths of all files written: the ONNX file, and its external data where there is any. */
  readonly files: string[];
  readonly report: StorageReport;
}

/** Changes the graph of `onnx` and writes it as model.<dtype>.onnx. */
export async function writeModel(onnx: OnnxFile, folder: string, dtype: Dtype, inlineLimitBytes = INLINE_LIMIT_BYTES): Promise<Written> {
  const graph = onnx.model.graph as GraphProto;
  const weights = WEIGHTS[dtype];
  const path = join(folder, `model.${dtype}.onnx`);
  let total = 0;
  for (const tensor of allTensors(graph)) total += isHalvable(tensor) ? sizeOf(tensor) * weights.bytes : storedBytes(tensor);
  const store = await createStore(path, total, inlineLimitBytes);
  freeShapes(graph);
  const report = await weights.store(graph, onnx.path, store);
  const kept = [...allTensors(graph)].filter((tensor) => tensor.dataLocation === EXTERNAL && !isOurs(tensor, path));
  for (const tensor of kept) await store.put(tensor, (await rawBytes(tensor, onnx.path)) ?? new Uint8Array(0));
  onnx.model.producerName = 'embedkit';
  onnx.model.producerVersion = '';
  return { path, dtype, files: await store.finish(onnx.model), report };
}

function isOurs(tensor: TensorProto, path: string): boolean {
  return tensor.externalData?.some((entry) => entry.key === 'location' && entry.value === `${basename(path)}.data`) ?? false;
}
