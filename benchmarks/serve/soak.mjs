// A server under steady load while its engines are killed one after the other: node benchmarks/serve/soak.mjs [options]
// Prints JSON: what became of every request, latencies, memory each second, and whether all held. Exits 1 where something did not.
import { parseArgs } from 'node:util';
import { openModel } from '../../dist/embedder/open.js';
import { drive } from '../../dist/load/drive.js';
import { createLatencies } from '../../dist/load/latencies.js';
import { textsOf } from '../../dist/load/mixes.js';
import { runLoad } from '../../dist/load/run.js';
import { arrivals } from '../../dist/load/schedule.js';
import { rowOf } from '../../dist/vectors/matrix.js';
import { load, machine, median } from '../machine.mjs';
import { openConnection, residentBytes, rounded, startServer } from './parts.mjs';

const { values: given } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    /** Requests a second, of one text each; none: 80% of the knee, which is sought first. */
    rate: { type: 'string' },
    'kill-every': { type: 'string', default: '60' },
    /** The negative control: memory must not be flat. */
    leak: { type: 'boolean', default: false },
  },
});

const SECONDS = 60 * Number(given.minutes);
const TEXTS = 512;
const SHARE_OF_KNEE = 0.8;
const HUNG_MS = 10_000;
const IDLE_MS = 30_000;
/** What a refusal may be; anything else that is no vector is a lost request. */
const DOCUMENTED = ['status-429', 'status-503'];
/** Of the server's own process and of its engines each, from the second quarter of the time to the last: a heap breathes. */
const MOST_GROWTH_MB = 32;
const MB = 2 ** 20;

const texts = textsOf('even', TEXTS, 1);
const bodies = texts.map((text) => ({ texts: [text] }));
const expected = await expectedVectors();
const server = await startServer([], given.leak ? ['--import', new URL('./leak.mjs', import.meta.url).href] : []);
const rate = given.rate === undefined ? await rateBelowKnee() : Number(given.rate);

async function expectedVectors() {
  const model = await openModel();
  const matrix = await model.embed(texts);
  await model.close();
  return texts.map((_, row) => Float32Array.from(rowOf(matrix, row)));
}

async function rateBelowKnee() {
  const { knee } = await runLoad({ url: server.url, mix: 'even', seconds: 5 });
  return SHARE_OF_KNEE * knee;
}

const free = [];
const latencies = createLatencies();
const outcomes = {};
let requests = 0;

/** The server closes what is idle for a minute: such a connection is left before that. */
function freeConnection() {
  while (free.length > 0) {
    const { connection, since } = free.pop();
    if (performance.now() - since < IDLE_MS) return connection;
    connection.close();
  }
  return undefined;
}

/** What became of a request: `wrong` where a single bit of its vector is another. */
async function ask(which) {
  let timer;
  const hung = new Promise((resolve) => {
    timer = setTimeout(() => resolve('hung'), HUNG_MS);
  });
  const answered = (async () => {
    const connection = freeConnection() ?? (await openConnection(server.url));
    const { status, head, text } = await connection.post('/embed', bodies[which]);
    free.push({ connection, since: performance.now() });
    if (status !== 200)
      return DOCUMENTED.includes(`status-${status}`) && !/retry-after: \d/i.test(head) ? 'no-retry-after' : `status-${status}`;
    const { embeddings } = JSON.parse(text);
    return embeddings.length === 1 && isEqual(Float32Array.from(embeddings[0]), expected[which]) ? 'ok' : 'wrong';
  })().catch(() => 'no-connection');
  const outcome = await Promise.race([answered, hung]);
  clearTimeout(timer);
  return outcome;
}

function isEqual(found, wanted) {
  return found.length === wanted.length && Buffer.compare(Buffer.from(found.buffer), Buffer.from(wanted.buffer)) === 0;
}

const kills = [];
/** What was not well, and when. */
const odd = [];
const memory = [];
const started = performance.now();
const elapsed = () => rounded((performance.now() - started) / 1000);

/** Kills one engine, in turns. */
function kill() {
  const engines = server.engines();
  const pid = engines[kills.length % Math.max(1, engines.length)];
  if (pid === undefined) return;
  process.kill(pid, 'SIGKILL');
  kills.push({ at: elapsed(), of: engines.length });
}

function sample() {
  const engines = server.engines().map(residentBytes);
  const inMb = (bytes) => rounded(bytes / MB);
  memory.push({ at: elapsed(), requests, server_mb: inMb(residentBytes(server.pid)), engines_mb: engines.map(inMb) });
}

const before = load();
const timers = [setInterval(sample, 1000), setInterval(kill, 1000 * Number(given['kill-every']))];
await drive(arrivals(rate, SECONDS, 1), async ({ at, due }) => {
  const outcome = await ask((at * 7919) % TEXTS);
  requests++;
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  if (outcome !== 'ok') odd.push({ due: rounded(due / 1000), ended: elapsed(), outcome });
  if (outcome === 'ok') latencies.record(performance.now() - started - due);
});
timers.forEach(clearInterval);
for (const { connection } of free) connection.close();
await server.stop();

/** Growth of the median from the second quarter of the time to the last. */
function growth(value) {
  const quarter = (from) => memory.filter(({ at }) => at >= (from * SECONDS) / 4 && at < ((from + 1) * SECONDS) / 4).map(value);
  return rounded(median(quarter(3)) - median(quarter(1)));
}

const growth_mb = { server: growth(({ server_mb }) => server_mb), engine: growth(({ engines_mb }) => Math.max(0, ...engines_mb)) };
const of = (...names) => names.reduce((sum, name) => sum + (outcomes[name] ?? 0), 0);
const lost = requests - of('ok', 'wrong', ...DOCUMENTED);
const holds = {
  no_wrong_answer: of('wrong') === 0,
  no_lost_request: lost === 0,
  memory_is_flat: Math.max(growth_mb.server, growth_mb.engine) <= MOST_GROWTH_MB,
};
const settings = { minutes: Number(given.minutes), rate: rounded(rate), kill_every_s: Number(given['kill-every']), leak: given.leak };
const latency_ms = latencies.percentiles();
const result = { settings, holds, outcomes, requests, lost, growth_mb, most_growth_mb: MOST_GROWTH_MB, latency_ms, kills, odd };
console.log(JSON.stringify({ machine: machine(), before, after: load(), ...result, memory }));
process.exitCode = Object.values(holds).every(Boolean) ? 0 : 1;
