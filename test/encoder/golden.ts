// The encoder that all fixtures hold, as fixtures/make.py seeded it, and comparison with it array by array.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { Encoder } from '#src/encoder/encoder.js';
import type { GraphProto } from '#src/onnx/proto.js';
import { type OnnxFile, readOnnx } from '#src/onnx/read.js';

const FOLDER = fileURLToPath(new URL('./fixtures/', import.meta.url));

interface Golden {
  readonly hidden: number;
  readonly heads: number;
  readonly inner: number;
  readonly scale: number;
  readonly epsilon: number;
  readonly layers: number;
  /** Path in the Encoder -> where its values are in golden.f32. */
  readonly arrays: Readonly<Record<string, { readonly offset: number; readonly dims: readonly number[] }>>;
}

export const GOLDEN: Golden = JSON.parse(readFileSync(`${FOLDER}golden.json`, 'utf8'));
const VALUES = new Float32Array(new Uint8Array(readFileSync(`${FOLDER}golden.f32`)).buffer);

export function goldenArray(path: string): Float32Array {
  const { offset, dims } = GOLDEN.arrays[path] as Golden['arrays'][string];
  return VALUES.slice(offset, offset + dims.reduce((product, dim) => product * dim, 1));
}

/** A fixture, changed before it is recognised. */
export async function fixture(name: string, edit: (graph: GraphProto) => void = () => undefined): Promise<OnnxFile> {
  const file = await readOnnx(`${FOLDER}${name}.onnx`);
  edit(file.model.graph as GraphProto);
  return file;
}

export interface Expected {
  readonly activation?: Encoder['activation'];
  /** Largest difference of a weight; rounding the fold of types into positions costs the default. */
  readonly tolerance?: number;
  /** Arrays that are not the golden's. */
  readonly arrays?: (path: string, golden: Float32Array) => Float32Array;
}

/** Every array, dimension and trait. */
export function expectGolden(
  encoder: Encoder,
  { activation = 'gelu', tolerance = 1e-6, arrays = (_, golden) => golden }: Expected = {},
): void {
  const { hidden, heads, inner, scale } = GOLDEN;
  expect(encoder).toMatchObject({ hidden, heads, inner, scale, activation });
  expect(encoder.layers).toHaveLength(GOLDEN.layers);
  const norms = [encoder.embeddingNorm, ...encoder.layers.flatMap((layer) => [layer.attentionNorm, layer.outputNorm])];
  expect(norms.map((norm) => norm?.epsilon)).toEqual(norms.map(() => GOLDEN.epsilon));
  for (const path of Object.keys(GOLDEN.arrays)) expectArray(encoder, path, arrays(path, goldenArray(path)), tolerance);
}

function expectArray(encoder: Encoder, path: string, golden: Float32Array, tolerance: number): void {
  const found = path.split('.').reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], encoder);
  const { dims } = GOLDEN.arrays[path] as Golden['arrays'][string];
  const owner = path.endsWith('.weight') ? path.split('.').slice(0, -1) : undefined;
  if (owner !== undefined) {
    const linear = owner.reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], encoder);
    expect(linear, path).toMatchObject({ inputs: dims[0], outputs: dims[1] });
  }
  if (!(found instanceof Float32Array)) expect(found, path).toMatchObject({ rows: dims[0], dim: dims[1] });
  const values = found instanceof Float32Array ? found : (found as { data: Float32Array }).data;
  expect(values, path).toHaveLength(golden.length);
  const furthest = values.reduce((most, value, at) => Math.max(most, Math.abs(value - (golden[at] as number))), 0);
  expect(furthest, path).toBeLessThanOrEqual(tolerance);
}
