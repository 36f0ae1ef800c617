// A request under way: its vectors as they come, and the first of what ends it: all of them, an error, its time, its client.
import { Refusal } from './refusal.js';

export interface TicketOptions {
  readonly texts: number;
  readonly timeoutMs: number;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal | undefined;
  /** Called once, however it ends. */
  readonly onEnd: () => void;
}

export class Ticket {
  /** The vectors of all texts, in their order. */
  readonly result: Promise<Float32Array[]>;
  private readonly vectors: Float32Array[];
  private left: number;
  private end: (error?: Error) => void = () => undefined;
  isOpen = true;

  constructor({ texts, timeoutMs, signal, onEnd }: TicketOptions) {
    this.left = texts;
    this.vectors = new Array<Float32Array>(texts);
    this.result = new Promise((resolve, reject) => {
      const late = setTimeout(() => this.end(timedOut(timeoutMs)), timeoutMs);
      const gone = (): void => this.end(new Refusal('client-gone', 'the client has gone'));
      signal?.addEventListener('abort', gone, { once: true });
      this.end = (error) => {
        if (!this.isOpen) return;
        this.isOpen = false;
        clearTimeout(late);
        signal?.removeEventListener('abort', gone);
        onEnd();
        if (error === undefined) resolve(this.vectors);
        else reject(error);
      };
      if (signal?.aborted) gone();
    });
  }

  put(index: number, vector: Float32Array): void {
    this.vectors[index] = vector;
    this.left--;
    if (this.left === 0) this.end();
  }

  fail(error: Error): void {
    this.end(error);
  }
}

function timedOut(timeoutMs: number): Refusal {
  return new Refusal('timed-out', `no answer within ${timeoutMs / 1000} s`, {
    hint: 'send fewer texts at a time, or try again later',
    retryAfter: 1,
  });
}
