// An embedding API measured beside the models: anything that speaks OpenAI's /v1/embeddings. One request at a time, few of them: they may cost money.
import { z } from 'zod';
import { EmbedkitError, messageOf } from '../errors.js';
import type { Timed } from './protocol.js';
import type { Workload } from './turn.js';

export interface Baseline {
  /** The server, its /v1, or the whole address of its embeddings route. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token; kept out of every result. */
  readonly key: string | undefined;
}

export interface BaselineTurn {
  readonly round: number;
  readonly one: Timed;
  readonly batch: Timed;
}

const REQUEST_PATIENCE_MS = 60_000;
/** Requests of one kind in one turn. */
const MOST_REQUESTS = 20;
const SHOWN_ANSWER = 200;

const answerSchema = z.object({
  data: z.array(z.object({ embedding: z.union([z.array(z.number()).min(1), z.string().min(1)]) })),
  usage: z.object({ prompt_tokens: z.number() }).optional(),
});

/** Where the embeddings are asked for. */
export function endpointOf(url: string): string {
  const bare = url.replace(/\/+$/, '');
  if (/\/embeddings$/.test(bare)) return bare;
  return /\/v\d+$/.test(bare) ? `${bare}/embeddings` : `${bare}/v1/embeddings`;
}

/** Single texts, then batches. Throws as `request` does. */
export async function takeBaselineTurn(
  baseline: Baseline,
  work: Workload,
  round: number,
  signal: AbortSignal | undefined,
): Promise<BaselineTurn> {
  const time = (size: number): Promise<Timed> => timeRequests(baseline, work, size, signal);
  return { round, one: await time(1), batch: await time(work.batch) };
}

async function timeRequests(baseline: Baseline, work: Workload, size: number, signal: AbortSignal | undefined): Promise<Timed> {
  const timed = { milliseconds: [] as number[], texts: [] as number[], tokens: [] as number[] };
  const end = performance.now() + work.turnSeconds * 1000;
  const calls = Math.max(1, Math.floor(work.fixed.length / size));
  for (let at = 0; at === 0 || (at < MOST_REQUESTS && performance.now() < end); at++) {
    const first = (at % calls) * size;
    const texts = work.fixed.slice(first, first + size);
    const started = performance.now();
    const { tokens } = await request(baseline, texts, signal);
    timed.milliseconds.push(performance.now() - started);
    timed.texts.push(texts.length);
    timed.tokens.push(tokens);
  }
  return timed;
}

/**
 * One request; resolves when the whole answer is there and checked.
 * @returns the tokens that the server says it counted; 0 where it says nothing
 * @throws EmbedkitError `engine-failed` for no answer, an answer of failure, or one that is no list of embeddings; the reason of `signal`
 */
export async function request(baseline: Baseline, texts: readonly string[], signal?: AbortSignal): Promise<{ tokens: number }> {
  const address = endpointOf(baseline.url);
  const patience = AbortSignal.timeout(REQUEST_PATIENCE_MS);
  const options = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(baseline.key && { authorization: `Bearer ${baseline.key}` }) },
    body: JSON.stringify({ model: baseline.model, input: texts, encoding_format: 'float' }),
    signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
  };
  const { status, text } = await fetch(address, options)
    .then(async (response) => ({ status: response.status, text: await response.text() }))
    .catch((error: unknown) => {
      if (signal?.aborted) throw signal.reason;
      throw failed(address, `no answer (${messageOf(error instanceof Error && error.cause instanceof Error ? error.cause : error)})`);
    });
  if (status < 200 || status > 299) throw failed(address, `HTTP ${status}: ${text.slice(0, SHOWN_ANSWER)}`);
  const parsed = answerSchema.safeParse(jsonOf(text));
  if (!parsed.success) throw failed(address, 'the answer is no list of embeddings');
  if (parsed.data.data.length !== texts.length) throw failed(address, `${parsed.data.data.length} embeddings for ${texts.length} texts`);
  return { tokens: parsed.data.usage?.prompt_tokens ?? 0 };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function failed(address: string, why: string): EmbedkitError {
  return new EmbedkitError('engine-failed', `--baseline-url: ${address}: ${why}`, {
    hint: 'check --baseline-url, --baseline-model and --baseline-key-file, or leave them out',
  });
}
