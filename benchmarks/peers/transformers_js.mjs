// Peer: npm @huggingface/transformers, feature-extraction pipeline, on our ONNX file in fp32, or on the runtime's dynamic INT8 of it (its q8).
import { basename, dirname, resolve } from 'node:path';
import { inBatches, require, run, versionOf } from './peer.mjs';

await run('transformers.js', async (args) => {
  const { env, pipeline } = require('@huggingface/transformers');
  env.allowRemoteModels = false;
  env.localModelPath = dirname(resolve(args.model));
  const extractor = await pipeline('feature-extraction', basename(resolve(args.model)), {
    dtype: args.variant, // fp32: onnx/model.onnx; q8: onnx/model_quantized.onnx
    device: 'cpu',
    session_options: { intraOpNumThreads: args.threads, interOpNumThreads: 1 },
  });
  return {
    versions: {
      '@huggingface/transformers': versionOf('@huggingface/transformers'),
      'onnxruntime-node': versionOf('onnxruntime-node'),
    },
    // The pipeline runs whatever it is given as one batch, so batches are cut here.
    embed: (texts) => inBatches(texts, args.batch, async (batch) => (await extractor(batch, { pooling: 'cls', normalize: true })).data),
    close: () => extractor.dispose(),
  };
});
