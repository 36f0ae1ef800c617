// What each route takes, answers and refuses, over a stub engine.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bodyOf, type Served, startServed } from './served.js';

let served: Served;

beforeAll(async () => {
  served = await startServed();
});
afterAll(async () => void (await served?.server.close(0)));

const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(served.url + path, init);

async function refused(path: string, body: unknown, status: number, message: RegExp, headers: Record<string, string> = {}): Promise<void> {
  const response = await served.post(path, body, headers);
  const answer = await bodyOf(response);
  expect([response.status, answer.error.message ?? answer.error]).toEqual([status, expect.stringMatching(message)]);
}

describe('POST /embed', () => {
  it('answers no texts with no vectors', async () => {
    const response = await served.post('/embed', { texts: [] });
    expect(response.status).toBe(200);
    expect(await bodyOf(response)).toMatchObject({ embeddings: [], tokens: 0, truncated: [], model: 'bge-small-en-v1.5' });
  });

  it('knows the model by its name, its aliases and no other', async () => {
    for (const model of ['bge-small-en-v1.5', 'bge-small-int8', 'bge-small-en-v1.5-int8', 'BAAI/bge-small-en-v1.5']) {
      expect((await served.post('/embed', { texts: ['a'], model })).status).toBe(200);
    }
    await refused('/embed', { texts: ['a'], model: 'gpt' }, 404, /no model of that name.*name one of bge-small-en-v1.5, bge-small-int8/);
  });

  it('refuses what it does not understand, and says which field', async () => {
    await refused('/embed', { texts: 'a' }, 422, /^texts: .*array/);
    await refused('/embed', { texts: ['a', 1] }, 422, /^texts.1: .*string/);
    await refused('/embed', { texts: ['a'], promt: 'query' }, 422, /promt/);
    await refused('/embed', { texts: ['a'], prompt: 'toString' }, 422, /no prompt of that name; name one of none, query, document/);
    await refused('/embed', { texts: ['a'], dimensions: 100 }, 422, /^dimensions 100: .*gives vectors of 384/);
    await refused('/embed', { texts: ['a'], dimensions: 0 }, 422, /^dimensions: /);
    await refused('/embed', [], 422, /the body/);
    await refused('/embed', 'null', 422, /the body/);
    await refused('/embed', '{"texts": ["a"', 400, /not JSON, .*; send one JSON object in UTF-8/);
    await refused('/embed', '', 400, /not JSON/);
    await refused('/embed', '{"texts": []}', 415, /content-type: application\/json/, { 'content-type': 'text/plain' });
  });

  it('refuses to cut where it must not', async () => {
    await refused(
      '/embed',
      { texts: ['a', 'word '.repeat(600)], truncate: false },
      413,
      /text 1 has 602 tokens; bge-small-en-v1.5 sees 512/,
    );
    expect((await served.post('/embed', { texts: ['word '.repeat(510)], truncate: false })).status).toBe(200);
  });
});

describe('POST /v1/embeddings', () => {
  const model = 'bge-small-int8';

  it("keeps OpenAI's contract", async () => {
    const numbers = await bodyOf(served.post('/v1/embeddings', { input: ['tea', 'more tea'], model, user: 'u', dimensions: 384 }));
    expect(numbers).toMatchObject({ object: 'list', model: 'bge-small-en-v1.5', usage: { prompt_tokens: 7, total_tokens: 7 } });
    const kinds = numbers.data.map(({ object, index }) => [object, index]);
    expect(kinds).toEqual([0, 1].map((index) => ['embedding', index]));
    const base64 = await bodyOf(served.post('/v1/embeddings', { input: 'more tea', model, encoding_format: 'base64' }));
    const bytes = Buffer.from(base64.data[0]?.embedding as string, 'base64');
    const floats = Float32Array.from({ length: 384 }, (_, i) => bytes.readFloatLE(4 * i));
    expect(floats).toEqual(Float32Array.from(numbers.data[1]?.embedding ?? []));
  });

  it('has its error objects', async () => {
    const response = await served.post('/v1/embeddings', { input: 'tea', model: 'text-embedding-3-small' });
    expect(response.status).toBe(404);
    const { error } = await bodyOf(response);
    expect(error).toMatchObject({ type: 'not_found', code: 'model-not-found', param: 'model', message: expect.any(String) });
  });

  it('refuses token ids with the remedy', async () => {
    await refused('/v1/embeddings', { input: [1, 2, 3], model }, 422, /token ids.*check_embedding_ctx_length=False.*--accept-token-ids/);
    await refused('/v1/embeddings', { input: [[1, 2], [3]], model }, 422, /text 0 is a list of token ids/);
    await refused('/v1/embeddings', { input: ['a', 1], model }, 422, /input is a text or a list of texts/);
    await refused('/v1/embeddings', { input: 'a' }, 422, /^model: /);
  });
});

describe('a server that takes token ids', () => {
  it('embeds them as they are, and refuses those of no word', async () => {
    const one = await startServed({ acceptTokenIds: true, threads: 1 });
    try {
      const ask = async (input: unknown) => bodyOf(one.post('/v1/embeddings', { input, model: 'bge-small-int8' }));
      const [tokens] = await bodyOf<[{ id: number }[]]>(one.post('/tokenize', { inputs: 'more tea' }));
      const ids = tokens.map(({ id }) => id);
      const text = await ask('more tea');
      expect((await ask(ids)).data).toEqual(text.data);
      expect((await ask([ids, ids])).data[1]?.embedding).toEqual(text.data[0]?.embedding);
      expect((await ask([[101, 30_522, 102]])).error.message).toMatch(
        /text 0 has no ids, or ids that .* lacks; send 1 or more ids from 0 to 30521/,
      );
      expect((await ask([ids, []])).error.message).toMatch(/text 1 has no ids/);
      expect((await ask(Array(600).fill(2000))).usage).toEqual({ prompt_tokens: 512, total_tokens: 512 });
    } finally {
      await one.server.close(0);
    }
  });
});

