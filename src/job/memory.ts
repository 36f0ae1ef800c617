// How a run is cut to fit into the memory it is given: fewer engine threads, smaller windows, or a refusal that names the least that would do.
import { EmbedkitError } from '../errors.js';
import { mebibytes } from '../format.js';
import type { WindowLimits } from './config.js';

const MIB = 2 ** 20;

// Measured (benchmarks/, memory.json): peak resident memory of `embed` over a corpus of short rows, less what windows take.
/** Node, the libraries, the tokenizer, a row group in the Parquet writer, and the garbage between two collections. */
const BASE_BYTES = 260 * MIB;
/** A session of the model, its buffers and its thread, as multiples of the model file. */
const SESSION = { int8: 2.7, fp32: 3.7 } as const;

/** Of what is left after the engines: the known vectors' keys, ids seen, and a line that is being read. */
const SHARES = { known: 1 / 4, ids: 1 / 8, line: 1 / 4, windows: 3 / 8 } as const;
const KEY_BYTES = 96;
const ID_BYTES = 48;
/** A line is held as bytes, as text of two bytes a character, parsed, and cut. */
const LINE_COPIES = 8;
/** Vectors of a window stand in the engine's results, gathered, in the part, and in the writer's row group. */
const VECTOR_COPIES = 6;
const ROW_BYTES = 1536;
const LEAST_ROWS = 256;
const LEAST_LINE_BYTES = 64 * 1024;

export interface MemoryNeeds {
  readonly precision: 'int8' | 'fp32';
  /** Bytes of the model file. */
  readonly modelBytes: number;
  /** Bytes of the full-precision model file that audits the run; 0 without an audit. */
  readonly auditBytes: number;
  readonly dims: number;
  /** Threads that would be used without a bound. */
  readonly threads: number;
  readonly window: WindowLimits;
  readonly maxLineBytes: number;
}

export interface MemoryPlan {
  readonly threads: number;
  readonly window: WindowLimits;
  readonly maxLineBytes: number;
  /** Vectors that are known by their text. */
  readonly mostKnown: number;
  /** Ids that are looked at for duplicates. */
  readonly mostIds: number;
}

/** Cuts a run to `budget` bytes of resident memory. Throws `usage` with the least that would do. */
export function fitMemory(budget: number, needs: MemoryNeeds): MemoryPlan {
  const session = needs.modelBytes * SESSION[needs.precision];
  const rowBytes = ROW_BYTES + needs.dims * Float32Array.BYTES_PER_ELEMENT * VECTOR_COPIES;
  const leastRest = Math.max((LEAST_ROWS * rowBytes) / SHARES.windows, (LEAST_LINE_BYTES * LINE_COPIES) / SHARES.line);
  // One engine, after the others are closed; what these took may not be back with the system by then.
  const fixed = BASE_BYTES + needs.auditBytes * SESSION.fp32;
  const least = fixed + session + leastRest;
  if (budget < least) {
    throw new EmbedkitError('usage', `--max-memory ${mebibytes(budget)} is not enough for this model`, {
      hint: `give it at least ${Math.ceil(least / MIB)}MiB`,
    });
  }
  const threads = Math.min(needs.threads, Math.floor((budget - fixed - leastRest) / session));
  const rest = budget - fixed - threads * session;
  const windows = rest * SHARES.windows;
  return {
    threads,
    window: {
      rows: Math.min(needs.window.rows, Math.floor(windows / rowBytes)),
      bytes: Math.min(needs.window.bytes, Math.floor(windows / 4)),
      tokens: Math.min(needs.window.tokens, Math.floor(windows / 32)),
    },
    maxLineBytes: Math.min(needs.maxLineBytes, Math.floor((rest * SHARES.line) / LINE_COPIES)),
    mostKnown: Math.floor((rest * SHARES.known) / KEY_BYTES),
    mostIds: Math.floor((rest * SHARES.ids) / ID_BYTES),
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 2 ** 10, mib: MIB, gib: 2 ** 30 };

/** "512MB", "1.5GiB" or plain bytes; undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim()) ?? [];
  const scale = UNITS[(unit ?? 'none').toLowerCase()];
  return digits === undefined || scale === undefined ? undefined : Math.floor(Number(digits) * scale);
}
