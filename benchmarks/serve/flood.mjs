// Short queries, and /health, while one client floods with texts of 512 tokens: node benchmarks/serve/flood.mjs [seconds]
// Prints JSON: latencies idle and flooded, and their ratio. Nothing else should run.
import { load, machine } from '../machine.mjs';
import { openConnection, quantiles, rounded, startServer, timed } from './parts.mjs';

const SECONDS = Number(process.argv[2] ?? 30);
const IDLE_ROUNDS = 300;
const WARM_UP = 50;
const QUERY = { texts: ['where do I mend my bicycle wheel'] };
// One word is one token; with the two special tokens 512.
const long = (first) => `${first} ${'word '.repeat(509)}`.trim();
const LONG = { texts: [long('one')] };
const FLOOD_TEXTS = 16;
/** Requests of the flood that are under way at the same time. */
const FLOOD_REQUESTS = 4;
const QUERY_EVERY_MS = 50;
const HEALTH_EVERY_MS = 20;
// Clients are told apart by their addresses, and loopback has many.
const ADDRESSES = { asker: '127.0.0.1', flooder: '127.0.0.2' };

const server = await startServer();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function ok(answer) {
  const { status, text } = await answer;
  if (status !== 200) throw new Error(`status ${status}: ${text}`);
  return JSON.parse(text);
}

/** Poisson arrivals, each on a connection of its own that is free: latencies from when they were due. */
async function arriving(call, everyMs, isOver) {
  const [latencies, free, underWay] = [[], [], []];
  const one = async (due) => {
    const connection = free.pop() ?? (await openConnection(server.url, ADDRESSES.asker));
    await ok(call(connection));
    latencies.push(performance.now() - due);
    free.push(connection);
  };
  for (let due = performance.now(); !isOver(); due -= Math.log(1 - Math.random()) * everyMs) {
    const wait = due - performance.now();
    if (wait > 0) await sleep(wait);
    underWay.push(one(due));
  }
  await Promise.all(underWay);
  for (const connection of free) connection.close();
  return latencies;
}

async function idle(body) {
  const connection = await openConnection(server.url, ADDRESSES.asker);
  const latencies = [];
  for (let round = 0; round < WARM_UP + IDLE_ROUNDS; round++) {
    const { ms } = await timed(() => ok(connection.post('/embed', body)));
    if (round >= WARM_UP) latencies.push(ms);
  }
  connection.close();
  return quantiles(latencies);
}

/** Keeps so many requests of long texts under way until `isOver`; what is refused is sent again when the server says. */
async function flood(isOver) {
  const done = { texts: 0, refused: 0 };
  const lane = async () => {
    const connection = await openConnection(server.url, ADDRESSES.flooder);
    for (let at = 0; !isOver(); at++) {
      const texts = Array.from({ length: FLOOD_TEXTS }, (_, text) => long(`${at + text}`));
      const { status, head } = await connection.post('/embed', { texts });
      if (status === 200) done.texts += FLOOD_TEXTS;
      else if (status === 429) {
        done.refused++;
        await sleep(1000 * Number(/retry-after: (\d+)/i.exec(head)[1]));
      } else throw new Error(`the flood had status ${status}`);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: FLOOD_REQUESTS }, lane));
  return done;
}

async function flooded() {
  let over = false;
  const isOver = () => over;
  const flooding = flood(isOver);
  await sleep(2000);
  const started = performance.now();
  setTimeout(() => {
    over = true;
  }, SECONDS * 1000);
  const [queries, alive] = await Promise.all([
    arriving((connection) => connection.post('/embed', QUERY), QUERY_EVERY_MS, isOver),
    arriving((connection) => connection.get('/health'), HEALTH_EVERY_MS, isOver),
  ]);
  const seconds = (performance.now() - started) / 1000;
  const floodDone = await flooding;
  return { seconds: rounded(seconds), query: quantiles(queries), health: quantiles(alive), flood: floodDone };
}

const before = load();
const idle_ms = { query: await idle(QUERY), long_text: await idle(LONG) };
const flooded_ms = await flooded();
const ratio = rounded(flooded_ms.query.p99 / idle_ms.long_text.p99);
const asked = { query_p99_over_idle_long_p99: 4, health_p99_ms: 20 };
console.log(
  JSON.stringify({ machine: machine(), before, after: load(), idle_ms, flooded_ms, query_p99_over_idle_long_p99: ratio, asked }, null, 2),
);
await server.stop();