describe("text-embeddings-inference's form", () => {
  it('is answered with bare lists, at /embed and at /', async () => {
    const { embeddings } = await bodyOf(served.post('/embed', { texts: ['tea'], prompt: 'query' }));
    for (const path of ['/', '/embed']) {
      const body = { inputs: 'tea', normalize: true, truncate: null, truncation_direction: 'right', prompt_name: 'query' };
      expect(await bodyOf(served.post(path, body))).toEqual(embeddings);
    }
  });

  it('has its errors, and refuses what would change the vector', async () => {
    const response = await served.post('/', { inputs: 'tea', normalize: false });
    const problem = { error: expect.stringMatching(/length 1 only; leave normalize out/), error_type: 'invalid' };
    expect([response.status, await bodyOf(response)]).toEqual([422, problem]);
    await refused('/', { inputs: 'tea', truncation_direction: 'left' }, 422, /cut on the right/);
    await refused('/', { inputs: [1] }, 422, /inputs is a text/);
  });

  it('has its tokens', async () => {
    const [tokens] = await bodyOf<[{ text: string }[]]>(served.post('/tokenize', { inputs: 'embedkit' }));
    expect(tokens.map(({ text }) => text)).toEqual(['[CLS]', 'em', '##bed', '##kit', '[SEP]']);
    expect(tokens[0]).toEqual({ id: 101, text: '[CLS]', special: true, start: null, stop: null });
    const [bare] = await bodyOf<[unknown[]]>(served.post('/tokenize', { inputs: ['embedkit'], add_special_tokens: false }));
    expect(bare.length).toBe(3);
  });
});

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<
    string,
    { readonly post: { readonly requestBody: { readonly content: Record<string, { readonly schema: unknown }> } } }
  >;
}

describe('other routes', () => {
  it('tell of the server', async () => {
    expect(await bodyOf(get('/health'))).toEqual({ status: 'ok' });
    expect(await bodyOf(get('/ready'))).toMatchObject({ status: 'ready', models: { 'bge-small-en-v1.5': { ready: true, engines: 2 } } });
    const { models, limits } = await bodyOf(get('/info'));
    const facts = { name: 'bge-small-en-v1.5', dim: 384, max_tokens: 512, fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) };
    expect(models[0]).toMatchObject(facts);
    expect(limits.maxTexts).toBe(2048);
    expect((await bodyOf(get('/v1/models'))).data[0]?.id).toBe('bge-small-en-v1.5');
  });

  it('say where else to go', async () => {
    const missing = await get('/embeddings');
    expect([missing.status, (await bodyOf(missing)).error.message]).toEqual([404, 'no such path; see /openapi.json']);
    const wrong = await get('/embed', { method: 'DELETE' });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST']);
    expect((await get('/embed?x=1')).status).toBe(405);
    expect((await get('/ready', { method: 'QUERY', body: 'not JSON' })).status).toBe(405);
    expect((await get('/nowhere', { method: 'PUT', body: 'not JSON' })).status).toBe(404);
  });

  it('let no other site in', async () => {
    const response = await served.post('/embed', { texts: ['a'] }, { origin: 'https://elsewhere.example' });
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect((await get('/embed', { method: 'OPTIONS', headers: { origin: 'https://elsewhere.example' } })).status).toBe(405);
  });

  it('describe themselves', async () => {
    const { openapi, paths } = await bodyOf<OpenApi>(get('/openapi.json'));
    expect(openapi).toBe('3.1.0');
    expect(Object.keys(paths).sort()).toEqual(
      '/ /embed /health /info /metrics /openapi.json /page.css /page.js /ready /tokenize /v1/embeddings /v1/models'.split(' '),
    );
    const schema = paths['/v1/embeddings']?.post.requestBody.content['application/json']?.schema;
    expect(schema).toMatchObject({ required: ['input', 'model'], additionalProperties: false });
  });

  it('have a page that runs nothing but its own script', async () => {
    const page = await get('/');
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self'; /);
    const html = await page.text();
    expect(html).not.toMatch(/<script>|<style|style=| on\w+=|https?:/);
    const parts = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, name]) => get(`/${name}`));
    expect((await Promise.all(parts)).map(({ status }) => status)).toEqual([200, 200, 200]);
  });
});

describe('the log', () => {
  it('has one line a request and no text', async () => {
    const before = served.lines.length;
    await served.post('/embed', { texts: ['a secret text', 'and another secret'], prompt: 'query' });
    await served.post('/embed', { texts: [{ secret: 1 }] });
    await served.post('/embed', '{"texts": ["secret');
    await get('/secret?secret=1');
    const lines = served.lines.slice(before);
    expect(lines.map(({ route, status, texts, refusal }) => [route, status, texts, refusal])).toEqual([
      ['/embed', 200, 2, undefined],
      ['/embed', 422, 0, 'invalid'],
      ['/embed', 400, 0, 'malformed-json'],
      ['none', 404, 0, 'not-found'],
    ]);
    expect(lines[0]).toMatchObject({ tokens: 26, ms: expect.any(Number), client: '127.0.0.1', method: 'POST' });
    expect(JSON.stringify(lines)).not.toMatch(/secret/);
  });
});
