// What an engine is: token ids in, hidden states out. The whole seam between embedkit and a runtime.

/** `rows` texts of `width` tokens each, without padding. */
export interface EngineInput {
  /** rows x width ids. */
  readonly ids: Int32Array;
  readonly rows: number;
  readonly width: number;
}

export interface EngineOutput {
  /** rows x width x dim, or rows x dim from a model that pools by itself. Valid until the next run. */
  readonly hidden: Float32Array;
  readonly dims: readonly number[];
}

export interface Engine {
  run(input: EngineInput): Promise<EngineOutput>;
  close(): Promise<void>;
}

export interface EngineOptions {
  /** Threads that one engine computes with. */
  readonly threads: number;
  /** Graph output to return; undefined: the first. */
  readonly output: string | undefined;
}
