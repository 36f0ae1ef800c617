// A model made in memory becomes a file, its weights beside it where they would pass protobuf's limit.
import { allTensors, DEFAULT_LOCATION, type GraphProto, type ModelProto } from './proto.js';
import { createStore, INLINE_LIMIT_BYTES } from './store.js';

// Shapes, axes and the like stay in the file: the runtime infers shapes before it reads external data, and refuses to load a
// model whose shapes it cannot see. The size is the one ONNX's own writer uses (onnx.external_data_helper, size_threshold).
const LEAST_EXTERNAL_BYTES = 1024;

/** Writes a model whose tensors all hold their data, and hold it afterwards; returns the paths written. */
export async function writeGraph(model: ModelProto, path: string, limit: number = INLINE_LIMIT_BYTES): Promise<string[]> {
  const tensors = [...allTensors(model.graph as GraphProto)].filter(({ rawData }) => rawData?.length);
  const total = tensors.reduce((sum, { rawData }) => sum + (rawData?.length ?? 0), 0);
  const store = await createStore(path, total, limit);
  const large = total > limit ? tensors.filter(({ rawData }) => (rawData?.length ?? 0) >= LEAST_EXTERNAL_BYTES) : [];
  const data = large.map(({ rawData }) => rawData as Uint8Array);
  for (const [at, tensor] of large.entries()) await store.put(tensor, data[at] as Uint8Array);
  const paths = await store.finish(model);
  for (const [at, tensor] of large.entries())
    Object.assign(tensor, { rawData: data[at], dataLocation: DEFAULT_LOCATION, externalData: [] });
  return paths;
}
