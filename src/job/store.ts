// What comes out of the engine, and what takes it: the parts of an unfinished run, or a stream.
import type { StoredPart } from '../columns/part.js';
import type { EmbedkitError } from '../errors.js';
import type { EndedBatch } from '../records/arrow-pipe.js';
import type { BadRow } from '../records/record.js';
import type { Matrix } from '../vectors/matrix.js';

/** What is known of a window's texts so far: it grows with each batch. */
export interface ComputedTexts {
  /** A row a text; that of a text which is not done, or has failed, means nothing. */
  readonly vectors: Matrix;
  /** 1 where a text has been through the engine. */
  readonly done: Uint8Array;
  readonly failed: Map<number, EmbedkitError>;
}

/** A window with its vectors: what a store keeps. */
export interface EmbeddedWindow extends StoredPart {
  readonly bad: readonly BadRow[];
  readonly items: number;
  readonly digest: string;
  /** As in Window. */
  readonly ended: readonly EndedBatch[];
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
