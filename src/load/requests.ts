// The requests of a load and what comes of each: sent on kept connections, read to the end, held against earlier answers for the same texts.
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { textsOf } from './mixes.js';
import type { LoadSettings } from './options.js';

/** `ok`: a whole answer with a vector for each text. `different`: the same texts had other vectors before. */
export type Outcome = 'ok' | 'different' | 'malformed' | 'hung' | 'no-connection' | `status-${number}`;

export interface Sent {
  readonly outcome: Outcome;
  /** As the server counts them; 0 for a failed request. */
  readonly tokens: number;
}

export interface Requests {
  /** Sends the request that stands at this place of the load; never rejects. */
  send(at: number): Promise<Sent>;
  close(): void;
}

/** Different bodies: enough that none repeats soon, few enough to keep each one's first answer. */
const BODIES = 256;

export function openRequests(url: string, apiKey: string | undefined, settings: LoadSettings): Requests {
  const { mix, textsPerRequest, seed, model, timeoutMs } = settings;
  const texts = textsOf(mix, BODIES * textsPerRequest, seed);
  const bodies = Array.from({ length: BODIES }, (_, at) =>
    Buffer.from(JSON.stringify({ texts: texts.slice(at * textsPerRequest, (at + 1) * textsPerRequest), model })),
  );
  const answers: (string | undefined)[] = [];
  const target = new URL(`${url.replace(/\/+$/, '')}/embed`);
  const isTls = target.protocol === 'https:';
  const agent = new (isTls ? TlsAgent : Agent)({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY });
  const headers = { 'content-type': 'application/json', ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }) };
  const open = (length: number): ClientRequest =>
    (isTls ? httpsRequest : httpRequest)(target, { method: 'POST', agent, headers: { ...headers, 'content-length': length } });
  return {
    send: async (at) => {
      const which = at % BODIES;
      const body = bodies[which] as Buffer;
      const answer = await answerTo(open(body.length), body, timeoutMs);
      if (typeof answer === 'string') return { outcome: answer, tokens: 0 };
      if (answer.status !== 200) return { outcome: `status-${answer.status}`, tokens: 0 };
      const read = readAnswer(answer.text, textsPerRequest);
      if (read === undefined) return { outcome: 'malformed', tokens: 0 };
      answers[which] ??= read.vectors;
      return { outcome: answers[which] === read.vectors ? 'ok' : 'different', tokens: read.tokens };
    },
    close: () => agent.destroy(),
  };
}

/** The answer's status and body, or how there was none. */
function answerTo(
  sent: ClientRequest,
  body: Buffer,
  timeoutMs: number,
): Promise<{ status: number; text: string } | 'hung' | 'no-connection'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve('hung');
      sent.destroy();
    }, timeoutMs);
    const end = (result: { status: number; text: string } | 'no-connection'): void => {
      clearTimeout(timer);
      resolve(result);
    };
    sent.once('response', (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => end({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
      response.once('error', () => end('no-connection'));
      // Half a body ends with neither of the two on some versions of Node.
      response.once('close', () => end('no-connection'));
    });
    sent.on('error', () => end('no-connection'));
    sent.end(body);
  });
}

/** The text of the vectors, and the tokens; undefined for another shape. */
export function readAnswer(text: string, texts: number): { vectors: string; tokens: number } | undefined {
  try {
    const { embeddings, tokens } = JSON.parse(text) as { embeddings?: unknown; tokens?: unknown };
    const isWhole =
      Array.isArray(embeddings) && embeddings.length === texts && embeddings.every((vector) => Array.isArray(vector) && vector.length > 0);
    if (!isWhole) return undefined;
    return { vectors: vectorsAsSent(text) ?? JSON.stringify(embeddings), tokens: typeof tokens === 'number' ? tokens : 0 };
  } catch {
    return undefined;
  }
}

/** Cheaper than writing them anew: the generator shares the machine with the server. */
function vectorsAsSent(text: string): string | undefined {
  const from = text.indexOf('"embeddings":');
  const to = text.indexOf(']]', from);
  return from === -1 || to === -1 ? undefined : text.slice(from, to);
}
