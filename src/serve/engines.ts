// The engine processes of one model: each is replaced when it dies or hangs, at once at first and ever later if it goes on.
import type { EngineInput } from '../engine/contract.js';
import { EngineEnded, type EngineProcess, type EngineResult, startProcess } from '../engine/process.js';

export interface EnginesOptions {
  readonly count: number;
  /** The module that an engine process runs. */
  readonly script: URL;
  readonly settings: unknown;
  /** A batch that takes longer is given up, and its engine with it. */
  readonly hangsMs: number;
  /** Told when an engine can take a batch. */
  readonly onFree: () => void;
  /** Told how an engine ended that should not have. */
  readonly onEnd: (how: string) => void;
}

interface Seat {
  process: EngineProcess | undefined;
  isReady: boolean;
  /** Batches in its hands, and their tokens. */
  batches: number;
  tokens: number;
  /** Its batch is not to be joined by another. */
  isExclusive: boolean;
  /** Ends in a row without a batch in between. */
  ends: number;
}

const EMPTY = { isReady: false, batches: 0, tokens: 0, isExclusive: false };

/** So long the seat stays empty after one, two, three ... ends in a row. */
const RESTART_AFTER_MS = [0, 100, 500, 2000, 5000];
// An engine with a small batch gets the next one in hand, so that it does not idle for the way there and back (a fraction of
// a millisecond); behind a large one a text would only wait, and could not go to another engine.
const SMALL_BATCH_TOKENS = 128;

export class Engines {
  private readonly seats: Seat[];
  private started = false;
  private closing = false;

  constructor(private readonly options: EnginesOptions) {
    this.seats = Array.from({ length: options.count }, () => ({ process: undefined, ...EMPTY, ends: 0 }));
  }

  /** Starts all of them; rejects with `engine-failed` where one cannot load the model. */
  async start(): Promise<void> {
    await Promise.all(this.seats.map((seat) => this.fillSeat(seat)));
    this.started = true;
  }

  get ready(): number {
    return this.seats.filter((seat) => seat.isReady).length;
  }

  get idle(): number {
    return this.seats.filter((seat) => seat.isReady && seat.batches === 0).length;
  }

  get pids(): number[] {
    return this.seats.flatMap(({ process }) => process?.pid ?? []);
  }

  /** Tokens in the hands of engines. */
  get tokens(): number {
    return this.seats.reduce((sum, seat) => sum + seat.tokens, 0);
  }

  get canTake(): boolean {
    return this.freest() !== undefined;
  }

  /**
   * Gives a batch to the engine that has least to do; `isExclusive`: to an idle one, which gets no other meanwhile.
   * Rejects with EngineEnded or another `engine-failed`.
   */
  async run(batch: EngineInput, isExclusive = false): Promise<EngineResult> {
    const seat = this.freest();
    const process = seat?.process;
    if (seat === undefined || process === undefined) throw new EngineEnded('engine-failed', 'no engine can take a batch');
    const tokens = batch.rows * batch.width;
    seat.isExclusive = isExclusive;
    seat.batches++;
    seat.tokens += tokens;
    const hung = setTimeout(() => process.kill(), this.options.hangsMs * seat.batches);
    try {
      const result = await process.run(batch);
      seat.ends = 0;
      return result;
    } finally {
      clearTimeout(hung);
      if (seat.process === process) {
        seat.isExclusive = false;
        seat.batches--;
        seat.tokens -= tokens;
      }
      // After the one who waits for this batch has had its word.
      queueMicrotask(this.options.onFree);
    }
  }

  /** Ends them once their batches are done, or after `withinMs` at the latest. */
  async close(withinMs: number): Promise<void> {
    this.closing = true;
    const processes = this.seats.flatMap(({ process }) => process ?? []);
    const late = setTimeout(() => {
      for (const process of processes) process.kill();
    }, withinMs);
    await Promise.all(processes.map((process) => process.close()));
    clearTimeout(late);
  }

  private freest(): Seat | undefined {
    const able = this.seats.filter(canJoin);
    return able.reduce<Seat | undefined>((best, seat) => (best === undefined || seat.tokens < best.tokens ? seat : best), undefined);
  }

  private async fillSeat(seat: Seat): Promise<void> {
    const process = startProcess(this.options);
    Object.assign(seat, { process, ...EMPTY });
    process.ended.then((how) => this.onEnded(seat, how));
    await process.ready;
    seat.isReady = true;
    this.options.onFree();
  }

  private onEnded(seat: Seat, how: string): void {
    Object.assign(seat, { process: undefined, ...EMPTY });
    if (this.closing || !this.started) return;
    this.options.onEnd(how);
    const wait = RESTART_AFTER_MS[Math.min(seat.ends, RESTART_AFTER_MS.length - 1)];
    seat.ends++;
    setTimeout(() => {
      if (!this.closing) this.fillSeat(seat).catch(() => undefined);
    }, wait);
  }
}

function canJoin({ isReady, isExclusive, batches, tokens }: Seat): boolean {
  return isReady && (batches === 0 || (batches === 1 && tokens <= SMALL_BATCH_TOKENS && !isExclusive));
}
