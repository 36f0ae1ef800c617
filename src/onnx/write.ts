// A model made in memory becomes a file, its weights beside it where they would pass protobuf's limit.
import { allTensors, type GraphProto, type ModelProto } from './proto.js';
import { createStore, INLINE_LIMIT_BYTES } from './store.js';

/** Writes a model whose tensors all hold their data; returns the paths written. */
export async function writeGraph(model: ModelProto, path: string, limit: number = INLINE_LIMIT_BYTES): Promise<string[]> {
  const tensors = [...allTensors(model.graph as GraphProto)].filter(({ rawData }) => rawData?.length);
  const total = tensors.reduce((sum, { rawData }) => sum + (rawData?.length ?? 0), 0);
  const store = await createStore(path, total, limit);
  if (total > limit) for (const tensor of tensors) await store.put(tensor, tensor.rawData as Uint8Array);
  return store.finish(model);
}
