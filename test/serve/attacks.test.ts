// Attacks over raw sockets: none takes the server down, holds it up, or gets more than an error.
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metric, type Served, startServed, until } from './served.js';

let served: Served;
let port: number;

beforeAll(async () => {
  served = await startServed({
    limits: { headerTimeoutMs: 500, bodyTimeoutMs: 1000, idleTimeoutMs: 1500, maxBodyBytes: 100_000, maxConnections: 60 },
  });
  port = Number(new URL(served.url).port);
});
afterAll(async () => void (await served?.server.close(0)));

interface Raw {
  readonly socket: Socket;
  /** All that the server said until it closed. */
  readonly said: Promise<string>;
}

function open(bytes: string | Buffer): Raw {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  const said = new Promise<string>((resolve) => {
    socket.on('error', () => resolve(text));
    socket.on('close', () => resolve(text));
  });
  socket.write(bytes);
  return { socket, said };
}

/** A request with any bytes for a body, after which the server is asked to close. */
function post(body: string | Buffer, headers = ''): Promise<string> {
  const bytes = Buffer.from(body);
  const length = headers || `content-length: ${bytes.length}\r\n`;
  const head = `POST /embed HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-type: application/json\r\n${length}\r\n`;
  return open(Buffer.concat([Buffer.from(head), bytes])).said;
}

async function lives(): Promise<void> {
  const response = await served.post('/embed', { texts: ['still here'] });
  expect(response.status).toBe(200);
  await response.arrayBuffer();
}

const statusOf = (said: string): number => Number(/^HTTP\/1.1 (\d+)/.exec(said)?.[1]);

