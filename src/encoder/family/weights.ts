// Named tensors become the parts of an Encoder, their shapes checked against the configuration; remembers what nobody read.
import { EmbedkitError } from '../../errors.js';
import type { LayerNorm, Linear, Table } from '../encoder.js';

/** Where tensors come from. */
export interface WeightSource {
  readonly places: ReadonlyMap<string, { readonly shape: readonly number[] }>;
  read(name: string): Promise<{ readonly shape: readonly number[]; readonly data: Float32Array }>;
}

export interface LinearShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly bias: boolean;
}

/** Tensors by the names that they have inside the encoder. A linear map is stored outputs x inputs, as torch has it. */
export class Weights {
  private readonly used = new Set<string>();

  /** `prefix` is what the names of the encoder's tensors begin with, such as `bert.`. */
  constructor(
    private readonly source: WeightSource,
    private readonly prefix: string,
  ) {}

  has(name: string): boolean {
    return this.source.places.has(this.prefix + name);
  }

  /** The tensor `name`, which must be of this shape. Throws `model-invalid`. */
  async values(name: string, shape: readonly number[]): Promise<Float32Array> {
    const full = this.prefix + name;
    const found = this.source.places.get(full)?.shape;
    if (found === undefined) throw invalid(`the weights lack ${quoted(full)}`);
    if (found.join() !== shape.join())
      throw invalid(`${quoted(full)} is of shape [${found.join(', ')}] where config.json makes it [${shape.join(', ')}]`);
    this.used.add(full);
    return (await this.source.read(full)).data;
  }

  async table(name: string, rows: number, dim: number): Promise<Table> {
    return { rows, dim, data: await this.values(`${name}.weight`, [rows, dim]) };
  }

  async linear(name: string, shape: LinearShape): Promise<Linear> {
    return (await this.linears(name, { ...shape, outputs: [shape.outputs] }))[0] as Linear;
  }

  /** Several linear maps that are stored as one, their outputs one after the other. */
  async linears(name: string, { inputs, outputs, bias }: { inputs: number; outputs: readonly number[]; bias: boolean }): Promise<Linear[]> {
    const total = outputs.reduce((sum, one) => sum + one, 0);
    const stored = await this.values(`${name}.weight`, [total, inputs]);
    const biases = bias ? await this.values(`${name}.bias`, [total]) : new Float32Array(total);
    let start = 0;
    return outputs.map((count) => {
      const from = start;
      start += count;
      const weight = transposed(stored.subarray(from * inputs, start * inputs), count, inputs);
      return { inputs, outputs: count, weight, bias: biases.slice(from, start) };
    });
  }

  /** `bias: false` is a normalisation without shifts. */
  async norm(name: string, dim: number, epsilon: number, { bias = true } = {}): Promise<LayerNorm> {
    // Checkpoints converted from TensorFlow keep its names.
    const old = this.has(`${name}.gamma`);
    const gamma = await this.values(`${name}.${old ? 'gamma' : 'weight'}`, [dim]);
    const beta = bias ? await this.values(`${name}.${old ? 'beta' : 'bias'}`, [dim]) : new Float32Array(dim);
    return { gamma, beta, epsilon };
  }

  /** Names below the prefix that nobody read. */
  unread(): string[] {
    const below = [...this.source.places.keys()].filter((name) => name.startsWith(this.prefix) && !this.used.has(name));
    return below.map((name) => name.slice(this.prefix.length));
  }
}

const TILE = 32;

/** rows x columns -> columns x rows, tile by tile so that both sides stay in the cache. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let top = 0; top < rows; top += TILE) {
    for (let left = 0; left < columns; left += TILE) {
      for (let row = top; row < Math.min(top + TILE, rows); row++) {
        for (let column = left; column < Math.min(left + TILE, columns); column++)
          turned[column * rows + row] = values[row * columns + column] as number;
      }
    }
  }
  return turned;
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 200));
}

function invalid(what: string): EmbedkitError {
  return new EmbedkitError('model-invalid', what, { hint: 'fetch the model again' });
}
