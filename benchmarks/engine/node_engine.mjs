// One engine on onnxruntime-node as embedkit opens it, told by lines of JSON when to run: `sessions` worker threads with a session each.
// usage: node node_engine.mjs '{"model": FILE, "sessions": 1, "threads": 1}'
import { createInterface } from 'node:readline';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Passes over one batch until the time is over. seconds: 0 is one pass, for warming up. */
async function passes(engine, input, seconds) {
  const start = performance.now();
  let done = 0;
  do {
    await engine.run(input);
    done++;
  } while (performance.now() - start < seconds * 1000);
  return { passes: done, seconds: (performance.now() - start) / 1000 };
}

async function clsVectors(engine, input) {
  const { hidden, dims } = await engine.run(input);
  const dim = dims.at(-1);
  const step = hidden.length / input.rows; // width x dim, or dim where the graph gives the CLS rows alone
  const rows = Array.from({ length: input.rows }, (_, row) => hidden.slice(row * step, row * step + dim));
  return { vectors: rows.map((row) => [...row]) };
}

async function work() {
  const { openOrt } = await import('../../dist/engine/ort.js');
  const engine = await openOrt(workerData.model, { threads: workerData.threads });
  parentPort.on('message', async ({ rows, width, ids, seconds, vectors }) => {
    const input = { rows, width, ids: Int32Array.from(ids) };
    parentPort.postMessage(vectors ? await clsVectors(engine, input) : await passes(engine, input, seconds));
  });
  parentPort.postMessage('ready');
}

async function lead() {
  const settings = JSON.parse(process.argv[2]);
  const start = performance.now();
  const workers = Array.from({ length: settings.sessions }, () => new Worker(new URL(import.meta.url), { workerData: settings }));
  for (const worker of workers) worker.once('error', stop);
  const replies = () => Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  const ask = (message, to = workers) => {
    const answered = replies();
    for (const worker of to) worker.postMessage(message);
    return answered;
  };
  await replies();
  const { versions } = await import('onnxruntime-node').then(({ env }) => env);
  say({ versions: { node: process.versions.node, 'onnxruntime-node': versions.node }, load_seconds: (performance.now() - start) / 1000 });
  for await (const line of createInterface({ input: process.stdin })) {
    const message = JSON.parse(line);
    if (message.vectors) say((await ask(message))[0]);
    else {
      for (let warm = 0; warm < message.warm; warm++) await ask({ ...message, seconds: 0 });
      say({ sessions: await ask(message) });
    }
  }
  process.exit(0);
}

function stop(error) {
  console.error(error);
  process.exit(1);
}

const say = (reply) => process.stdout.write(`${JSON.stringify(reply)}\n`);

await (isMainThread ? lead() : work());
