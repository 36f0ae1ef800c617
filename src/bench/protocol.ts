// What is asked of a process that measures, and what it answers. Types only: both ends import them.
import type { EngineInput } from '../engine/contract.js';
import type { ModelFolder } from '../model/folder.js';
import type { Precision } from '../model/names.js';
import type { Kind, OperatorClasses } from './operations.js';

/** A model to open: a folder at a precision, or an ONNX file as it is, with what was found out about it. */
export type ModelSpec =
  | { readonly kind: 'folder'; readonly path: string; readonly precision: Precision | undefined }
  | { readonly kind: 'loose'; readonly folder: ModelFolder };

/** Threads and batches, as openModel takes them. */
export interface EngineShape {
  readonly threads: number;
  readonly threadsPerWorker?: number | undefined;
  readonly batchTokens?: number | undefined;
}

export interface OpenArguments extends EngineShape {
  readonly model: ModelSpec;
}

/**
 * How the texts of a call reach the engine: `whole` hands over all at once (sorted by length, no padding), `slices` in batches as they come (no padding within them),
 * `padded` in batches as they come, each text as long as its batch's longest, as engines that pad compute them.
 */
export type Layout = 'whole' | 'slices' | 'padded';

export interface TimeArguments {
  /** Calls to make in turn, over and over. */
  readonly calls: readonly (readonly string[])[];
  readonly layout: Layout;
  /** Texts a batch, for `slices` and `padded`. */
  readonly batch: number;
  /** Untimed calls before. */
  readonly warm: number;
  readonly seconds: number;
}

/** One entry a timed call. */
export interface Timed {
  readonly milliseconds: readonly number[];
  readonly texts: readonly number[];
  /** Tokens of the texts, special tokens included; padding is not counted. */
  readonly tokens: readonly number[];
}

export interface ProfileArguments {
  readonly modelPath: string;
  /** Graph output to ask for; undefined: the first. */
  readonly output: string | undefined;
  /** Batches to run, each rows x width ids. */
  readonly batches: readonly EngineInput[];
}

export interface RoofArguments {
  readonly threads: number;
  /** Each product and each copy is timed for so long. */
  readonly seconds: number;
}

/** Operations a second of the plain products by kind and shape, and bytes a second of a copy, all threads together. */
export interface RoofTurn {
  readonly products: readonly { readonly kind: Kind; readonly shape: readonly number[]; readonly rate: number }[];
  readonly bandwidth: number;
}

export interface ProcessFacts {
  readonly peak_bytes: number;
  readonly cpu_seconds: number;
}

/** The commands of a measuring process. */
export interface Commands {
  open(asked: OpenArguments): Promise<void>;
  time(asked: TimeArguments): Promise<Timed>;
  /** One a batch. */
  profile(asked: ProfileArguments): Promise<OperatorClasses[]>;
  roof(asked: RoofArguments): Promise<RoofTurn>;
  facts(): Promise<ProcessFacts>;
  close(): Promise<void>;
}

export interface Request {
  readonly id: number;
  readonly command: keyof Commands;
  readonly asked: unknown;
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly code: string; readonly message: string; readonly hint: string | undefined } };
