#!/usr/bin/env node
// The weekly drill: kill the server, see the fallback answer, start the server, see it used again. Exits 1 where one of these does not come true.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createClient } from 'embedkit/client';

const HELP = `Usage: node deploy/drill.mjs --url URL (--serve COMMAND | --start COMMAND --kill COMMAND) --fallback-url URL [options]

  --url URL               the server, as http://127.0.0.1:8000
  --serve COMMAND         what runs it: the drill starts, kills and starts it again, as "embedkit serve --port 8000"
  --start, --kill COMMAND for a service: "systemctl start embedkit-serve", "systemctl kill --signal=KILL embedkit-serve"
  --fallback-url URL      where to turn to; of OpenAI's contract the place before /embeddings
  --fallback-kind KIND    embedkit, openai or cohere (default: embedkit)
  --fallback-model NAME   the model to ask for there
  --fallback-key-file F   file with its key
  --same-model NAME:DIM   the model there is that of the index; its vectors are held against the server's
  --allow-other-model     only see that something answers
  --least-cosine N        of the two vectors of a listed model (default: 0.99)
  --within SECONDS        patience for each step (default: 120)
  --probe-after-ms MS     how long the circuit stays open (default: 2000)`;

const OPTIONS = {
  ...Object.fromEntries(
    ['url', 'serve', 'start', 'kill', 'fallback-url', 'fallback-kind', 'fallback-model', 'fallback-key-file', 'same-model'].map((name) => [
      name,
      { type: 'string' },
    ]),
  ),
  'allow-other-model': { type: 'boolean', default: false },
  'least-cosine': { type: 'string', default: '0.99' },
  within: { type: 'string', default: '120' },
  'probe-after-ms': { type: 'string', default: '2000' },
  help: { type: 'boolean', default: false },
};

const TEXTS = ['The weekly drill.', 'A server that is killed must be missed by nobody.'];
const EVERY_MS = 200;

/** Starts and kills by two commands, or the command itself with all that it started. */
function serviceOf({ serve, start, kill }) {
  if (serve === undefined) return { start: () => run(start), kill: () => run(kill), end: async () => undefined };
  let child;
  const killAll = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  };
  const launch = async () => {
    child = spawn('sh', ['-c', `exec ${serve}`], { detached: true, stdio: ['ignore', 'ignore', 'inherit'] });
  };
  return { start: launch, kill: killAll, end: killAll };
}

function run(command) {
  const child = spawn('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) =>
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`"${command}" ended with ${code}`)))),
  );
}

/** Asks until the answer comes from where it should. `lost` counts calls that failed, `calls` all of them. */
async function until(role, ask, seconds) {
  const started = performance.now();
  let [calls, lost, last] = [0, 0, ''];
  while (performance.now() - started < seconds * 1000) {
    calls++;
    try {
      const result = await ask();
      if (result.source.role === role) return { result, calls, lost, seconds: (performance.now() - started) / 1000 };
      last = `the ${result.source.role} answered`;
    } catch (error) {
      lost++;
      last = error.sentence ?? String(error);
    }
    await sleep(EVERY_MS);
  }
  throw new Error(`after ${seconds} s the ${role} does not answer: ${last}`);
}

function leastCosine(left, right) {
  const cosine = (a, b) => {
    const dot = (x, y) => x.reduce((sum, value, at) => sum + value * y[at], 0);
    return a.length === b.length ? dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)) : Number.NaN;
  };
  return Math.min(...left.map((vector, at) => cosine(vector, right[at])));
}

function say(step, { result, calls, lost, seconds }) {
  const { role, url, likeness } = result.source;
  console.log(
    `${step.padEnd(22)} ${role} ${url} (${result.model}, ${likeness}) after ${seconds.toFixed(1)} s, ${calls} calls, ${lost} lost`,
  );
}

/** What the vectors of both sides must have to do with each other. Throws where that does not hold. */
function compare(before, during, least) {
  const { likeness } = during.source;
  const cosine = leastCosine(before.embeddings, during.embeddings);
  console.log(`${'vectors'.padEnd(22)} cosine of the fallback's to the server's at least ${cosine.toFixed(6)}`);
  const needed = likeness === 'listed' ? least : 1 - 1e-6;
  if (likeness === 'other-model-allowed' || cosine >= needed) return;
  throw new Error(`the fallback is taken for the same model (${likeness}), but the cosine of its vectors is ${cosine}, not ${needed}`);
}

async function drill(options) {
  const service = serviceOf(options);
  const client = clientOf(options);
  const seconds = Number(options.within);
  const ask = () => client.embed(TEXTS, { allowOtherModel: options['allow-other-model'] });
  try {
    await service.start();
    const before = await until('server', ask, seconds);
    say('started', before);
    await service.kill();
    const during = await until('fallback', ask, seconds);
    say('killed', during);
    if (during.lost > 0) throw new Error(`${during.lost} calls were lost before the fallback answered`);
    compare(before.result, during.result, Number(options['least-cosine']));
    await service.start();
    const after = await until('server', ask, seconds);
    say('started again', after);
    if (after.lost > 0) throw new Error(`${after.lost} calls were lost on the way back`);
    if (client.circuit !== 'closed') throw new Error(`the circuit is ${client.circuit}`);
    if (leastCosine(before.result.embeddings, after.result.embeddings) < 1 - 1e-6)
      throw new Error('the server came back with other vectors');
  } finally {
    await service.end();
  }
}

function clientOf(options) {
  const keyFile = options['fallback-key-file'];
  const [, model, dimension] = /^(.*):(\d+)$/.exec(options['same-model'] ?? '') ?? [];
  return createClient({
    server: options.url,
    fallback: {
      kind: options['fallback-kind'] ?? 'embedkit',
      url: options['fallback-url'],
      model: options['fallback-model'],
      apiKey: keyFile && readFileSync(keyFile, 'utf8').trim(),
    },
    sameModel: model === undefined ? [] : [{ model, dimension: Number(dimension) }],
    limits: { probeAfterMs: Number(options['probe-after-ms']) },
  });
}

const { values } = parseArgs({ options: OPTIONS });
const isWhole = values.url && values['fallback-url'] && (values.serve || (values.start && values.kill));
if (values.help || !isWhole) {
  console[values.help ? 'log' : 'error'](HELP);
  process.exitCode = values.help ? 0 : 2;
} else {
  try {
    await drill(values);
    console.log('the drill passed');
  } catch (error) {
    console.error(`the drill failed: ${error.message}`);
    process.exitCode = 1;
  }
}
