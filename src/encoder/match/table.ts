// One look-up of the embedding: which table it reads, by what, and from which row on.
import type { Constant } from '../../onnx/constant.js';
import type { KnownGraph } from '../../onnx/evaluate.js';
import type { NodeProto } from '../../onnx/proto.js';
import type { Table } from '../encoder.js';
import { originOf, producerOf, weightOf } from './trace.js';

export interface Lookup {
  readonly kind: 'word' | 'position' | 'type';
  readonly table: Table;
}

/** The look-up that gives the value; undefined where it is none in a constant table of two axes. */
export function lookupOf(graph: KnownGraph, value: string): Lookup | undefined {
  const node = graph.producers.get(throughExpand(graph, value));
  const [tableName, indexName] = node?.input ?? [];
  const table = weightOf(graph, tableName);
  if (node === undefined || table === undefined || tableName === undefined) return undefined;
  // All positions of a model without an offset, or the rows of a fixed width.
  if (node.opType === 'Slice') return { kind: 'position', table: fromRow(table, firstOf(graph, node.input?.[1])) };
  if (node.opType !== 'Gather' || table.dims.length !== 2 || indexName === undefined) return undefined;
  const { kind, start } = indexOf(graph, indexName, table.dims[0] as number);
  return { kind, table: fromRow(table, kind === 'position' ? start : 0) };
}

function throughExpand(graph: KnownGraph, name: string): string {
  let at = originOf(graph, name);
  for (let node = producerOf(graph, at); node?.opType === 'Expand' || node?.opType === 'Tile'; node = producerOf(graph, at)) {
    at = originOf(graph, String(node.input?.[0]));
  }
  return at;
}

function fromRow({ dims, data }: Constant<Float32Array>, start: number): Table {
  const dim = dims.at(-1) ?? 1;
  return { rows: data.length / dim - start, dim, data: data.subarray(start * dim) };
}

function firstOf(graph: KnownGraph, name: string | undefined): number {
  const first = name === undefined ? undefined : graph.constants.get(name)?.data[0];
  return first === undefined || Number.isNaN(first) ? 0 : first;
}

interface Index {
  readonly kind: Lookup['kind'];
  /** Row of the first token. */
  readonly start: number;
}

/** Operators whose first input carries the values. */
const CARRIERS = new Set('Identity Cast Reshape Squeeze Unsqueeze Expand Tile Slice Gather Transpose Add Sub Mul'.split(' '));
/** Tables of token types have a row or two; of positions and words, many. */
const MOST_TYPES = 16;

/** What rows are looked up by: an input as it is, constants, or numbers counted up. */
function indexOf(graph: KnownGraph, name: string, rows: number): Index {
  const added: number[] = [];
  let at = name;
  let node: NodeProto | undefined;
  for (;;) {
    if (graph.inputs.has(at)) return inputIndex(at);
    const constant = graph.constants.get(at)?.data;
    if (constant !== undefined) return constantIndex(constant, added, rows);
    node = graph.producers.get(at);
    if (node === undefined || !CARRIERS.has(node.opType ?? '')) break;
    if (node.opType === 'Add') added.push(...(node.input ?? []).map((input) => firstOf(graph, input)));
    at = carried(graph, node);
  }
  if (node?.opType === 'ConstantOfShape' && rows <= MOST_TYPES) return { kind: 'type', start: 0 };
  // Counted over the tokens that are not padding, from 1: RoBERTa adds the padding id to that.
  const counted = node?.opType === 'CumSum' ? 1 : 0;
  const from = node?.opType === 'Range' ? firstOf(graph, node.input?.[0]) : 0;
  return { kind: 'position', start: total(added) + counted + from };
}

/** The operand that is not constant, the first where there are several. */
function carried(graph: KnownGraph, node: NodeProto): string {
  const inputs = node.input ?? [];
  const isSum = node.opType === 'Add' || node.opType === 'Mul' || node.opType === 'Sub';
  return String((isSum ? inputs.find((input) => !graph.constants.has(input)) : undefined) ?? inputs[0]);
}

function inputIndex(name: string): Index {
  if (/type|segment/i.test(name)) return { kind: 'type', start: 0 };
  return { kind: /position/i.test(name) ? 'position' : 'word', start: 0 };
}

function constantIndex(values: Float32Array | Float64Array, added: readonly number[], rows: number): Index {
  const isType = rows <= MOST_TYPES && values.every((value) => value === 0);
  return isType ? { kind: 'type', start: 0 } : { kind: 'position', start: (values[0] as number) + total(added) };
}

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
