// Outputs that are what they claim hold; each kind of damage is found by the check that is there for it.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Verification, type VerifyOptions, verifyOutput } from '#src/inspect/verify.js';
import { batchFailure, stubModel } from '../job/stub-model.js';
import { alter, INPUT, makeOutput, type Output, vectorBytes } from './outputs.js';

const verify = ({ path, input }: Output, options: VerifyOptions = {}): Promise<Verification> =>
  verifyOutput(path, { against: { paths: [input] }, ...options }, stubModel());

/** Name of each check -> rows or facts checked and differing. */
const booksOf = ({ checks }: Verification): Record<string, readonly [number, number]> =>
  Object.fromEntries(checks.map(({ name, checked, differ }) => [name, [checked, differ]]));

const failing = ({ checks }: Verification): string[] => checks.filter(({ differ }) => differ > 0).map(({ name }) => name);
const faultsOf = ({ checks }: Verification): string[] =>
  checks.flatMap(({ faults, first }) => [...faults, ...first.map(({ found }) => found)]);

describe('an undisturbed output', () => {
  it.each(['out.parquet', 'out.arrow', 'out.arrows', 'out.jsonl'])('%s holds', async (name) => {
    const output = await makeOutput(name);
    const found = await verify(output);
    const rows = { vectors: [4, 0], content_hash: [4, 0], ids: [4, 0], texts: [4, 0], sample: [4, 0] };
    expect(booksOf(found)).toMatchObject(rows);
    expect(found).toMatchObject({ holds: true, rows: 4, input: { items: 6, putAside: 2 } });
    expect(found.unchecked.length).toBe(name === 'out.jsonl' ? 1 : 0);
  });

  it.each([
    ['float16', { output: { path: '', dtype: 'float16' as const } }],
    ['int8', { output: { path: '', dtype: 'int8' as const } }],
    ['binary', { output: { path: '', dtype: 'binary' as const } }],
    ['the prompt of a name', { model: { prompt: 'query' } }],
    ['a prompt of its own', { model: { prompt: 'passage: ' } }],
    ['long texts put aside', { model: { maxTokens: 12, onOverflow: 'quarantine' as const } }],
    ['another field', { input: { paths: [], textField: 'body' } }],
    ['a template', { input: { paths: [], template: '{body?} {text}' } }],
  ])('holds with %s, as its provenance says', async (_, changes) => {
    const found = await verify(await makeOutput('out.arrow', changes));
    expect(failing(found)).toEqual([]);
    expect(found.rows).toBeGreaterThan(1);
    expect(booksOf(found)['sample']).toEqual([found.rows, 0]);
  });

  it.each(['int8', 'binary'] as const)('holds in JSONL of %s where that is said, and is refused where not', async (dtype) => {
    const output = await makeOutput('out.jsonl', { output: { path: '', dtype } });
    const found = await verify(output, { model: { dtype } });
    expect([found.holds, booksOf(found)['sample']]).toEqual([true, [4, 0]]);
    expect(found.unchecked).toContain(`lengths of vectors: ${dtype} keeps none`);
    await expect(verify(output)).rejects.toMatchObject({
      code: 'usage',
      sentence: expect.stringMatching(
        /the vectors of .*out\.jsonl are whole numbers, and jsonl does not say what they stand for; say --dtype/,
      ),
    });
  });

  it('holds where rows failed in the engine, as its quarantine says, and not where that is gone', async () => {
    const refuse = (texts: readonly (readonly number[])[]): void => {
      if (texts.some((ids) => ids.length > 12)) throw batchFailure('the engine fails');
    };
    const output = await makeOutput('out.jsonl', {}, INPUT, { onBatch: refuse });
    expect(await verify(output)).toMatchObject({ holds: true, rows: 3, input: { items: 6, putAside: 3 } });
    renameSync(`${output.path}.quarantine.jsonl`, `${output.path}.gone`);
    expect(failing(await verify(output))).toEqual(['ids', 'texts', 'input']);
  });

  it('remembers the field of its ids', async () => {
    const content = ['{"doi":"x1","text":"first text"}', '{"doi":"x2","text":"second text"}'].join('\n');
    const output = await makeOutput('out.parquet', { input: { paths: [], idField: 'doi' } }, content);
    expect(await verify(output)).toMatchObject({ holds: true, rows: 2 });
  });

  it('by itself says what was not checked', async () => {
    const output = await makeOutput('out.parquet');
    const found = await verifyOutput(output.path, {}, stubModel());
    expect([found.holds, found.input, Object.keys(booksOf(found))]).toEqual([
      true,
      null,
      ['rows', 'columns', 'fingerprint', 'vectors', 'content_hash'],
    ]);
    expect(found.unchecked).toEqual([expect.stringContaining('--against')]);
  });

  it('samples as many rows as asked', async () => {
    const output = await makeOutput('out.arrow');
    expect(booksOf(await verify(output, { sample: 2 }))).toMatchObject({ texts: [4, 0], sample: [2, 0] });
    expect(booksOf(await verify(output, { sample: 0 }))).toMatchObject({ sample: [4, 0] });
  });
});

