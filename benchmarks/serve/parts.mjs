// What the measurements of the server share: `embedkit serve` as a process of its own, a lean client on one connection, memory, quantiles.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../bin/embedkit.js', import.meta.url));
const PAGE_BYTES = 4096;

/** Starts `embedkit serve` on a free port; `nodeArgs` go before the script. */
export async function startServer(args = [], nodeArgs = []) {
  const command = [...nodeArgs, BIN, 'serve', '--port', '0', '--quiet', ...args];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'pipe'] });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  let said = '';
  const url = await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      said += chunk;
      const found = / ready at (http:\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
  const stop = async () => {
    process.off('exit', end);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return { url, pid: child.pid, engines: () => childrenOf(child.pid), stop };
}

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** Resident memory of a process; 0 where it has gone. */
export function residentBytes(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}

const HEAD_END = '\r\n\r\n';

/**
 * One kept connection, on which a request is sent when the last is answered. Node's own client costs half a millisecond a request on
 * the machine that is measured; this one writes bytes and reads until the announced length.
 */
export async function openConnection(url, client = '127.0.0.1') {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), localAddress: client });
  socket.setNoDelay(true);
  await once(socket, 'connect');
  let answer = Buffer.alloc(0);
  let waiting;
  socket.on('data', (chunk) => {
    answer = answer.length === 0 ? chunk : Buffer.concat([answer, chunk]);
    const head = answer.indexOf(HEAD_END);
    if (head === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(answer.latin1Slice(0, head))[1]);
    const from = head + HEAD_END.length;
    if (answer.length < from + length) return;
    const whole = answer;
    answer = Buffer.alloc(0);
    waiting.resolve({
      status: Number(whole.latin1Slice(9, 12)),
      head: whole.latin1Slice(0, head),
      text: whole.utf8Slice(from, from + length),
    });
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('the server closed the connection')));
  const send = (bytes) =>
    new Promise((resolve, reject) => {
      // Closed while it was idle: no event will tell of it again.
      if (socket.destroyed || socket.readableEnded) throw new Error('the connection is closed');
      waiting = { resolve, reject };
      socket.write(bytes);
    });
  return {
    get: (path) => send(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`),
    post: (path, body) => {
      const bytes = Buffer.from(JSON.stringify(body));
      const head = `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${bytes.length}${HEAD_END}`;
      return send(Buffer.concat([Buffer.from(head), bytes]));
    },
    close: () => socket.destroy(),
  };
}

/** Milliseconds that a call takes, and what came of it. */
export async function timed(call) {
  const started = performance.now();
  const result = await call();
  return { ms: performance.now() - started, result };
}

export function quantile(values, q) {
  return [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];
}

/** To a thousandth. */
export function rounded(value) {
  return Math.round(value * 1000) / 1000;
}

export function quantiles(values) {
  const at = (q) => rounded(quantile(values, q));
  return { count: values.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}
