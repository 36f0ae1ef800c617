// The pool of workers with scripts that behave well and badly: it answers, fails with the cause, and never hangs.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { WorkerPool } from '#src/engine/pool.js';
import { temporaryFolder } from '../run.js';

const START = `import { parentPort, threadId } from 'node:worker_threads';
const ready = () => parentPort.postMessage({ kind: 'ready' });
let jobs = 0;
const answer = ({ job, batch }) => parentPort.postMessage({ kind: 'done', job, vectors: Float32Array.of(batch.ids[0], threadId), milliseconds: 2 });
const serve = (run) => parentPort.on('message', (message) => (message.kind === 'close' ? parentPort.close() : run(message)));
`;

const SCRIPTS = {
  answers: 'serve(answer); ready();',
  'never answers': 'serve(() => undefined); ready();',
  'never ready': 'serve(answer);',
  'throws at start': "throw new Error('no such file');",
  'exits at start': 'process.exit(3);',
  'cannot load': "parentPort.postMessage({ kind: 'failed', job: undefined, message: 'model.onnx: damaged' });",
  'throws in a job': "serve(() => { throw new Error('out of memory'); }); ready();",
  'exits in a job': 'serve(() => process.exit(9)); ready();',
  'fails at the third job':
    "serve((m) => (++jobs < 3 ? answer(m) : parentPort.postMessage({ kind: 'failed', job: m.job, message: 'third' }))); ready();",
};

function poolOf(behaviour: keyof typeof SCRIPTS, workers = 2): WorkerPool {
  const path = join(temporaryFolder(), 'worker.mjs');
  writeFileSync(path, START + SCRIPTS[behaviour]);
  return new WorkerPool({ workers, script: pathToFileURL(path), settings: {} });
}

const batch = (id: number) => ({ ids: Int32Array.of(id), rows: 1, width: 1 });
const runMany = (pool: WorkerPool, count: number) => Promise.all(Array.from({ length: count }, (_, id) => pool.run(batch(id))));

describe('WorkerPool', () => {
  it('gives each batch its own answer, and every worker some of them', async () => {
    const pool = poolOf('answers');
    await pool.ready();
    const answers = await runMany(pool, 50);
    expect(answers.map(([id]) => id)).toEqual([...Array(50).keys()]);
    expect(new Set(answers.map(([, thread]) => thread)).size).toBe(2);
    expect(pool.busySeconds).toBeCloseTo(0.1, 9);
    await pool.close();
  });

  it.each([
    ['throws at start', /an engine thread threw: no such file/],
    ['exits at start', /ended by itself \(code 3\)/],
    ['cannot load', /model\.onnx: damaged/],
  ] as const)('a worker that %s fails ready and every run', async (behaviour, why) => {
    const pool = poolOf(behaviour);
    await expect(pool.ready()).rejects.toThrow(why);
    await expect(pool.run(batch(1))).rejects.toMatchObject({ code: 'engine-failed', message: expect.stringMatching(why) });
    await pool.close();
  });

  it.each([
    ['throws in a job', /an engine thread threw: out of memory/],
    ['exits in a job', /ended by itself \(code 9\)/],
    ['fails at the third job', /third/],
  ] as const)('a worker that %s fails the runs that wait and those to come', async (behaviour, why) => {
    const pool = poolOf(behaviour, 1);
    const settled = await Promise.allSettled(Array.from({ length: 8 }, (_, id) => pool.run(batch(id))));
    const reasons = settled.flatMap((result) => (result.status === 'rejected' ? [String(result.reason.message)] : []));
    expect(reasons).toHaveLength(behaviour === 'fails at the third job' ? 6 : 8);
    for (const reason of reasons) expect(reason).toMatch(why);
    await expect(pool.run(batch(9))).rejects.toThrow(why);
    await pool.close();
  });

  it('keeps what a worker threw as the cause', async () => {
    const pool = poolOf('throws in a job', 1);
    await expect(pool.run(batch(0))).rejects.toMatchObject({ cause: expect.objectContaining({ message: 'out of memory' }) });
    await pool.close();
  });
});

describe('WorkerPool.close', () => {
  it('ends workers that have not loaded yet, and says so to who waits for them', async () => {
    const pool = poolOf('never ready');
    const waiting = expect(pool.ready()).rejects.toMatchObject({ code: 'interrupted' });
    await pool.close();
    await waiting;
  });

  it('while busy waits for the batches that the workers hold, two each, and rejects those that wait', async () => {
    const pool = poolOf('answers');
    const runs = Promise.allSettled(Array.from({ length: 9 }, (_, id) => pool.run(batch(id))));
    await pool.close();
    const settled = await runs;
    expect(settled.map(({ status }) => status)).toEqual([...Array(4).fill('fulfilled'), ...Array(5).fill('rejected')]);
  });

  it('while busy lets go of what runs and waits', async () => {
    const pool = poolOf('never answers');
    const runs = Promise.allSettled(Array.from({ length: 9 }, (_, id) => pool.run(batch(id))));
    await pool.ready();
    await pool.close();
    expect((await runs).map((run) => run.status)).toEqual(Array(9).fill('rejected'));
  });

  it.each(Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[])('twice at once, then again, then a run: settles (%s)', async (behaviour) => {
    const pool = poolOf(behaviour);
    await Promise.all([pool.close(), pool.close()]);
    await pool.close();
    await expect(pool.run(batch(1))).rejects.toThrow();
  });
});
