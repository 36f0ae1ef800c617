// One query at a time on an idle server, against the bare engine call in this process: node benchmarks/serve/idle.mjs [rounds]
// Prints JSON: milliseconds of each, their quantiles, and the difference at P50 and P99. Nothing else should run.
import { Agent, request } from 'node:http';
import { pino } from 'pino';
import { runnerSettings } from '../../dist/embedder/open.js';
import { openRunner } from '../../dist/embedder/runner.js';
import { openFolder } from '../../dist/model/folder.js';
import { DEFAULT_BATCHES, DEFAULT_LIMITS } from '../../dist/serve/config.js';
import { startServer } from '../../dist/serve/server.js';
import { createTokenizer } from '../../dist/tokens/tokenizer.js';
import { machine } from '../machine.mjs';

const ROUNDS = Number(process.argv[2] ?? 1000);
const WARM_UP = 200;
// 10 tokens, special tokens included.
const QUERY = 'where do I mend my bicycle wheel';

const folder = await openFolder();
const tokenizer = createTokenizer(folder.tokenizer);
const ids = Int32Array.from(tokenizer.encode(QUERY, 512).ids);
const runner = await openRunner(runnerSettings(folder, tokenizer));
const server = await startServer({
  host: '127.0.0.1',
  port: 0,
  models: [{ folder: undefined }],
  batches: DEFAULT_BATCHES,
  limits: DEFAULT_LIMITS,
  acceptTokenIds: false,
  engineScript: new URL('../../dist/cli/engine-process.js', import.meta.url),
  log: pino({ level: 'silent' }),
});
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const body = JSON.stringify({ texts: [QUERY] });
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };

function ask() {
  return new Promise((resolve, reject) => {
    const asked = request(`${server.url}/embed`, { method: 'POST', agent, headers }, (response) => {
      response.on('data', () => undefined);
      response.on('end', () => (response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`))));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const bare = () => runner.run({ ids, rows: 1, width: ids.length });

async function timed(call) {
  const started = performance.now();
  await call();
  return performance.now() - started;
}

const samples = { bare: [], served: [] };
for (let i = 0; i < WARM_UP + ROUNDS; i++) {
  // In turns, so that both see the same machine.
  const [one, other] = [await timed(bare), await timed(ask)];
  if (i < WARM_UP) continue;
  samples.bare.push(one);
  samples.served.push(other);
}

const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];
const shown = (value) => Math.round(value * 1000) / 1000;
const at = (q) => ({ bare: shown(quantile(samples.bare, q)), served: shown(quantile(samples.served, q)) });
const [p50, p99] = [at(0.5), at(0.99)];
const above = { p50: shown(p50.served - p50.bare), p99: shown(p99.served - p99.bare) };
console.log(JSON.stringify({ machine: machine(), rounds: ROUNDS, tokens: ids.length, ms: { p50, p99, above } }, null, 2));
agent.destroy();
await runner.close();
await server.close(1000);
