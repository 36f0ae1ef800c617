// embedkit itself, by the peers' contract. It forms its own batches: --batch is accepted and unused.
import { readFileSync } from 'node:fs';
import { run } from './peer.mjs';

await run('embedkit', async (args) => {
  const { openModel } = await import('../../dist/index.js');
  const model = await openModel(args.model, { threads: args.threads, precision: args.precision });
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  return {
    versions: { embedkit: manifest.version },
    embed: async (texts) => (await model.embed(texts)).data,
    close: () => model.close(),
  };
});
