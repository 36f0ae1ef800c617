// The files of apache/parquet-testing, good and bad: read to the end in every column, or refused; never a crash or a hang.
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { openParquet } from '#src/records/parquet-file.js';
import { describeShared, sharedPath } from '../shared.js';

// What parquet-wasm refuses: seven that are meant to be bad, two odd ones, and one whose text is larger than its memory.
const REFUSED = [
  'bad_data/ARROW-GH-41317.parquet',
  'bad_data/ARROW-GH-41321.parquet',
  'bad_data/ARROW-GH-45185.parquet',
  'bad_data/ARROW-GH-47662.parquet',
  'bad_data/ARROW-RS-GH-6229-DICTHEADER.parquet',
  'bad_data/ARROW-RS-GH-6229-LEVELS.parquet',
  'bad_data/PARQUET-1481.parquet',
  'data/dict-page-offset-zero.parquet',
  'data/large_string_map.brotli.parquet',
  'data/nation.dict-malformed.parquet',
];

describeShared('parquet-testing', () => {
  it('is read or refused, file by file', async () => {
    const root = sharedPath('data/parquet-testing');
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.parquet'));
    const refused: string[] = [];
    for (const name of names.sort()) {
      await readWhole(`${root}/${name}`).catch((error: Error) => refused.push(`${name}: ${error.message}`));
    }
    expect(names.length).toBe(220);
    expect(refused.filter((line) => !/: .+/.test(line) || line.includes('\n'))).toEqual([]);
    expect(refused.map((line) => line.slice(0, line.indexOf(': ')))).toEqual(REFUSED);
    expect(names.length - refused.length).toBeGreaterThanOrEqual(208);
  });
});

/** Reads every row of every column, one value of each column decoded a batch. */
async function readWhole(path: string): Promise<void> {
  const file = await openParquet(path);
  try {
    let rows = 0;
    for await (const batch of file.batches(file.names)) {
      rows += batch.numRows;
      for (const { name } of batch.schema.fields) batch.getChild(name)?.get(0);
    }
    expect(rows).toBe(file.rows);
  } finally {
    await file.close();
  }
}
