// Malformed requests and attacks over raw sockets, the server in a process of its own: node benchmarks/serve/malformed.mjs [--requests 10000] [--leak]
// Prints JSON: answers by kind and status, the server's memory on the way, and whether all held. Exits 1 where something did not.
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { load, machine, median } from '../machine.mjs';
import { openConnection, residentBytes, rounded, startServer } from './parts.mjs';

const { values: given } = parseArgs({
  options: {
    requests: { type: 'string', default: '10000' },
    /** The negative control: memory must not be flat. */
    leak: { type: 'boolean', default: false },
  },
});

const REQUESTS = Number(given.requests);
const AT_ONCE = 20;
const SAMPLE_EVERY = 100;
/** A connection that is still open then is one that the server let hang. */
const HUNG_MS = 20_000;
/** From the second quarter of the requests to the last: a heap breathes. */
const MOST_GROWTH_MB = 32;
const MB = 2 ** 20;
const VALID = '{"texts":["a","b"],"model":"bge-small-int8","prompt":"query","dimensions":384,"truncate":true}';

let seed = 7;
function random(below) {
  seed = (seed * 48271) % 2147483647;
  return seed % below;
}

function post(body, length = body.length) {
  const head = `POST /embed HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

/** Some bytes of a good body are others, and of one in three the end is missing. */
function mutated() {
  const bytes = Buffer.from(VALID);
  for (let left = 1 + random(4); left > 0; left--) bytes[random(bytes.length)] = random(256);
  return post(random(3) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes);
}

function deep() {
  const levels = 1 + random(40_000);
  return post(`{"texts":${'['.repeat(levels)}${random(2) === 0 ? ']'.repeat(levels) : ''}`);
}

/** Kind -> the bytes of one; every second request is a mutated body, the others are these by turns. */
const KINDS = {
  mutated,
  deep,
  'invalid utf-8': () => post(Buffer.from([0x7b, 0x22, 0x80 + random(128), 0xfe, 0x22, 0x7d])),
  'prototype key': () => post(`{"texts":["a"],"${random(2) === 0 ? '__proto__' : 'constructor'}":{"prototype":{"model":"x"}}}`),
  'a gigabyte announced': () => post('{', 1_000_000_000),
  'longer than announced': () => post(VALID, VALID.length - 1 - random(20)),
  'two lengths': () => Buffer.from('POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n'),
  'no http': () => Buffer.from(Array.from({ length: 1 + random(200) }, () => random(256)).concat([13, 10, 13, 10])),
  'headers without end': () => Buffer.from(`GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(20_000 + random(20_000))}\r\n\r\n`),
  pipelined: () =>
    Buffer.concat([...Array(4).fill(post('{"texts":[]}').toString().replace('connection: close\r\n', '')).map(Buffer.from), mutated()]),
};
/** The client goes away in the middle of these; what the server makes of the rest nobody hears. */
const LEFT = { 'left in the head': () => Buffer.from('POST /embed HTTP/1.1\r\nhost: a\r\n'), 'left in the body': () => post(VALID, 500) };
const OTHERS = Object.entries({ ...KINDS, ...LEFT }).slice(1);

const server = await startServer([], given.leak ? ['--import', new URL('./leak.mjs', import.meta.url).href] : []);
const port = Number(new URL(server.url).port);

/** The status of the first answer, `closed` without one, `left` or `hung`. */
function ask(bytes, isLeft) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let said = '';
    const timer = setTimeout(() => end('hung'), isLeft ? 50 : HUNG_MS);
    const end = (outcome) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(isLeft ? 'left' : (/^HTTP\/1.1 (\d+)/.exec(said)?.[1] ?? outcome));
    };
    socket.on('data', (chunk) => {
      said += chunk.latin1Slice(0, 20);
    });
    socket.on('error', () => end('closed'));
    socket.on('close', () => end('closed'));
    socket.write(bytes);
  });
}

const outcomes = {};
const memory = [];
let begun = 0;

async function client() {
  while (begun < REQUESTS) {
    const at = begun++;
    if (at % SAMPLE_EVERY === 0) memory.push({ requests: at, server_mb: rounded(residentBytes(server.pid) / MB) });
    const [kind, bytes] = at % 2 === 0 ? ['mutated', mutated] : OTHERS[((at - 1) / 2) % OTHERS.length];
    const outcome = await ask(bytes(), kind in LEFT);
    outcomes[kind] ??= {};
    outcomes[kind][outcome] = (outcomes[kind][outcome] ?? 0) + 1;
  }
}

const before = load();
await Promise.all(Array.from({ length: AT_ONCE }, client));
const connection = await openConnection(server.url);
const { status } = await connection.post('/embed', { texts: ['still here'] });
connection.close();
await server.stop();

/** Growth of the median from the second quarter of the requests to the last. */
function growth() {
  const quarter = (from) => memory.slice((from * memory.length) / 4, ((from + 1) * memory.length) / 4).map(({ server_mb }) => server_mb);
  return rounded(median(quarter(3)) - median(quarter(1)));
}

const seen = new Set(Object.values(outcomes).flatMap(Object.keys));
const growth_mb = growth();
const holds = {
  still_answers: status === 200,
  no_server_error: ![...seen].some((outcome) => outcome.startsWith('5')),
  none_hung: !seen.has('hung'),
  memory_is_flat: growth_mb <= MOST_GROWTH_MB,
};
const settings = { requests: REQUESTS, at_once: AT_ONCE, leak: given.leak };
console.log(
  JSON.stringify({
    machine: machine(),
    before,
    after: load(),
    settings,
    holds,
    outcomes,
    growth_mb,
    most_growth_mb: MOST_GROWTH_MB,
    memory,
  }),
);
process.exitCode = Object.values(holds).every(Boolean) ? 0 : 1;
