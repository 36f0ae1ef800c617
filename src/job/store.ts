// What comes out of the engine, and what takes it: the parts of an unfinished run, or a stream.
import type { OutputRow } from '../columns/row.js';
import type { BadRow } from '../records/record.js';
import type { Matrix } from '../vectors/matrix.js';

/** A window with its vectors: what a store keeps. */
export interface EmbeddedWindow {
  readonly rows: readonly OutputRow[];
  readonly vectors: Matrix;
  readonly bad: readonly BadRow[];
  readonly items: number;
  readonly digest: string;
  readonly reused: number;
  /** Texts that went through the engine for it. */
  readonly texts: number;
  readonly tokens: number;
  readonly lost: number;
  readonly lostIsExact: boolean;
}

export interface WindowStore {
  keep(window: EmbeddedWindow): Promise<void>;
}
