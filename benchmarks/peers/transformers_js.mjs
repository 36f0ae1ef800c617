// Peer: npm @huggingface/transformers, feature-extraction pipeline, fp32, on our ONNX file.
import { basename, dirname, resolve } from 'node:path';
import { inBatches, require, run, versionOf } from './peer.mjs';

await run('transformers.js', async (args) => {
  const { env, pipeline } = require('@huggingface/transformers');
  env.allowRemoteModels = false;
  env.localModelPath = dirname(resolve(args.model));
  const extractor = await pipeline('feature-extraction', basename(resolve(args.model)), {
    dtype: 'fp32', // onnx/model.onnx
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
