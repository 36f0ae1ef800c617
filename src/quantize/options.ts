// What a quantization is told: one object, checked before anything is read or written.
import type { Pooling } from '../vectors/pool.js';
import type { CalibrationOptions } from './calibration.js';
import type { GraphFormat } from './path.js';
import type { GateThresholds } from './report.js';
import type { WeightRange } from './weights.js';

export interface QuantizeOptions {
  /** Model folder, ONNX file or a folder with one in it; default: the shipped model. */
  readonly model?: string | undefined;
  /** How token vectors become one, where MODEL is no model folder and nothing beside it says so. */
  readonly pooling?: Pooling | undefined;
  readonly calibration: Omit<CalibrationOptions, 'samples' | 'heldOutShare'>;
  /** A text file that the gate judges on as well, beside the held-out part of the calibration text. */
  readonly control?: string | undefined;
  /** A text file to fill up a calibration of fewer than `samples` texts with. */
  readonly supplement?: string | undefined;
  /** Folder to write; default `./<name>-int8`. The folder of MODEL itself gets the INT8 model added. */
  readonly out?: string | undefined;
  readonly overwrite?: boolean | undefined;
  /** Texts used, those held out included; default 1,000. */
  readonly samples?: number | undefined;
  /** Longest text in tokens; default: the model's. */
  readonly maxLength?: number | undefined;
  readonly weights?: WeightRange | undefined;
  readonly format?: GraphFormat | undefined;
  /** Labelled sets to score both precisions on: STS TSV files, BEIR folders. */
  readonly evaluate?: readonly string[] | undefined;
  readonly thresholds?: Partial<GateThresholds> | undefined;
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: QuantizeProgress) => void) | undefined;
}

export const STAGES = ['read', 'evaluate', 'recognise', 'observe', 'scale', 'gate', 'speed'] as const;
export type Stage = (typeof STAGES)[number];

export interface QuantizeProgress {
  readonly stage: Stage;
  /** Share of the stage that is done, 0 to 1. */
  readonly done: number;
}

export const DEFAULT_SAMPLES = 1000;
/** Share of the samples that are not observed, for the gate. */
export const HELD_OUT_SHARE = 0.2;
/** Control texts used. */
export const CONTROL_SAMPLES = 200;
/** Share by which ranges reach beyond what was observed. */
export const HEADROOM = 0.1;
/** Most sites that may stay in full precision to pass the gate. */
export const MOST_FP32_SITES = 4;
/** Rows kept of each product input: more than the widest has channels, or rounding would fit the sample alone. */
export const SAMPLE_ROWS = 3072;
/** Rows of these that pre-scaling is judged by. */
export const JUDGED_ROWS = 768;
