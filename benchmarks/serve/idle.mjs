// One query at a time on an idle server, against the bare engine call in this process: node benchmarks/serve/idle.mjs [rounds]
// Prints JSON: milliseconds of each way and what they take above the bare call. Nothing else should run.
import { Agent, request } from 'node:http';
import { runnerSettings } from '../../dist/embedder/open.js';
import { openRunner } from '../../dist/embedder/runner.js';
import { startProcess } from '../../dist/engine/process.js';
import { openFolder } from '../../dist/model/folder.js';
import { createTokenizer } from '../../dist/tokens/tokenizer.js';
import { load, machine } from '../machine.mjs';
import { openConnection, quantiles, rounded, startServer, timed } from './parts.mjs';

const ROUNDS = Number(process.argv[2] ?? 1000);
const WARM_UP = 200;
const BLOCK = 50;
/** Of a block, not counted. */
const FIRST = 5;
// 10 tokens, special tokens included.
const QUERY = 'where do I mend my bicycle wheel';

const folder = await openFolder();
const tokenizer = createTokenizer(folder.tokenizer);
const ids = Int32Array.from(tokenizer.encode(QUERY, 512).ids);
const batch = { ids, rows: 1, width: ids.length };
const settings = runnerSettings(folder, tokenizer);
const runner = await openRunner(settings);
const engine = startProcess({ script: new URL('../../dist/cli/engine-process.js', import.meta.url), settings });
await engine.ready;
const server = await startServer();
const connection = await openConnection(server.url);
const agent = new Agent({ keepAlive: true, maxSockets: 1 });
const body = { texts: [QUERY] };

function askByHttp() {
  const bytes = JSON.stringify(body);
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(bytes) };
  return new Promise((resolve, reject) => {
    const asked = request(`${server.url}/embed`, { method: 'POST', agent, headers }, (response) => {
      response.on('data', () => undefined);
      response.on('end', () => resolve({ status: response.statusCode }));
    });
    asked.on('error', reject);
    asked.end(bytes);
  });
}

/** Each way, and the part of it that is not for the query's own sake. */
const WAYS = {
  bare: () => runner.run(batch),
  engine_process: () => engine.run(batch),
  served: () => connection.post('/embed', body),
  served_to_node_http: askByHttp,
  no_texts: () => connection.post('/embed', { texts: [] }),
};

const samples = Object.fromEntries(Object.keys(WAYS).map((way) => [way, []]));
for (let round = 0; round < WARM_UP + ROUNDS; round += BLOCK) {
  // By turns, so that all see the same machine; some in a row, so that each finds its own model in the CPU's cache, and not another's.
  for (const [way, call] of Object.entries(WAYS)) {
    for (let at = 0; at < BLOCK; at++) {
      const { ms, result } = await timed(call);
      if (result.status !== undefined && result.status !== 200) throw new Error(`${way}: status ${result.status}`);
      if (round >= WARM_UP && at >= FIRST) samples[way].push(ms);
    }
  }
}

const ms = Object.fromEntries(Object.entries(samples).map(([way, values]) => [way, quantiles(values)]));
const above = ({ p50, p99 }) => ({ p50: rounded(p50 - ms.bare.p50), p99: rounded(p99 - ms.bare.p99) });
const aboveBare = {
  engine_process: above(ms.engine_process),
  served: above(ms.served),
  served_to_node_http: above(ms.served_to_node_http),
};
console.log(
  JSON.stringify({ machine: machine(), after: load(), rounds: ROUNDS, tokens: ids.length, ms, above_bare_ms: aboveBare }, null, 2),
);
connection.close();
agent.destroy();
engine.kill();
await runner.close();
await server.stop();
