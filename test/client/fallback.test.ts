// Vectors of different models never mix: when the fallback is taken, what it is told, and what every result says.
import { describe, expect, it } from 'vitest';
import { type ClientConfig, createClient, type EmbedkitError, type EndpointConfig, type Kind } from '#src/client/index.js';
import { deadPort, type StandIn, standIn, vectorOf } from './stand-in.js';

const LIMITS = { timeoutMs: 20_000, backoffMs: 5, probeAfterMs: 100 };
const SAME = 'f'.repeat(64);
const at = ({ url }: StandIn, kind: Kind, rest: Partial<EndpointConfig> = {}): EndpointConfig => ({
  kind,
  url: kind === 'openai' ? `${url}/v1` : url,
  ...(kind !== 'embedkit' && { model: 'cloud' }),
  ...rest,
});
const dead = async (): Promise<string> => `http://127.0.0.1:${await deadPort()}`;
const make = (config: ClientConfig) => createClient({ limits: LIMITS, ...config });
const failure = (call: Promise<unknown>): Promise<EmbedkitError> =>
  call.then(
    (result) => expect.fail(`did not fail: ${JSON.stringify(result)}`),
    (error: EmbedkitError) => error,
  );

describe('the server', () => {
  it('is asked alone while it answers, and the result says what made it', async () => {
    const server = await standIn();
    const other = await standIn({ model: 'cloud' });
    const client = make({ server: server.url, fallback: at(other, 'openai'), sameModel: [{ model: 'cloud', dimension: 4 }] });
    const result = await client.embed(['a', 'long']);
    expect(result).toMatchObject({ model: 'small', dimension: 4, fingerprint: SAME, tokens: 6, truncated: [1] });
    expect(result.source).toEqual({ role: 'server', kind: 'embedkit', url: server.url, likeness: 'same-fingerprint' });
    expect(other.received).toEqual([]);
  });

  it('that comes back as another model is not mixed in, though its name is the same and no failure was seen', async () => {
    const server = await standIn();
    const client = make({ server: server.url });
    await client.embed(['a']);
    await server.stop();
    const next = await standIn({ port: server.port, fingerprint: '0'.repeat(64) });
    const error = await failure(client.embed(['a']));
    expect(error.code).toBe('model-differs');
    expect(error.message).toMatch(/answers as small \(000000000000…\), 4 dimensions; the index holds small \(ffffffffffff…\)/);
    expect((await client.embed(['a'], { allowOtherModel: true })).source.likeness).toBe('other-model-allowed');
    expect(next.received.length).toBeGreaterThan(0);
  });

  it('is asked for its fingerprint with every answer that does not carry one, and not else', async () => {
    for (const [tells, asked] of [
      [true, 0],
      [false, 3],
    ] as const) {
      const server = await standIn({ tells });
      const client = make({ server: server.url, fingerprint: SAME });
      for (const _ of [1, 2, 3]) expect((await client.embed(['a'])).fingerprint).toBe(SAME);
      expect(server.asked).toBe(asked);
      server.fingerprint = '0'.repeat(64);
      expect((await failure(client.embed(['a']))).code).toBe('model-differs');
    }
  });

  it('must declare the fingerprint that the caller names', async () => {
    const server = await standIn({ fingerprint: null });
    expect((await failure(make({ server: server.url, fingerprint: SAME }).embed(['a']))).code).toBe('model-differs');
    const unnamed = make({ server: server.url });
    for (const _ of [1, 2]) expect((await unnamed.embed(['a'])).source.likeness).toBe('same-server');
    server.model = 'other';
    expect((await failure(unnamed.embed(['a']))).code).toBe('model-differs');
  });
});

