// The products by constant matrices of any graph, grouped by the value that they read.
import type { Constant } from '../onnx/constant.js';
import { evaluateGraph, type KnownGraph } from '../onnx/evaluate.js';
import { floatAttribute, integerAttribute, tensorAttribute } from '../onnx/lookup.js';
import { DATA_TYPE, type GraphProto, type NodeProto } from '../onnx/proto.js';
import type { OnnxFile } from '../onnx/read.js';
import type { Weights } from './choose.js';

export interface Product {
  readonly node: NodeProto;
  readonly weights: Weights;
  /** outputs values that are added, where the operator adds any. */
  readonly bias: Float32Array | undefined;
}

/** A value and the products that read it: it is quantized once for all of them. */
export interface ProductSite {
  readonly name: string;
  /** Name of the value in the graph. */
  readonly value: string;
  /** Length of its last axis. */
  readonly inputs: number;
  readonly products: readonly Product[];
}

/** Sites in the order of their first product. */
export async function findProducts(file: OnnxFile, output: string): Promise<ProductSite[]> {
  const known = await evaluateGraph(file, output);
  const byValue = new Map<string, Product[]>();
  for (const node of (file.model.graph as GraphProto).node ?? []) {
    const product = READERS[node.opType ?? '']?.(node, known);
    const value = node.input?.[0] ?? '';
    if (product === undefined || known.constants.has(value)) continue;
    const found = byValue.get(value);
    // A value whose last axis two products read differently is none that we know.
    if (found === undefined) byValue.set(value, [product]);
    else if (found[0]?.weights.inputs === product.weights.inputs) found.push(product);
  }
  return [...byValue].map(([value, products], at) => ({
    name: `product${at}.${(products[0] as Product).node.name || value}`.replace(/[^\w.]+/g, '_'),
    value,
    inputs: (products[0] as Product).weights.inputs,
    products,
  }));
}

type Reader = (node: NodeProto, known: KnownGraph) => Product | undefined;

/** Operator -> its reading as x W + b, where W is constant. Sources: ONNX MatMul and Gemm; com.microsoft FusedMatMul. */
const READERS: Readonly<Record<string, Reader>> = {
  MatMul: (node, known) => productOf(node, known, { transposed: false, factor: 1 }),
  FusedMatMul: (node, known) => {
    const odd = ['transA', 'transBatchA', 'transBatchB'].some((name) => integerAttribute(node, name));
    if (odd) return undefined;
    return productOf(node, known, { transposed: Boolean(integerAttribute(node, 'transB')), factor: floatAttribute(node, 'alpha') ?? 1 });
  },
  Gemm: (node, known) => {
    const plain = !integerAttribute(node, 'transA') && (floatAttribute(node, 'beta') ?? 1) === 1;
    const bias = known.constants.get(node.input?.[2] ?? '');
    const product = productOf(node, known, {
      transposed: Boolean(integerAttribute(node, 'transB')),
      factor: floatAttribute(node, 'alpha') ?? 1,
    });
    if (!plain || product === undefined) return undefined;
    if (!node.input?.[2]) return product;
    if (bias?.data.length !== product.weights.outputs) return undefined;
    return { ...product, bias: Float32Array.from(bias.data) };
  },
};

function productOf(node: NodeProto, known: KnownGraph, form: { transposed: boolean; factor: number }): Product | undefined {
  const name = node.input?.[1] ?? '';
  const constant = known.constants.get(name);
  // Both operands have one type: half arithmetic is none that these integers could take the place of.
  if (elementType(name, known) !== DATA_TYPE.FLOAT) return undefined;
  if (constant?.dims.length !== 2 || !(constant.data instanceof Float32Array)) return undefined;
  return { node, weights: weightsOf(constant, form.transposed, form.factor), bias: undefined };
}

/** The type in which a constant is computed with, whatever it is stored in. */
function elementType(name: string, { initialisers, producers }: Pick<KnownGraph, 'initialisers' | 'producers'>): number | undefined {
  const tensor = initialisers.get(name);
  const node = producers.get(name);
  if (tensor !== undefined || node === undefined) return tensor?.dataType ?? undefined;
  if (node.opType === 'Cast') return integerAttribute(node, 'to');
  if (node.opType === 'Constant') return tensorAttribute(node, 'value')?.dataType ?? DATA_TYPE.FLOAT;
  return elementType(node.input?.[0] ?? '', { initialisers, producers });
}

function weightsOf({ data, dims }: Constant, transposed: boolean, factor: number): Weights {
  const [rows, columns] = dims as [number, number];
  if (!transposed) return { inputs: rows, outputs: columns, weight: Float32Array.from(data, (value) => value * factor) };
  const weight = new Float32Array(data.length);
  for (let at = 0; at < data.length; at++) {
    weight[(at % columns) * rows + Math.floor(at / columns)] = (data[at] as number) * factor;
  }
  return { inputs: columns, outputs: rows, weight };
}
