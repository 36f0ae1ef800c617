// An output against its input, read again: ids and content hashes of all rows in their order, vectors of a sample.
import type { Row, RunItem } from '../job/items.js';
import { isBad } from '../records/bad-rows.js';
import { type Matrix, rowOf } from '../vectors/matrix.js';
import { type Check, checkRow, factCheck, rowCheck } from './check.js';
import { isSampled } from './even-sample.js';
import type { OutputFile } from './output-file.js';
import { engineKey } from './quarantine.js';
import type { FileRow } from './rows.js';
import type { SampleCheck } from './sample.js';

export interface AgainstOptions {
  readonly items: AsyncIterable<RunItem[]>;
  /** Rows of the output. */
  readonly rows: number;
  /** Rows to embed again; 0 takes all. */
  readonly sampleSize: number;
  /** Undefined where the model is another one than that of the output. */
  readonly sample: SampleCheck | undefined;
  /** Whether a good row was put aside for its length. */
  readonly isOverlong: (row: Row) => boolean;
  /** Rows that failed in the engine, by engineKey. */
  readonly engineFailures: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
}

export interface InputCounts {
  /** Rows of the input, bad ones included. */
  readonly items: number;
  /** Rows that are rightly missing from the output. */
  readonly putAside: number;
}

/** Reads output and input side by side. Throws `input-unreadable`, and what embedding throws. */
export async function checkAgainst(file: OutputFile, options: AgainstOptions): Promise<{ checks: readonly Check[]; input: InputCounts }> {
  const ids = rowCheck('ids', 'those of the input');
  const hashes = rowCheck('texts', 'the content hashes of the input');
  const input = new InputRows(options);
  try {
    await matchRows(file, input, { ...options, ids, hashes });
    await options.sample?.finish();
    const missing = await input.rest();
    const fault = missing > 0 ? `the input has ${missing} good rows more than the output` : undefined;
    const books = factCheck('input', 'no good row of it is missing', [fault]);
    return { checks: [ids, hashes, books, ...(options.sample === undefined ? [] : [options.sample.check])], input: input.counts };
  } finally {
    await input.close();
  }
}

async function matchRows(
  file: OutputFile,
  input: InputRows,
  options: AgainstOptions & { readonly ids: Check; readonly hashes: Check },
): Promise<void> {
  let row = 0;
  for await (const batch of file.batches({ vectors: true })) {
    options.signal?.throwIfAborted();
    for (const [index, found] of batch.rows.entries()) {
      const source = await input.match(found);
      checkRow(options.ids, row, found.id, source?.id === found.id ? undefined : otherThan(source, `id "${source?.id}"`));
      checkRow(options.hashes, row, found.id, source?.contentHash === found.contentHash ? undefined : otherThan(source, 'another text'));
      // Of a row with another text the vector says nothing more.
      if (source?.contentHash === found.contentHash) await addSampled(options, row, found, source, { of: batch.vectors, index });
      row++;
    }
  }
}

function otherThan(source: Row | undefined, found: string | undefined): string {
  return source === undefined ? 'the input has no such row' : `the input has ${found} there`;
}

async function addSampled(
  { sample, rows, sampleSize }: AgainstOptions,
  row: number,
  found: FileRow,
  source: Row,
  vector: { readonly of: Matrix; readonly index: number },
): Promise<void> {
  if (sample === undefined || !isSampled(row, rows, sampleSize)) return;
  // A copy: what is held until enough rows have come must not hold their batches.
  await sample.add({ ...found, row, fullText: source.fullText, vector: rowOf(vector.of, vector.index).slice() });
}

/** The rows of the input that should be in the output, one after the other. */
class InputRows {
  private readonly iterator: AsyncIterator<RunItem[]>;
  private chunk: RunItem[] = [];
  private at = 0;
  private items = 0;
  private putAside = 0;

  constructor(private readonly options: AgainstOptions) {
    this.iterator = options.items[Symbol.asyncIterator]();
  }

  get counts(): InputCounts {
    return { items: this.items, putAside: this.putAside };
  }

  /** The next row, to be held against `found`: a row that failed in the engine is passed over where it is another. */
  async match(found: FileRow): Promise<Row | undefined> {
    for (let row = await this.next(); row !== undefined; row = await this.next()) {
      if (row.contentHash === found.contentHash || !this.failedInEngine(row)) return row;
      this.putAside++;
    }
    return undefined;
  }

  /** How many rows are left that should be in the output. */
  async rest(): Promise<number> {
    let left = 0;
    for (let row = await this.next(); row !== undefined; row = await this.next()) {
      if (this.failedInEngine(row)) this.putAside++;
      else left++;
    }
    return left;
  }

  /** Closes the files of the input, which an early end leaves open. */
  async close(): Promise<void> {
    await this.iterator.return?.();
  }

  private failedInEngine({ place, id }: Row): boolean {
    return this.options.engineFailures.has(engineKey(place.number, id));
  }

  private async next(): Promise<Row | undefined> {
    for (;;) {
      while (this.at >= this.chunk.length) {
        const step = await this.iterator.next();
        if (step.done) return undefined;
        this.chunk = step.value;
        this.at = 0;
      }
      const item = this.chunk[this.at++] as RunItem;
      this.items++;
      if (!isBad(item) && !this.options.isOverlong(item)) return item;
      this.putAside++;
    }
  }
}
