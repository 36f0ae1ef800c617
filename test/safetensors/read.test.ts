// Tensors read back: every value of every type, files of several pieces, shards, and our own writer.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeTensors } from '#src/safetensors/encode.js';
import { type Floats, openTensorFile } from '#src/safetensors/file.js';
import { openTensors } from '#src/safetensors/shards.js';
import { encodeF16, fromF16 } from '#src/vectors/f16.js';
import { fc } from '../properties.js';
import { temporaryFolder } from '../run.js';
import { fileOf, soundFile } from './made.js';

async function readBack(bytes: Uint8Array, name: string): Promise<Floats> {
  const path = join(temporaryFolder(), 'x.safetensors');
  writeFileSync(path, bytes);
  const file = await openTensorFile(path);
  try {
    return await file.read(name);
  } finally {
    await file.close();
  }
}

const ALL = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);
const bytesOf = (values: Float32Array): Buffer => Buffer.from(values.buffer);

describe('values', () => {
  it('every bfloat16 is the float32 whose upper half it is', async () => {
    const entry = { w: { dtype: 'BF16', shape: [256, 256], data_offsets: [0, ALL.byteLength] } };
    const { data } = await readBack(soundFile(entry, new Uint8Array(ALL.buffer)), 'w');
    expect(data).toEqual(new Float32Array(Uint32Array.from(ALL, (bits) => (bits << 16) >>> 0).buffer));
  });

  it('every float16 is as the standard has it', async () => {
    const entry = { w: { dtype: 'F16', shape: [1 << 16], data_offsets: [0, ALL.byteLength] } };
    const { data } = await readBack(soundFile(entry, new Uint8Array(ALL.buffer)), 'w');
    expect(data).toEqual(Float32Array.from(ALL, fromF16));
    // Back again, but for the many forms of "not a number".
    const numbers = ALL.filter((bits) => !Number.isNaN(fromF16(bits)));
    expect(encodeF16(Float32Array.from(numbers, fromF16))).toEqual(numbers);
  });

  it('float64 is rounded to float32', async () => {
    const values = Float64Array.of(0.1, 1 / 3, 1e-46, -2.5);
    const entry = { w: { dtype: 'F64', shape: [4], data_offsets: [0, 32] } };
    expect((await readBack(soundFile(entry, new Uint8Array(values.buffer)), 'w')).data).toEqual(Float32Array.from(values));
  });

  it('a tensor of several pieces is whole, and need not begin at a multiple of its size', async () => {
    const values = Float32Array.from({ length: 2_500_000 }, (_, at) => at);
    const odd = {
      first: { dtype: 'U8', shape: [3], data_offsets: [0, 3] },
      w: { dtype: 'F32', shape: [2_500_000], data_offsets: [3, 10_000_003] },
    };
    const { data } = await readBack(fileOf(`${JSON.stringify(odd)}  `, Buffer.concat([Buffer.alloc(3), bytesOf(values)])), 'w');
    expect(bytesOf(data).equals(bytesOf(values))).toBe(true);
  });

  it('a scalar has one value, a tensor of no size none, and metadata is no tensor', async () => {
    const entries = {
      __metadata__: { format: 'pt' },
      none: { dtype: 'F32', shape: [0, 7], data_offsets: [4, 4] },
      one: { dtype: 'F32', shape: [], data_offsets: [0, 4] },
    };
    const bytes = soundFile(entries, new Uint8Array(Float32Array.of(7).buffer));
    expect(await readBack(bytes, 'one')).toEqual({ shape: [], data: Float32Array.of(7) });
    expect(await readBack(bytes, 'none')).toEqual({ shape: [0, 7], data: new Float32Array(0) });
  });
});

it('our own writer gives back names, shapes and values, in equal bytes for equal tensors', async () => {
  const values = fc.array(fc.float({ noNaN: true }), { maxLength: 20 });
  const tensor = values.map((some) => ({ shape: [some.length], data: Float32Array.from(some) }));
  const record = fc.dictionary(fc.string({ minLength: 1, unit: 'grapheme' }), tensor, { maxKeys: 5, noNullPrototype: true });
  await fc.assert(
    fc.asyncProperty(record, async (tensors) => {
      const bytes = encodeTensors(tensors);
      expect(encodeTensors(tensors)).toEqual(bytes);
      for (const [name, expected] of Object.entries(tensors)) expect(await readBack(bytes, name)).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

it('shards are read as one, each tensor from the file that the index names', async () => {
  const folder = temporaryFolder();
  const write = (name: string, value: number): void =>
    writeFileSync(join(folder, name), encodeTensors({ [name[0] as string]: { shape: [1], data: Float32Array.of(value) } }));
  write('a.safetensors', 1);
  write('b.safetensors', 2);
  const index = join(folder, 'model.safetensors.index.json');
  writeFileSync(index, JSON.stringify({ metadata: { total_size: 8 }, weight_map: { a: 'a.safetensors', b: 'b.safetensors' } }));
  const tensors = await openTensors(index);
  expect([...tensors.places.keys()]).toEqual(['a', 'b']);
  expect([(await tensors.read('a')).data[0], (await tensors.read('b')).data[0]]).toEqual([1, 2]);
  await tensors.close();
});
