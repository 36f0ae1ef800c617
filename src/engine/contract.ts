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

/** A tensor by value, as a graph takes and gives it. */
export type GraphTensor =
  | { readonly type: 'float32'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly type: 'uint8'; readonly dims: readonly number[]; readonly data: Uint8Array }
  | { readonly type: 'int32'; readonly dims: readonly number[]; readonly data: Int32Array }
  | { readonly type: 'int64'; readonly dims: readonly number[]; readonly data: BigInt64Array };

/** Any graph, fed by name: what models are observed with before they are quantized, and what multiplies large matrices. */
export interface GraphRunner {
  /** All outputs by name; they are the caller's to keep. */
  run(feeds: Readonly<Record<string, GraphTensor>>): Promise<Record<string, Float32Array>>;
  close(): Promise<void>;
}

/** An engine that writes down how long each node took. */
export interface ProfiledEngine extends Engine {
  /** Ends the profile: no node is timed after that. Its file begins with the prefix given. */
  finishProfile(): void;
}

export interface EngineOptions {
  /** Threads that one engine computes with. */
  readonly threads: number;
  /** Graph output to return; undefined: the first. */
  readonly output: string | undefined;
  /**
   * `packed` (default): copied into the order in which products read them. `as-stored`: read where they are, external data from its file; for a
   * few runs, with half the memory; last bits may differ.
   */
  readonly weights?: 'packed' | 'as-stored';
}
