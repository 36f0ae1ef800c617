// The server over the real model: the same bits as embed, in every form, under concurrency.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '#src/client/client.js';
import { type EmbeddingModel, openModel } from '#src/embedder/open.js';
import { rowOf } from '#src/vectors/matrix.js';
import { GOLDEN_TEXTS } from '../golden/texts.js';
import { bodyOf, REAL_ENGINE, type Served, startServed } from './served.js';

const ODD = ['', ' ', '\u0000', 'e\u0301 \ud800 你好 🚲', 'x'.repeat(3000)];
const TEXTS_IN_ALL = 1000;
const QUERIES = Array.from({ length: TEXTS_IN_ALL - GOLDEN_TEXTS.length - ODD.length }, (_, i) => {
  const golden = GOLDEN_TEXTS[i % GOLDEN_TEXTS.length] as string;
  return `question ${i}: ${golden.slice(0, 10 + ((i * 7) % 50))}`;
});
const TEXTS = [...GOLDEN_TEXTS.map((text) => text.slice(0, 200)), ...QUERIES, ...ODD];

let served: Served;
let model: EmbeddingModel;
let expected: Float32Array[];

beforeAll(async () => {
  model = await openModel(undefined, { threads: 2 });
  const matrix = await model.embed(TEXTS);
  expected = TEXTS.map((_, row) => rowOf(matrix, row));
  served = await startServed({ engineScript: REAL_ENGINE });
});

afterAll(async () => {
  await served?.server.close(0);
  await model?.close();
});

/** Indices in a fixed shuffled order, in pieces of uneven size. */
function pieces(): number[][] {
  const order = TEXTS.map((_, i) => i).sort((a, b) => ((a * 7919) % 1009) - ((b * 7919) % 1009));
  const cut: number[][] = [];
  for (let at = 0, size = 1; at < order.length; at += size, size = (size * 5) % 13 || 1) cut.push(order.slice(at, at + size));
  return cut;
}

const float32 = (numbers: number[]): Float32Array => Float32Array.from(numbers);
const fromBase64 = (text: string): Float32Array => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);

type Reader = (texts: string[]) => Promise<Float32Array[]>;

const FORMS: Record<string, Reader> = {
  '/embed': async (texts) => (await bodyOf(served.post('/embed', { texts }))).embeddings.map(float32),
  '/embed with inputs': async (texts) => (await bodyOf<number[][]>(served.post('/embed', { inputs: texts }))).map(float32),
  '/v1/embeddings in base64': async (texts) => {
    const { data } = await bodyOf(served.post('/v1/embeddings', { input: texts, model: 'bge-small-int8', encoding_format: 'base64' }));
    return data.map(({ embedding }) => fromBase64(embedding));
  },
  '/v1/embeddings as numbers': async (texts) => {
    const { data } = await bodyOf(served.post('/v1/embeddings', { input: texts, model: 'BAAI/bge-small-en-v1.5' }));
    return data.map(({ embedding }) => float32(embedding));
  },
  "embedkit's own client": async (texts) => {
    const { embeddings, source, fingerprint } = await createClient({ server: served.url }).embed(texts);
    expect([source.role, fingerprint]).toEqual(['server', model.fingerprint]);
    return [...embeddings];
  },
};

describe('vectors', () => {
  it('of a thousand texts are those of embed, bit for bit, in every form, while many ask at once', async () => {
    expect(new Set(TEXTS).size).toBeGreaterThan(TEXTS_IN_ALL * 0.95);
    const readers = Object.values(FORMS);
    const asked = pieces().map(async (indices, i) => {
      const vectors = await (readers[i % readers.length] as Reader)(indices.map((index) => TEXTS[index] as string));
      expect(vectors.length).toBe(indices.length);
      indices.forEach((index, at) => {
        expect(Buffer.compare(bytesOf(vectors[at] as Float32Array), bytesOf(expected[index] as Float32Array)), `text ${index}`).toBe(0);
      });
    });
    await Promise.all(asked);
  });

  it('of queries carry the prompt of the model', async () => {
    const query = await model.embed(['tea'], { prompt: 'query' });
    const { embeddings } = await bodyOf(served.post('/embed', { texts: ['tea'], prompt: 'query' }));
    expect(float32(embeddings[0] as number[])).toEqual(rowOf(query, 0));
    const [inputs] = await bodyOf<[number[]]>(served.post('/', { inputs: 'tea', prompt_name: 'query' }));
    expect(float32(inputs)).toEqual(rowOf(query, 0));
  });

  it('come with tokens counted and what was cut named', async () => {
    const long = 'word '.repeat(600);
    const body = await bodyOf(served.post('/embed', { texts: ['tea', long, 'two words'] }));
    expect(body).toMatchObject({ model: 'bge-small-en-v1.5', tokens: 3 + 512 + 4, truncated: [1] });
    expect(body.latency_ms).toBeGreaterThan(0);
    const openai = await served.post('/v1/embeddings', { input: [long], model: 'bge-small-int8' });
    expect(openai.headers.get('x-embedkit-truncated')).toBe('1');
    expect((await bodyOf(openai)).usage).toEqual({ prompt_tokens: 512, total_tokens: 512 });
  });
});

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