describe('a fallback is taken by itself', () => {
  it.each<Kind>(['embedkit', 'openai'])('where an endpoint of kind %s declares the same fingerprint', async (kind) => {
    const other = await standIn({ model: 'cloud' });
    const result = await make({ server: await dead(), fingerprint: SAME, fallback: at(other, kind) }).embed(['a', 'b']);
    expect(result.embeddings).toEqual(['a', 'b'].map((text) => Float32Array.from(vectorOf(text, 'cloud'))));
    expect(result).toMatchObject({ model: 'cloud', fingerprint: SAME, source: { role: 'fallback', kind, likeness: 'same-fingerprint' } });
  });

  it('under the fingerprint learned from the server, and the server is used again when it is back', async () => {
    const server = await standIn();
    const other = await standIn();
    const states: string[] = [];
    const limits = { ...LIMITS, probeAfterMs: 1000 };
    const client = make({ server: server.url, fallback: at(other, 'embedkit'), limits, onCircuit: (state) => states.push(state) });
    const roles: string[] = [(await client.embed(['a'])).source.role];
    await server.stop();
    for (const _ of [1, 2, 3]) roles.push((await client.embed(['a'])).source.role);
    await standIn({ port: server.port });
    await new Promise((resolve) => setTimeout(resolve, 1020));
    roles.push((await client.embed(['a'])).source.role);
    expect(roles).toEqual(['server', 'fallback', 'fallback', 'fallback', 'server']);
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it.each<[Kind, string]>([
    ['openai', '/v1/embeddings'],
    ['cohere', '/v2/embed'],
  ])('where name and dimension at a %s endpoint are listed', async (kind, path) => {
    const other = await standIn({ model: 'cloud', fingerprint: null });
    const fallback = at(other, kind, { apiKey: 'secret', prompts: { query: 'q: ' } });
    const client = make({ server: await dead(), fallback, sameModel: [{ model: 'cloud', dimension: 4 }] });
    const result = await client.embed(['a', 'b'], { prompt: 'query', dimensions: 4 });
    expect(result).toMatchObject({ model: 'cloud', fingerprint: undefined, tokens: 6, source: { role: 'fallback', likeness: 'listed' } });
    const sent = kind === 'cohere' ? ['a', 'b'] : ['q: a', 'q: b'];
    expect(result.embeddings).toEqual(sent.map((text) => Float32Array.from(vectorOf(text, 'cloud'))));
    const body =
      kind === 'cohere'
        ? { texts: sent, model: 'cloud', input_type: 'search_query', embedding_types: ['float'], output_dimension: 4 }
        : { input: sent, model: 'cloud', encoding_format: 'float', dimensions: 4 };
    expect(other.received).toMatchObject([{ path, body, key: 'Bearer secret' }]);
    expect(Object.keys(other.received[0]?.body ?? {}).sort()).toEqual(Object.keys(body).sort());
  });

  it.each(['hang', { status: 500 }, { status: 503 }, { status: 429 }, 'reset', 'half-length'] as const)(
    'at a server of manner %j',
    async (manner) => {
      const [server, other] = [await standIn({ manners: [manner] }), await standIn()];
      const limits = { ...LIMITS, timeoutMs: manner === 'hang' ? 1500 : 20_000 };
      const client = make({ server: server.url, fingerprint: SAME, fallback: at(other, 'embedkit'), limits });
      expect((await client.embed(['a'])).source.role).toBe('fallback');
    },
  );
});

describe('a fallback is not taken by itself', () => {
  it.each<[string, Parameters<typeof standIn>[0], Kind, Partial<ClientConfig>, RegExp]>([
    [
      'that declares another fingerprint',
      { fingerprint: '1'.repeat(64) },
      'embedkit',
      { fingerprint: SAME },
      /it declares another fingerprint \(111111111111…\)/,
    ],
    [
      'that declares none',
      { fingerprint: null },
      'openai',
      { fingerprint: SAME },
      /it declares no fingerprint, and sameModel does not list cloud/,
    ],
    ['of Cohere, which never does', {}, 'cohere', { fingerprint: SAME }, /it declares no fingerprint/],
    ['while nothing is known of the index', {}, 'embedkit', {}, /the fingerprint of the index is not known/],
    ['listed under another name', {}, 'cohere', { sameModel: [{ model: 'x', dimension: 4 }] }, /sameModel does not list cloud/],
  ])('%s', async (_, options, kind, config, why) => {
    const other = await standIn(options);
    const client = make({ server: await dead(), fallback: at(other, kind), ...config });
    const error = await failure(client.embed(['a']));
    expect(error.code).toBe('server-unreachable');
    expect(error.message).toMatch(why);
    expect(other.received).toEqual([]);
    // The caller may say so for one call, and only for that.
    const result = await client.embed(['a'], { allowOtherModel: true });
    expect(result.source).toMatchObject({ role: 'fallback', likeness: 'other-model-allowed' });
    await failure(client.embed(['a']));
    expect(other.received.length).toBe(1);
  });

  it('whose answer is not what is listed: its vectors are dropped', async () => {
    const other = await standIn({ model: 'cloud-v2', fingerprint: null });
    const renamed = make({ server: await dead(), fallback: at(other, 'openai'), sameModel: [{ model: 'cloud', dimension: 4 }] });
    expect(await failure(renamed.embed(['a']))).toMatchObject({
      code: 'model-differs',
      message: expect.stringMatching(/answers as cloud-v2/),
    });
    const longer = make({ server: await dead(), fallback: at(other, 'cohere'), sameModel: [{ model: 'cloud', dimension: 3 }] });
    expect(await failure(longer.embed(['a']))).toMatchObject({ code: 'model-differs', message: expect.stringMatching(/4 dimensions/) });
  });

  it('says that it could not be asked, where it is not there', async () => {
    const client = make({ server: await dead(), fallback: { kind: 'embedkit', url: await dead() }, fingerprint: SAME });
    const { message } = await failure(client.embed(['a']));
    expect(message).toMatch(/was not taken: what it declares could not be asked: .*(refused|ECONNREFUSED)/);
  });

  it('without the text of the prompt that was asked for', async () => {
    const other = await standIn({ model: 'cloud' });
    const client = make({ server: await dead(), fingerprint: SAME, fallback: at(other, 'openai') });
    expect((await failure(client.embed(['a'], { prompt: 'query' }))).message).toMatch(/it knows no prompt "query"/);
    expect((await client.embed(['a'], { prompt: 'none' })).source.role).toBe('fallback');
  });

  it('for a request that is at fault', async () => {
    const [server, other] = [await standIn({ manners: [{ status: 413 }] }), await standIn()];
    const client = make({ server: server.url, fingerprint: SAME, fallback: at(other, 'embedkit') });
    expect((await failure(client.embed(['a']))).code).toBe('server-refused');
    expect(other.received).toEqual([]);
  });

  it('says both where both fail', async () => {
    const other = await standIn({ manners: [{ status: 500 }] });
    const client = make({ server: await dead(), fingerprint: SAME, fallback: at(other, 'embedkit') });
    expect((await failure(client.embed(['a']))).message).toMatch(/ECONNREFUSED.*; and the fallback: http.*status 500/);
  });
});