describe('an altered output', () => {
  it('is found by one bit of a vector, which only embedding again can find', async () => {
    const output = await makeOutput('out.arrow');
    const vector = await vectorBytes(output.path, 3);
    const other = Buffer.from(vector);
    other[0] = (other[0] as number) ^ 1;
    alter(output.path, vector, other);
    const found = await verify(output);
    expect(failing(found)).toEqual(['sample']);
    expect(found.checks.at(-1)?.first).toEqual([{ row: 3, id: '5', found: expect.stringMatching(/^1 of 384 values differ, by up to /) }]);
    expect((await verifyOutput(output.path, {}, stubModel())).holds).toBe(true);
  });

  it.each(['int8', 'binary'] as const)('is found by one code of %s', async (dtype) => {
    const output = await makeOutput('out.arrow', { output: { path: '', dtype } });
    const codes = await vectorBytes(output.path, 3);
    const other = Buffer.from(codes);
    other[7] = (other[7] as number) ^ 1;
    alter(output.path, codes, other);
    const found = await verify(output);
    expect([failing(found), found.checks.at(-1)?.first.map(({ row }) => row)]).toEqual([['sample'], [3]]);
  });

  it('is found by what is no code, in JSONL, without the input', async () => {
    const output = await makeOutput('out.jsonl', { output: { path: '', dtype: 'int8' } });
    const [first, ...rest] = readFileSync(output.path, 'utf8').split('\n');
    writeFileSync(output.path, [first?.replace(/"embedding":\[-?\d+/, '"embedding":[128'), ...rest].join('\n'));
    const found = await verifyOutput(output.path, { model: { model: 'bge-small-en-v1.5', dtype: 'int8' } }, stubModel());
    expect([failing(found), faultsOf(found)]).toEqual([['vectors'], ['not whole numbers from -128 to 127']]);
  });

  it('of int8 without its ranges is none', async () => {
    const output = await makeOutput('out.arrows', { output: { path: '', dtype: 'int8' } });
    alter(output.path, '"int8_ranges"', '"int8_rangez"');
    await expect(verify(output)).rejects.toMatchObject({ code: 'input-unreadable', message: expect.stringContaining('int8_ranges') });
  });

  it.each([
    ['a value that is not finite', Number.NaN],
    ['a vector too long by 1e-5', 1.00001],
    ['a vector of zeros', 0],
  ])('is found by %s, without the input', async (_, factor) => {
    const output = await makeOutput('out.arrow');
    const vector = await vectorBytes(output.path, 1);
    const other = Float32Array.from(new Float32Array(vector.buffer, vector.byteOffset, 384), (value) => value * factor);
    alter(output.path, vector, new Uint8Array(other.buffer));
    const found = await verifyOutput(output.path, {}, stubModel());
    expect(failing(found)).toEqual(['vectors']);
    expect(booksOf(found)['vectors']).toEqual([4, 1]);
  });

  it.each([
    ['id', '"id":"c"', '"id":"x"', ['ids']],
    ['content hash', /"content_hash":"./, '"content_hash":"X', ['content_hash', 'texts']],
    ['token count', '"token_count":4', '"token_count":7', ['sample']],
    ['truncation', '"truncated":false', '"truncated":true', ['sample']],
    ['missing value', /"embedding":\[[^,]+/, '"embedding":[null', ['vectors', 'sample']],
    ['missing row', /.*\n$/, '', ['input']],
    ['row too many', /(.*\n)$/, '$1$1', ['ids', 'texts']],
  ])('JSONL is found by its %s', async (_, from, to, names) => {
    const output = await makeOutput('out.jsonl');
    writeFileSync(output.path, readFileSync(output.path, 'utf8').replace(from, to));
    expect(failing(await verify(output))).toEqual(names);
  });

  it.each([
    [/"fingerprint":"./, '"fingerprint":"0', 'fingerprint', /is not that of the model/],
    [/"pooling":"cls","normalize":true/, '"pooling":"cl","normalize":false', 'fingerprint', /normalize is false, and true for the model/],
    [/"dtype":"float32"/, '"dtype":"float16"', 'columns', /column "embedding" is FixedSizeList\[384\]<Float32> where/],
    [/"dim":384/, '"dim":383', 'columns', /the model gives no vectors of 383 values/],
  ])('is found by a provenance with another %s', async (from, to, name, fault) => {
    const output = await makeOutput('out.arrow');
    const [found] = from.exec(readFileSync(output.path, 'latin1')) as unknown as [string];
    alter(output.path, found, to);
    const verified = await verify(output);
    expect(failing(verified)).toContain(name);
    expect(faultsOf(verified)).toContainEqual(expect.stringMatching(fault));
  });

  it('whose model is another is not embedded again, and says so', async () => {
    const output = await makeOutput('out.arrow');
    const found = await verify(output, { model: { maxTokens: 100 } });
    expect(failing(found)).toEqual(['fingerprint']);
    expect(booksOf(found)).not.toHaveProperty('sample');
    expect(found.unchecked).toEqual(['vectors embedded again: the model is another']);
  });

  it('names a model that is not here', async () => {
    const output = await makeOutput('out.arrow');
    alter(output.path, '"model":"bge-small', '"model":"bge-large');
    await expect(verify(output)).rejects.toMatchObject({ code: 'usage', hint: 'name its folder with --model' });
    expect((await verify(output, { model: { model: 'bge-small-en-v1.5' } })).holds).toBe(true);
  });
});

describe('another input', () => {
  it('is found by the first row that differs', async () => {
    const output = await makeOutput('out.parquet');
    writeFileSync(output.input, INPUT.replace('the last one', 'the last two'));
    const found = await verify(output);
    expect(failing(found)).toEqual(['texts']);
    expect(found.checks.find(({ name }) => name === 'texts')?.first).toEqual([
      { row: 3, id: '5', found: 'the input has another text there' },
    ]);
    expect(booksOf(found)['sample']).toEqual([3, 0]);
  });

  it('needs the shard of the run', async () => {
    const shard = { index: 0, of: 2 };
    const output = await makeOutput(
      'out.parquet',
      { input: { paths: [], shard } },
      Array.from({ length: 9 }, (_, n) => `{"text":"text ${n}"}`).join('\n'),
    );
    expect((await verify(output)).holds).toBe(false);
    expect(await verify(output, { against: { paths: [output.input], shard } })).toMatchObject({ holds: true });
  });

  it('needs the limit of the run', async () => {
    const output = await makeOutput('out.parquet', { input: { paths: [], limit: 4 } });
    expect(faultsOf(await verify(output))).toEqual(['the input has 2 good rows more than the output']);
    expect((await verify(output, { against: { paths: [output.input], limit: 4 } })).holds).toBe(true);
  });
});

describe('an output of long documents in pieces', () => {
  it.each([
    ['out.arrow', { maxTokens: 16 }],
    ['out.parquet', { chunkTokens: 16, chunkOverlap: 2 }],
  ])('(%s, %j) holds against its documents', async (name, pieces) => {
    const output = await makeOutput(name, { model: { onOverflow: 'chunk' as const, ...pieces } });
    const found = await verify(output);
    expect(failing(found)).toEqual([]);
    expect(found.rows).toBeGreaterThan(4);
    expect(booksOf(found)['sample']).toEqual([found.rows, 0]);
  });
});
