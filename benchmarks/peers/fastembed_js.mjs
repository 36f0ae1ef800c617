// Peer: npm fastembed, custom model, on our ONNX file. It pads every text to 512 tokens.
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { require, run, versionOf } from './peer.mjs';

await run('fastembed (npm)', async (args) => {
  // The package offers no thread option. Its session would take ONNX Runtime's default,
  // the number of physical cores; the budget is put into the one call that opens it.
  const own = createRequire(require.resolve('fastembed'));
  const { InferenceSession } = own('onnxruntime-node');
  const create = InferenceSession.create;
  InferenceSession.create = (model, options) =>
    create.call(InferenceSession, model, { ...options, intraOpNumThreads: args.threads, interOpNumThreads: 1 });

  const { EmbeddingModel, FlagEmbedding } = require('fastembed');
  const model = await FlagEmbedding.init({
    model: EmbeddingModel.CUSTOM,
    modelAbsoluteDirPath: resolve(args.model),
    modelName: 'onnx/model.onnx',
  });
  return {
    versions: {
      fastembed: versionOf('fastembed'),
      'onnxruntime-node': versionOf('onnxruntime-node', own.resolve('onnxruntime-node')),
      '@anush008/tokenizers': versionOf('@anush008/tokenizers', own.resolve('@anush008/tokenizers')),
    },
    embed: async (texts) => {
      const rows = [];
      for await (const batch of model.embed(texts, args.batch)) rows.push(...batch);
      const out = new Float32Array(rows.length * rows[0].length);
      for (const [i, row] of rows.entries()) out.set(row, i * row.length);
      return out;
    },
  };
});
