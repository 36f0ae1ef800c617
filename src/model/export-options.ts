// What an export may be told, beyond what the files around the model say.
import type { Pooling } from '../vectors/pool.js';

export type Dtype = 'fp16' | 'fp32';

export interface ExportOptions {
  /** How weights are stored; the arithmetic stays float32. Undefined: safetensors as they are (BF16 as fp32), ONNX as fp16. */
  readonly dtype?: Dtype | undefined;
  readonly name?: string | undefined;
  readonly origin?: string | undefined;
  readonly license?: string | undefined;
  readonly attribution?: string | undefined;
  readonly pooling?: Pooling | undefined;
  readonly normalize?: boolean | undefined;
  readonly queryPrompt?: string | undefined;
  readonly documentPrompt?: string | undefined;
  /** Longest text in tokens, special tokens included. */
  readonly maxTokens?: number | undefined;
  /** Replace the output folder if it is there and is a model folder. */
  readonly overwrite?: boolean | undefined;
  /** Weights beyond this many bytes go to an external data file. */
  readonly inlineLimitBytes?: number | undefined;
}
