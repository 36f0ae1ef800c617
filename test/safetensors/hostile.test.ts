// Files that break one rule of the format each: every one ends in a sentence that names the rule, and none in a crash or a large allocation.
// After huggingface/safetensors, attacks/.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import { openTensorFile } from '#src/safetensors/file.js';
import { MAX_HEADER_BYTES } from '#src/safetensors/header.js';
import { MAX_INDEX_BYTES, openTensors } from '#src/safetensors/shards.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';
import { fileOf, floats, soundFile, TWO } from './made.js';

async function refusal(work: Promise<unknown>): Promise<EmbedkitError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EmbedkitError);
  return error as EmbedkitError;
}

const of = (entries: Record<string, unknown>, data = floats(1, 2)): Buffer => soundFile(entries, data);
const tensor = (over: object): Record<string, unknown> => ({ weight: { ...TWO['weight'], ...over } });
const twice = JSON.stringify(TWO['weight']);

/** What is wrong -> the file, and what the sentence says. */
const FILES: Record<string, readonly [Buffer, RegExp]> = {
  empty: [Buffer.alloc(0), /0 bytes, fewer than the length of a header/],
  'shorter than a length': [Buffer.alloc(7), /7 bytes, fewer/],
  'a header longer than the file': [fileOf('{}', undefined, 100n), /claims a header of 100 bytes and has 10/],
  'a header of 2^64 - 1 bytes': [fileOf('{}', undefined, 2n ** 64n - 1n), /claims a header of 18446744073709551615 bytes; headers end at/],
  'a header beyond the limit': [fileOf('{}', undefined, BigInt(MAX_HEADER_BYTES) + 1n), /headers end at/],
  'no JSON': [fileOf('{"weight": ', floats(1)), /its header is no JSON in UTF-8/],
  'no header at all': [fileOf('', floats(1)), /its header is no JSON/],
  'an array for a header': [fileOf('[1, 2]'), /no JSON object/],
  'a number for a header': [fileOf('12'), /no JSON object/],
  'bytes that are no UTF-8': [fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), /no JSON in UTF-8/],
  'a mark of byte order': [fileOf('\ufeff{}'), /no JSON in UTF-8/],
  'deep JSON': [fileOf(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`), /nests 5000 levels deep, not 3/],
  'deep JSON behind a string that ends late': [fileOf(`{"a\\\\":${'['.repeat(9)}${']'.repeat(9)}}`), /nests 10 levels/],
  'a tensor named twice': [fileOf(`{"a":${twice},"a":${twice}}`, floats(1, 2)), /names a tensor twice/],
  'an entry that is no object': [of({ weight: 3 }), /tensor "weight": .*expected object/],
  'an entry without offsets': [of({ weight: { dtype: 'F32', shape: [2] } }), /data_offsets/],
  'a negative size': [of(tensor({ shape: [-2] })), /shape 0/],
  'a size that is no whole number': [of(tensor({ shape: [1.5] })), /shape 0/],
  'a size of 2^63': [of(tensor({ shape: [2 ** 63] })), /shape 0/],
  'sizes whose product overflows': [of(tensor({ shape: [2 ** 40, 2 ** 40] })), /fills no whole bytes or more than exist/],
  'a negative offset': [of(tensor({ data_offsets: [-8, 0] })), /data_offsets 0/],
  'offsets the wrong way round': [of(tensor({ data_offsets: [8, 0] })), /takes 8 bytes, and its offsets give it -8/],
  'offsets that give too little': [of(tensor({ data_offsets: [0, 4] }), floats(1)), /takes 8 bytes, and its offsets give it 4/],
  'an unknown element type': [of(tensor({ dtype: 'F12' })), /unknown element type "F12"/],
  'an element type out of the prototype': [of(tensor({ dtype: 'constructor' })), /unknown element type "constructor"/],
  'elements that fill no whole byte': [of(tensor({ dtype: 'F4', shape: [3] })), /fills no whole bytes/],
  'tensors that overlap': [
    of({ ...TWO, other: { dtype: 'F32', shape: [2], data_offsets: [4, 12] } }, floats(1, 2, 3)),
    /"other" overlaps the one before it/,
  ],
  'one place for two tensors': [of({ ...TWO, other: TWO['weight'] }), /overlaps/],
  'a hole between tensors': [
    of({ ...TWO, other: { dtype: 'F32', shape: [1], data_offsets: [12, 16] } }, floats(1, 2, 3, 4)),
    /4 bytes before tensor "other" belong to no tensor/,
  ],
  'a hole before the first': [of(tensor({ data_offsets: [4, 12] }), floats(1, 2, 3)), /4 bytes before tensor "weight"/],
  'bytes after the last': [of(TWO, floats(1, 2, 3)), /4 bytes at its end belong to no tensor/],
  'data cut short': [of(TWO, floats(1)), /its tensors need \d+ bytes, and the file has \d+/],
  'a tensor larger than any file': [
    of({ weight: { dtype: 'F32', shape: [2 ** 40], data_offsets: [0, 2 ** 42] } }),
    /need 4398046511\d+ bytes/,
  ],
  'a name of line ends and a megabyte': [of({ [`a\n${'b'.repeat(1 << 20)}`]: 1 }), /^[^\n]{0,400}$/],
};

describe('a hostile safetensors file', () => {
  it.each(Object.keys(FILES))('%s', async (name) => {
    const [bytes, sentence] = FILES[name] as readonly [Buffer, RegExp];
    const path = join(temporaryFolder(), 'x.safetensors');
    writeFileSync(path, bytes);
    const error = await refusal(openTensorFile(path));
    expect(error.code).toBe('model-invalid');
    expect(error.message.replaceAll(path, 'PATH')).toMatch(sentence);
    expect(error.hint).toBe('fetch it again');
  });

  it('cut anywhere, or with any byte changed, is read or refused, and never read where it is cut', async () => {
    const sound = soundFile({ a: TWO['weight'], b: { dtype: 'F32', shape: [], data_offsets: [8, 12] } }, floats(1, 2, 3));
    const path = join(temporaryFolder(), 'x.safetensors');
    const change = fc.record({ at: fc.nat(sound.length - 1), byte: fc.nat(255), cut: fc.nat(sound.length) });
    await fc.assert(
      fc.asyncProperty(change, async ({ at, byte, cut }) => {
        const bytes = Buffer.from(sound);
        bytes[at] = byte;
        writeFileSync(path, bytes.subarray(0, cut));
        const error = await openTensorFile(path).then(
          async (file) => file.close(),
          (thrown: unknown) => thrown,
        );
        if (error !== undefined || cut < sound.length) expect(error).toBeInstanceOf(EmbedkitError);
      }),
      { numRuns: 300 },
    );
  });

  it('a folder, and no file', async () => {
    const folder = temporaryFolder();
    expect((await refusal(openTensorFile(folder))).message).toMatch(/no file|illegal operation on a directory/);
    expect((await refusal(openTensorFile(join(folder, 'none.safetensors')))).code).toBe('input-not-found');
  });

  it('a type that holds no weights is refused by name, and only when it is read', async () => {
    const path = join(temporaryFolder(), 'x.safetensors');
    writeFileSync(path, of({ ids: { dtype: 'I64', shape: [1], data_offsets: [0, 8] } }));
    const file = await openTensorFile(path);
    const error = await refusal(file.read('ids'));
    expect([error.code, error.message]).toEqual(['model-unsupported', expect.stringContaining('"ids" holds I64; embedkit reads F32')]);
    expect((await refusal(file.read('weight'))).message).toContain('holds no tensor "weight"');
    await file.close();
  });
});

/** What is wrong -> the index, and what the sentence says. */
const INDEXES: Record<string, readonly [unknown, RegExp]> = {
  'a path that climbs': [
    { weight_map: { weight: '../x.safetensors' } },
    /"..\/x.safetensors", which is no safetensors file of its own folder/,
  ],
  'an absolute path': [{ weight_map: { weight: '/etc/x.safetensors' } }, /which is no safetensors file of its own folder/],
  'a file of another kind': [{ weight_map: { weight: 'pytorch_model.bin' } }, /"pytorch_model.bin", which is no safetensors file/],
  itself: [{ weight_map: { weight: 'x.safetensors.index.json' } }, /which is no safetensors file/],
  'a shard that is not there': [{ weight_map: { weight: 'other.safetensors' } }, /no such file/],
  'a tensor that the shard lacks': [{ weight_map: { bias: 'x.safetensors' } }, /names tensor "bias" in "x.safetensors", which does not/],
  'no map': [{}, /is no index: weight_map/],
  'an empty map': [{ weight_map: {} }, /names 0 files/],
  'thousands of shards': [
    { weight_map: Object.fromEntries(Array.from({ length: 1025 }, (_, at) => [`t${at}`, `s${at}.safetensors`])) },
    /names 1025 files, not 1 to 1024/,
  ],
  'a name that is a number': [{ weight_map: { weight: 3 } }, /is no index: weight_map.weight/],
};

describe('a hostile index of shards', () => {
  function indexed(text: string): string {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'x.safetensors'), soundFile());
    const path = join(folder, 'x.safetensors.index.json');
    writeFileSync(path, text);
    return path;
  }

  it.each(Object.keys(INDEXES))('%s', async (name) => {
    const [index, sentence] = INDEXES[name] as readonly [unknown, RegExp];
    const error = await refusal(openTensors(indexed(JSON.stringify(index))));
    expect(error.message).toMatch(sentence);
    expect(error.hint).toBeDefined();
  });

  it.each([
    ['deep JSON', '['.repeat(100_000), /nests more than 2 levels deep/],
    ['no JSON', '{"weight_map"', /is no JSON/],
    ['longer than any', ' '.repeat(MAX_INDEX_BYTES + 1), /is no file of up to/],
  ])('%s', async (_, text, sentence) => {
    expect((await refusal(openTensors(indexed(text)))).message).toMatch(sentence);
  });

  it('a shard that is a link is followed, as the caches of model hubs have them', async () => {
    const path = indexed(JSON.stringify({ weight_map: { weight: 'link.safetensors' } }));
    mkdirSync(join(path, '..', 'blobs'));
    writeFileSync(join(path, '..', 'blobs', 'abc'), soundFile());
    symlinkSync(join('blobs', 'abc'), join(path, '..', 'link.safetensors'));
    const tensors = await openTensors(path);
    expect(await tensors.read('weight')).toEqual({ shape: [2], data: Float32Array.of(1, 2) });
    await tensors.close();
  });
});
