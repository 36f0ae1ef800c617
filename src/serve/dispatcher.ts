// Between queue and engines: requests go in as token ids and come back as vectors; what crashes is tried again, once and alone.
import { EngineEnded } from '../engine/process.js';
import { EmbedkitError, messageOf } from '../errors.js';
import { brokenRows } from '../vectors/normalise.js';
import { admit } from './admission.js';
import type { BatchConfig } from './config.js';
import type { Engines } from './engines.js';
import { type QueuedText, TextQueue } from './queue.js';
import { EngineSpeed } from './speed.js';
import { Ticket } from './ticket.js';

export interface DispatcherOptions {
  readonly engines: Pick<Engines, 'ready' | 'idle' | 'tokens' | 'canTake' | 'run'>;
  readonly batches: BatchConfig;
  readonly maxQueueTokens: number;
  readonly maxQueueMs: number;
  readonly timeoutMs: number;
  /** Length of a vector of the model. */
  readonly dim: number;
  /** Whether vectors must be of length 1. */
  readonly unit: boolean;
  readonly onBatch?: (batch: BatchFacts) => void;
}

export interface BatchFacts {
  readonly rows: number;
  readonly tokens: number;
  readonly engineMs: number;
  /** How long each of the texts waited. */
  readonly waitedMs: readonly number[];
}

export interface Asker {
  /** Clients share the engines evenly. */
  readonly client: string;
  /** Aborts when the client has gone. */
  readonly signal?: AbortSignal | undefined;
}

interface Waiting extends QueuedText {
  readonly ticket: Ticket;
  readonly index: number;
}

/** Cutting finer than this to keep engines busy costs more than it gains. */
const FINEST_TOKENS = 128;

export class Dispatcher {
  private readonly queue = new TextQueue<Waiting>();
  /** Texts that were with an engine when it failed. */
  private readonly retries: Waiting[] = [];
  private requests = 0;
  private readonly speed = new EngineSpeed();
  /** When a whole vector last came out, by performance.now(). */
  lastSuccess = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: DispatcherOptions) {}

  get waiting(): { tokens: number; texts: number } {
    return { tokens: this.queue.tokens, texts: this.queue.texts };
  }

  /**
   * The full vectors of texts given as ids, in their order.
   * @throws Refusal `queue-full`, `wait-too-long`, `deadline-cannot-be-met`, `too-many-tokens` at once, `timed-out` or `client-gone` later;
   *   EmbedkitError `engine-failed`, `vector-invalid`: they name the index of a text
   */
  async embed(texts: readonly Int32Array[], { client, signal }: Asker): Promise<Float32Array[]> {
    if (texts.length === 0) return [];
    this.admit(
      texts.reduce((sum, ids) => sum + ids.length, 0),
      client,
    );
    const items: Waiting[] = [];
    const onEnd = (): void => items.forEach((item) => void this.queue.drop(item));
    const ticket = new Ticket({ texts: texts.length, timeoutMs: this.options.timeoutMs, signal, onEnd });
    const request = this.requests++;
    const arrived = performance.now();
    texts.forEach((ids, index) => {
      const item = { ids, client, request, arrived, ticket, index };
      items.push(item);
      if (ticket.isOpen) this.queue.push(item);
    });
    this.pump();
    return ticket.result;
  }

  /** Gives what waits to engines that are free; called whenever either changes. */
  pump(): void {
    const { engines } = this.options;
    while (this.retries.length > 0 && engines.idle > 0) this.retry(this.retries.shift() as Waiting);
    // An engine that always has a batch in hand would never be idle.
    while (this.retries.length === 0 && this.queue.texts > 0 && engines.canTake) this.dispatch();
  }

  private dispatch(): void {
    const { engines, batches } = this.options;
    // A short queue is cut finer, so that every idle engine has something to do.
    const share = Math.max(FINEST_TOKENS, Math.ceil(this.queue.tokens / Math.max(1, engines.idle)));
    const now = performance.now();
    const batch = this.queue.take({ ...batches, maxTokens: Math.min(batches.maxTokens, share) }, now);
    this.run(batch, now, false).catch(() => {
      this.retries.push(...batch);
      this.pump();
    });
  }

  /** A text has a second try by itself, with nothing else in that engine's hands: then it is plain which one is to blame. */
  private retry(item: Waiting): void {
    const { ticket, index } = item;
    if (ticket.isOpen) this.run([item], performance.now(), true).catch((error: unknown) => ticket.fail(failedTwice(index, error)));
  }

  /** Throws Refusal where so many tokens of this client would not get into the queue now. */
  admit(tokens: number, client: string): void {
    const { engines, batches, maxQueueTokens, maxQueueMs, timeoutMs } = this.options;
    const each = this.speed.tokensPerMs(batches.maxTokens);
    const tokensPerMs = each && each * Math.max(1, engines.ready);
    const ahead = this.queue.ahead(client, tokens);
    const [waiting, withEngines] = [this.queue.tokens, engines.tokens];
    admit(tokens, { waiting, ahead, withEngines, maxQueueTokens, maxQueueMs, timeoutMs, tokensPerMs });
  }

  private async run(batch: readonly Waiting[], sent: number, isAlone: boolean): Promise<void> {
    const rows = batch.length;
    const width = batch[0]?.ids.length ?? 0;
    const ids = new Int32Array(rows * width);
    for (const [row, item] of batch.entries()) ids.set(item.ids, row * width);
    const { vectors, milliseconds } = await this.options.engines.run({ ids, rows, width }, isAlone);
    this.speed.learn(ids.length, milliseconds);
    this.options.onBatch?.({ rows, tokens: ids.length, engineMs: milliseconds, waitedMs: batch.map(({ arrived }) => sent - arrived) });
    this.deliver(batch, vectors);
  }

  private deliver(batch: readonly Waiting[], vectors: Float32Array): void {
    const { dim, unit } = this.options;
    const broken = new Set(brokenRows({ rows: batch.length, dim, data: vectors }, { unit }));
    if (broken.size < batch.length) this.lastSuccess = performance.now();
    batch.forEach(({ ticket, index }, row) => {
      if (broken.has(row)) ticket.fail(brokenVector(index));
      else ticket.put(index, vectors.subarray(row * dim, (row + 1) * dim));
    });
  }
}

function brokenVector(index: number): EmbedkitError {
  const found = `the model gave text ${index} a vector that is not finite, is all zeros or has a length other than 1`;
  return new EmbedkitError('vector-invalid', found, { hint: 'leave that text out; the model file may be damaged' });
}

function failedTwice(index: number, error: unknown): EmbedkitError {
  const how = error instanceof EngineEnded ? 'took its engine down twice' : `failed twice (${messageOf(error)})`;
  return new EmbedkitError('engine-failed', `text ${index} ${how}`, { hint: 'leave that text out and report it' });
}
