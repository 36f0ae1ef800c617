// The stages of a quantization: how far it is, how long each took, and whether it was told to stop.
import type { QuantizeProgress, Stage } from './options.js';

export class Stages {
  readonly seconds: Record<string, number> = {};

  constructor(
    private readonly signal: AbortSignal | undefined,
    private readonly onProgress: ((progress: QuantizeProgress) => void) | undefined,
  ) {}

  /** Runs one stage; `work` may tell how much of it is done, from 0 to 1, and is stopped there if the run was. */
  async run<T>(stage: Stage, work: (tell: (done: number) => void) => Promise<T>): Promise<T> {
    const tell = (done: number): void => {
      this.signal?.throwIfAborted();
      this.onProgress?.({ stage, done });
    };
    const started = performance.now();
    tell(0);
    const result = await work(tell);
    tell(1);
    this.seconds[stage] = (this.seconds[stage] ?? 0) + (performance.now() - started) / 1000;
    return result;
  }
}
