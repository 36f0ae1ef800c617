// Parquet: what the footer says, which columns have dictionaries, and a writer that ends whatever its sink does.
import { IntervalMonthDayNano, vectorFromArray } from 'apache-arrow';
import { ParquetFile } from 'parquet-wasm';
import { describe, expect, it } from 'vitest';
import { ArrowWriter } from '#src/columns/arrow.js';
import { JsonlWriter } from '#src/columns/jsonl.js';
import { ParquetWriter } from '#src/columns/parquet.js';
import type { ByteSink, ColumnsWriter } from '#src/columns/row.js';
import { arrowRows, columnsOf, layoutOf, rowsOf, rowsWithoutKept, vectorsOf, write } from './written.js';

const DIM = 8;

describe('the file', () => {
  const repeating = rowsOf(Array.from({ length: 5000 }, (_, index) => [`word ${index % 3}`, index % 2]));

  it('carries the metadata and names its maker', async () => {
    const bytes = await write('parquet', rowsWithoutKept(3), vectorsOf(3, 4), { metadata: new Map([['embedkit', '{"model":"m"}']]) });
    const footer = (await ParquetFile.fromFile(new Blob([bytes]))).metadata().fileMetadata();
    expect(footer.keyValueMetadata().get('embedkit')).toBe('{"model":"m"}');
    expect(footer.createdBy()).toBe('embedkit');
  });

  it('has no dictionary of vectors: it would make the file half as large again', async () => {
    const random = Float32Array.from({ length: 5000 * DIM }, (_, index) => Math.sin(index * index));
    const bytes = await write('parquet', rowsWithoutKept(5000), random, { dim: DIM });
    // Levels say of each value that it is in its list: one bit.
    expect(bytes.length).toBeLessThan(random.byteLength * 1.15);
  });

  it('has a dictionary of kept columns', async () => {
    const keep = columnsOf('word', 'bit');
    const [kept, none] = [
      await write('parquet', repeating, vectorsOf(5000, 4), { keep }),
      await write('parquet', repeating, vectorsOf(5000, 4)),
    ];
    const file = await ParquetFile.fromFile(new Blob([kept]));
    const encodings = [0, 1, 2, 3].map((column) => file.metadata().rowGroup(0).column(column).encodings());
    expect(encodings.map((list) => list.length)).toEqual([2, 3, 3, 2]);
    expect(kept.length - none.length).toBeLessThan(4000);
  });
});

/** A sink that fails at one write, some time after it was asked. */
class FailingSink implements ByteSink {
  writes = 0;
  readonly failure = new Error('the disk is full');

  constructor(private readonly failAt: number) {}

  async write(): Promise<void> {
    const turn = this.writes++;
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (turn === this.failAt) throw this.failure;
  }
}

const WRITERS: readonly (readonly [string, (sink: ByteSink) => ColumnsWriter])[] = [
  ['ParquetWriter', (sink) => new ParquetWriter(sink, layoutOf({ dim: DIM }))],
  ['ArrowWriter', (sink) => new ArrowWriter(sink, layoutOf({ dim: DIM }), 'file')],
  ['JsonlWriter', (sink) => new JsonlWriter(sink, layoutOf({ dim: DIM }))],
];

async function writeAll(writer: ColumnsWriter): Promise<void> {
  for (let piece = 0; piece < 8; piece++) {
    await writer.append(rowsWithoutKept(3000), { rows: 3000, dim: DIM, data: vectorsOf(3000, DIM) });
  }
  await writer.finish();
}

describe.each(WRITERS)('%s', (_, create) => {
  it('fails with the reason of its sink, at whichever write that fails', async () => {
    const counting = new FailingSink(Number.POSITIVE_INFINITY);
    await writeAll(create(counting));
    expect(counting.writes).toBeGreaterThan(2);
    const turns = [0, 1, 2, 3, Math.floor(counting.writes / 2), counting.writes - 1].filter((turn) => turn < counting.writes);
    for (const turn of turns) {
      const sink = new FailingSink(turn);
      await expect(writeAll(create(sink))).rejects.toBe(sink.failure);
    }
  });

  it('takes no more rows once its sink has failed', async () => {
    const sink = new FailingSink(0);
    const writer = create(sink);
    const piece = { rows: 4096, dim: DIM, data: vectorsOf(4096, DIM) };
    let taken = 0;
    const writing = (async () => {
      for (; taken < 40; taken++) await writer.append(rowsWithoutKept(4096), piece);
    })();
    await expect(writing).rejects.toBe(sink.failure);
    expect(taken).toBeLessThan(20);
  });

  it('waits for its sink', async () => {
    let isBusy = false;
    let overlaps = 0;
    const sink: ByteSink = {
      write: async () => {
        overlaps += isBusy ? 1 : 0;
        isBusy = true;
        await new Promise((resolve) => setTimeout(resolve, 1));
        isBusy = false;
      },
    };
    await writeAll(create(sink));
    expect([overlaps, isBusy]).toEqual([0, false]);
  });
});

describe('a type that Parquet does not have', () => {
  it('ends in a sentence, and can be written as Arrow', async () => {
    const rows = arrowRows([[vectorFromArray([null], new IntervalMonthDayNano())]]);
    const writing = write('parquet', rows, vectorsOf(1, 4), { keep: columnsOf('k') });
    const message = expect.stringMatching(/^Parquet cannot hold a kept column: .*MonthDayNano/);
    await expect(writing).rejects.toMatchObject({ code: 'output-unwritable', message, hint: expect.stringContaining('--to arrow') });
    expect((await write('arrow', rows, vectorsOf(1, 4), { keep: columnsOf('k') })).length).toBeGreaterThan(0);
  });
});
