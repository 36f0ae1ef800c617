// What `inspect` counts, in every format, and what it says of files that embedkit did not write.
import { truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { inspectOutput } from '#src/inspect/survey.js';
import { fixture } from '../records/fixtures.js';
import { temporaryFolder } from '../run.js';
import { alter, makeOutput } from './outputs.js';

const OWN = ['id', 'embedding', 'token_count', 'truncated', 'content_hash'];

describe('an output', () => {
  it.each([
    ['out.parquet', 'parquet', 'FixedSizeList[384]<Float32>'],
    ['out.arrow', 'arrow', 'FixedSizeList[384]<Float32>'],
    ['out.arrows', 'arrow-stream', 'FixedSizeList[384]<Float32>'],
    ['out.jsonl', 'jsonl', 'array of 384'],
  ])('%s is surveyed', async (name, format, type) => {
    const { path, input } = await makeOutput(name, { model: { maxTokens: 12, onOverflow: 'truncate' } });
    const found = await inspectOutput(path);
    // [CLS] first text [SEP], twelve of the long one, [CLS] the last one [SEP].
    const counts = { rows: 4, truncatedRows: 1, tokens: 4 + 12 + 4 + 5, duplicateHashes: 1, duplicateHashesIsExact: true };
    expect(found).toMatchObject({ file: path, format, ...counts });
    expect(found.columns.map((column) => column.name)).toEqual(OWN);
    expect(found.columns[1]?.type).toBe(type);
    const made = { model: 'bge-small-en-v1.5', precision: 'int8', max_tokens: 12, text: 'text', embedkit: expect.any(String) };
    if (format === 'jsonl') expect(found.provenance).toBeNull();
    else expect(found.provenance).toMatchObject(made);
    expect(found.quarantine).toMatchObject({ path: `${path}.quarantine.jsonl`, rows: 2, codes: { 'bad-row': 2 } });
    expect(found.quarantine?.first[0]).toMatchObject({ file: input, place: 'line 2', id: 'b', code: 'bad-row' });
  });

  it('is known by its first bytes where its name tells no format', async () => {
    const { path } = await makeOutput('out.data', { output: { path: '', to: 'parquet' } });
    expect(await inspectOutput(path)).toMatchObject({ format: 'parquet', rows: 4 });
  });

  it('without bad rows has no quarantine; one of many names the first few', async () => {
    const good = await makeOutput('out.jsonl', {}, '{"text":"good"}');
    expect((await inspectOutput(good.path)).quarantine).toBeNull();
    const bad = await makeOutput('out.jsonl', {}, `{"text":"good"}\n${'no\n'.repeat(300)}`);
    const { quarantine } = await inspectOutput(bad.path);
    expect([quarantine?.rows, quarantine?.codes, quarantine?.first.length]).toEqual([300, { 'bad-row': 300 }, 3]);
  });

  it('with a quarantine that was cut is refused', async () => {
    const { path } = await makeOutput('out.jsonl');
    truncateSync(`${path}.quarantine.jsonl`, 100);
    await expect(inspectOutput(path)).rejects.toThrow(/quarantine\.jsonl, line 1: no whole JSON object/);
  });
});

describe('what embedkit did not write', () => {
  it('is refused with what is missing', async () => {
    const table = inspectOutput(fixture('table.parquet'));
    await expect(table).rejects.toThrow(/no output of embedkit: it has no key "embedkit" in its metadata, .*no column "embedding"/);
    const path = `${temporaryFolder()}/x.jsonl`;
    writeFileSync(path, '{"id":1,"embedding":[1],"token_count":3,"truncated":false}\n');
    await expect(inspectOutput(path)).rejects.toThrow(/it has a field "id" that is the number 1, no field "content_hash"/);
  });

  it('is refused where its metadata alone, or a column alone, is lacking or another', async () => {
    const { path } = await makeOutput('out.arrow');
    alter(path, '"normalize":true', '"normalise":true');
    await expect(inspectOutput(path)).rejects.toThrow(/the provenance in its metadata has no usable "normalize"/);
    alter(path, '{"embedkit":', '["embedkit":');
    await expect(inspectOutput(path)).rejects.toThrow(/the provenance in its metadata is not JSON/);
  });

  it.each([
    ['gone.parquet', undefined, /no file ".*gone\.parquet"/],
    ['empty.parquet', '', /it has no content/],
    ['empty.jsonl', '', /it has no row/],
    ['x.md', 'hello', /it has none of the formats parquet, arrow/],
    ['x.parquet', 'PAR1 and no more', /x\.parquet: cannot be read/],
    ['x.jsonl', '[1]\n', /x\.jsonl, line 1: an array, which no output of embedkit has/],
  ])('%s is refused', async (name, content, sentence) => {
    const path = `${temporaryFolder()}/${name}`;
    if (content !== undefined) writeFileSync(path, content);
    await expect(inspectOutput(path)).rejects.toThrow(sentence);
  });

  it('a cut JSONL output is refused at the line where it ends', async () => {
    const { path } = await makeOutput('out.jsonl');
    truncateSync(path, 6_000);
    await expect(inspectOutput(path)).rejects.toThrow(/out\.jsonl, line \d: no whole JSON object/);
  });
});
