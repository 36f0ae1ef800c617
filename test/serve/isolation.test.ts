// Engines that crash, hang, fail or lie: the server lives, nothing innocent is lost, and it says what is wrong.
import { describe, expect, it } from 'vitest';
import { bodyOf, metric, REAL_ENGINE, type Served, served, until } from './served.js';

async function answerTo(one: Served, texts: string[]): Promise<[number, string?]> {
  const response = await one.post('/embed', { texts });
  const body = await bodyOf(response);
  return response.status === 200 ? [200] : [response.status, body.error.message];
}

const ready = async ({ url }: Served): Promise<number> => (await fetch(`${url}/ready`)).status;
const enginesOf = ({ server }: Served) => (server.models[0] as Served['server']['models'][number]).engines;

describe('an engine that is killed by SIGSEGV', () => {
  it('loses nothing that was in flight, is replaced, and /health answers meanwhile', async () => {
    const one = await served({ engineScript: REAL_ENGINE, threads: 1 });
    const texts = Array.from({ length: 60 }, (_, i) => `text number ${i} `.repeat(1 + (i % 20)));
    const expected = await bodyOf(one.post('/embed', { texts }));
    const [pid] = enginesOf(one).pids;
    const asked = texts.map((text) => one.post('/embed', { texts: [text] }));
    await until(async () => (await metric(one.url, 'embeddings_queue_texts')) > 5);
    process.kill(pid as number, 'SIGSEGV');
    await until(() => enginesOf(one).ready === 0);
    expect((await fetch(`${one.url}/health`)).status).toBe(200);
    expect(await ready(one)).toBe(503);
    const answers = await Promise.all(asked.map((response) => bodyOf(response)));
    expect(answers.map(({ embeddings }) => embeddings[0])).toEqual(expected.embeddings);
    expect(await ready(one)).toBe(200);
    expect(enginesOf(one).pids).not.toContain(pid);
    expect(await metric(one.url, 'embeddings_engine_restarts_total')).toBe(1);
    expect(one.lines.find(({ how }) => how !== undefined)).toMatchObject({ how: 'signal SIGSEGV', model: 'bge-small-en-v1.5' });
  });
});

describe('a text', () => {
  it('that takes its engine down is tried once more, alone, then named; what was beside it has its vector', async () => {
    const one = await served({ threads: 1 });
    const asked = ['a one', 'a two', 'a crash', 'a three'].map((text) => answerTo(one, [text]));
    const crashed = [500, 'text 0 took its engine down twice; leave that text out and report it'];
    expect(await Promise.all(asked)).toEqual([[200], [200], crashed, [200]]);
    expect(await metric(one.url, 'embeddings_engine_restarts_total')).toBe(2);
    expect((await answerTo(one, ['b', 'c', 'exit']))[1]).toMatch(/^text 2 took its engine down twice/);
    await until(async () => (await ready(one)) === 200);
    expect(await answerTo(one, ['all is well'])).toEqual([200]);
  });

  it('that makes its engine hang does not hold it for ever', async () => {
    const one = await served({ threads: 1, hangsMs: 300 });
    expect((await answerTo(one, ['b', 'hang']))[1]).toMatch(/^text 1 took its engine down twice/);
    await until(async () => (await ready(one)) === 200);
  });

  it('whose batch fails is tried alone, then named', async () => {
    const one = await served({ threads: 1 });
    const asked = ['a one', 'a fail', 'a two'].map((text) => answerTo(one, [text]));
    const failed = [500, expect.stringMatching(/^text 0 failed twice \(the stub was asked to fail\)/)];
    expect(await Promise.all(asked)).toEqual([[200], failed, [200]]);
    expect(await metric(one.url, 'embeddings_engine_restarts_total')).toBe(0);
  });

  it.each(['broken', 'zero'])('whose vector is %s is a 500 that names it, not an answer', async (word) => {
    const one = await served();
    const broken = [500, expect.stringMatching(/^the model gave text 1 a vector that is not finite/)];
    expect(await answerTo(one, ['fine', `a ${word}`, 'fine too'])).toEqual(broken);
    expect(await answerTo(one, ['fine'])).toEqual([200]);
  });
});

describe('/health', () => {
  it('answers while the engines are busy and while hundreds of texts are read and written', async () => {
    const one = await served({ engineScript: REAL_ENGINE });
    let isOver = false;
    const flood = one.post('/embed', { texts: Array.from({ length: 500 }, (_, i) => `text ${i} of a flood`) }).finally(() => {
      isOver = true;
    });
    let answered = 0;
    while (!isOver) {
      expect((await fetch(`${one.url}/health`)).status).toBe(200);
      answered++;
    }
    expect((await flood).status).toBe(200);
    expect(answered).toBeGreaterThan(5);
  });
});
