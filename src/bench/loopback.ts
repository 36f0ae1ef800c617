// The same texts over HTTP: `embedkit serve` as a process of its own, asked for one text at a time over loopback on one connection.
import { type ChildProcess, spawn } from 'node:child_process';
import { Agent, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { EmbedkitError } from '../errors.js';
import type { Timed } from './protocol.js';
import type { Subject } from './subjects.js';
import type { Workload } from './turn.js';

const WARM_UP = 20;
const START_PATIENCE_MS = 60_000;
const HINT = 'try embedkit serve with the same model by itself';

/**
 * Single texts for a turn's time.
 * @param program what `serve` is a command of
 * @returns undefined for an ONNX file, which cannot be served without a model folder
 * @throws EmbedkitError `engine-failed`; the reason of `signal`
 */
export async function takeLoopbackTurn(
  { spec }: Subject,
  work: Workload,
  program: URL,
  signal: AbortSignal | undefined,
): Promise<Timed | undefined> {
  if (spec.kind !== 'folder') return undefined;
  const precision = spec.precision === undefined ? [] : ['--precision', spec.precision];
  const args = ['serve', '--port', '0', '--quiet', '--threads', String(work.threads), '--model', `measured=${spec.path}`, ...precision];
  const server = spawn(process.execPath, [fileURLToPath(program), ...args], { stdio: ['ignore', 'ignore', 'pipe'], signal });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    return await timeTexts(await addressOf(server), agent, work);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    agent.destroy();
    await ended(server);
  }
}

async function timeTexts(url: string, agent: Agent, { fixed, turnSeconds }: Workload): Promise<Timed> {
  const timed = { milliseconds: [] as number[], texts: [] as number[], tokens: [] as number[] };
  const end = performance.now() + turnSeconds * 1000;
  for (let at = 0; at <= WARM_UP || performance.now() < end; at++) {
    const started = performance.now();
    const { tokens } = await ask(url, agent, fixed[at % fixed.length] as string);
    if (at < WARM_UP) continue;
    timed.milliseconds.push(performance.now() - started);
    timed.texts.push(1);
    timed.tokens.push(tokens);
  }
  return timed;
}

function ask(url: string, agent: Agent, text: string): Promise<{ tokens: number }> {
  const body = JSON.stringify({ texts: [text] });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/embed`, { method: 'POST', agent, headers }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk;
      });
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(answer) as { tokens: number });
        else reject(failed(`HTTP ${response.statusCode}`));
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** From the line with which it says that it is ready. */
function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    const late = setTimeout(() => reject(failed('it was not ready within a minute')), START_PATIENCE_MS);
    const fail = (why: string): void => {
      clearTimeout(late);
      reject(failed(why));
    };
    server.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      said += chunk;
      const found = / ready at (http:\S+)/.exec(said)?.[1];
      if (found === undefined) return;
      clearTimeout(late);
      resolve(found);
    });
    server.once('error', ({ message }) => fail(message));
    server.once('exit', () => fail(`it ended: ${said.trim()}`));
  });
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null || server.pid === undefined) return;
  const gone = new Promise((resolve) => server.once('exit', resolve));
  server.kill('SIGKILL');
  await gone;
}

function failed(why: string): EmbedkitError {
  return new EmbedkitError('engine-failed', `--serve: the server failed: ${why}`, { hint: HINT });
}