describe('a body', () => {
  const deep = '['.repeat(40_000);
  const CASES: [string, string | Buffer, number, RegExp][] = [
    ['that is no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 400, /not UTF-8/],
    [
      'with an overlong sequence',
      Buffer.concat([Buffer.from('{"texts":["'), Buffer.from([0xc0, 0xaf]), Buffer.from('"]}')]),
      400,
      /not UTF-8/,
    ],
    ['with a key for prototypes', '{"texts":["a"],"__proto__":{"model":"x"}}', 400, /reaches for a prototype/],
    ['with a constructor key', '{"texts":["a"],"constructor":{"prototype":{"model":"x"}}}', 400, /reaches for a prototype/],
    ['of deep arrays', `{"texts":${deep}${']'.repeat(40_000)}}`, 422, /texts/],
    ['of deep arrays without an end', `{"texts":${deep}`, 400, /not JSON/],
    ['of deep objects', `${'{"texts":'.repeat(9000)}1${'}'.repeat(9000)}`, 422, /texts/],
    ['with numbers beyond all bounds', '{"texts":["a"],"dimensions":1e999}', 422, /dimensions/],
    ['with a zero byte', '{"texts":["a"]}\0', 400, /not JSON/],
    ['in UTF-16', Buffer.from('{"texts":["a"]}', 'utf16le'), 400, /not/],
    ['larger than it may be', `{"texts":["${'x'.repeat(100_000)}"]}`, 413, /larger than/],
    ['with a list for an object', '[[],[],{}]', 422, /the body/],
    ['with the methods of objects as names', '{"texts":["a"],"model":"toString"}', 404, /no model of that name/],
  ];

  it.each(CASES)('%s is an error of its own', async (_, body, status, message) => {
    const said = await post(body);
    expect([statusOf(said), said]).toEqual([status, expect.stringMatching(message)]);
    await lives();
  });

  it('that says it is a gigabyte is refused unread', async () => {
    expect(statusOf(await post('{', 'content-length: 1000000000\r\n'))).toBe(413);
    const chunk = `${(50_000).toString(16)}\r\n${'x'.repeat(50_000)}\r\n`;
    expect(statusOf(await post(chunk.repeat(4), 'transfer-encoding: chunked\r\n'))).toBe(413);
    await lives();
  });

  it('shorter than announced is 408, and longer is 400', async () => {
    expect(statusOf(await post('{"texts":', 'content-length: 500\r\n'))).toBe(408);
    expect(statusOf(await post('{"texts":["a"]} and more', 'content-length: 15\r\n'))).toBe(400);
    await lives();
  });
});

describe('a connection', () => {
  it.each([
    ['that says nothing of sense', 'hello there\r\n\r\n', 400],
    ['in TLS', Buffer.from('16030100f1010000ed0303', 'hex'), 400],
    ['with two lengths', 'POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n', 400],
    [
      'with a length and chunks',
      'POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['with a negative length', 'POST /embed HTTP/1.1\r\nhost: a\r\ncontent-length: -5\r\n\r\n', 400],
    ['without a host', 'POST /embed HTTP/1.1\r\n\r\n', 400],
    ['with headers without end', `GET / HTTP/1.1\r\nhost: a\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
  ])('%s is told so and closed', async (_, bytes, status) => {
    expect(statusOf(await open(bytes).said)).toBe(status);
    await lives();
  });

  it('that sends its headers slowly is told 408 and closed', async () => {
    const { socket, said } = open('POST /embed HTTP/1.1\r\nhost: a\r\n');
    const drip = setInterval(() => socket.write('x: y\r\n'), 100);
    const answer = await said;
    clearInterval(drip);
    expect([statusOf(answer), answer]).toEqual([408, expect.stringMatching(/did not come in time/)]);
  });

  it('that sends its body slowly is told 408 and closed', async () => {
    const { socket, said } = open('POST /embed HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n');
    const drip = setInterval(() => socket.write(' '), 100);
    expect(statusOf(await said)).toBe(408);
    clearInterval(drip);
  });

  it('that stays idle is closed', async () => {
    expect(await open('').said).toMatch(/^(HTTP\/1.1 408.*)?$/s);
    const { said } = open('GET /health HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(statusOf(await said)).toBe(200);
  });

  it('that pipelines has its answers in order', async () => {
    const bodies = Array.from({ length: 20 }, (_, i) => JSON.stringify({ texts: Array(i).fill('a') }));
    const requests = bodies.map((body, i) => {
      const last = i === 19 ? 'connection: close\r\n' : '';
      return `POST /embed HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${last}content-length: ${body.length}\r\n\r\n${body}`;
    });
    const said = await open(requests.join('')).said;
    const tokens = [...said.matchAll(/"tokens":(\d+)/g)].map(([, count]) => Number(count));
    expect(tokens).toEqual(bodies.map((_, i) => 3 * i));
  });

  it('beyond the bound is turned away, and the others go on', async () => {
    const held = Array.from({ length: 80 }, () => open('GET /health HTTP/1.1\r\nhost: a\r\n'));
    let closed = 0;
    for (const { said } of held) said.then(() => closed++);
    await until(() => closed >= 20);
    await Promise.all(held.map(({ said }) => said));
    await lives();
    expect(await metric(served.url, 'embeddings_rejected_total', 'too-many-connections')).toBeGreaterThanOrEqual(20);
  });
});

/** Of 40 requests; benchmarks/serve/malformed.mjs sends ten thousand of every kind. */
const ROUNDS = 8;

describe('many malformed requests', () => {
  it('leave the server alive', async () => {
    const valid = '{"texts":["a","b"],"model":"bge-small-int8","prompt":"query","dimensions":384,"truncate":true}';
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 48271) % 2147483647;
      return seed % below;
    };
    const mutated = (): Buffer => {
      const bytes = Buffer.from(valid);
      for (let i = 0; i <= random(4); i++) bytes[random(bytes.length)] = random(256);
      return random(3) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    };
    const statuses = new Map<number, number>();
    const one = async (): Promise<void> => {
      const response = await served.post('/embed', mutated().toString('latin1'));
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      await response.arrayBuffer();
    };
    for (let i = 0; i < ROUNDS; i++) await Promise.all(Array.from({ length: 40 }, one));
    expect([...statuses.keys()].filter((status) => ![200, 400, 404, 422].includes(status))).toEqual([]);
    expect(statuses.get(400)).toBeGreaterThan(ROUNDS);
    await lives();
  });
});
