// How many operations a model executes: counted from the shapes that the runtime reports of its products. Pure.

/** Arithmetic of a product. */
export type Kind = 'int8' | 'fp32';

/** What the runtime says of one run of one node. */
export interface NodeEvent {
  readonly op_name: string;
  readonly input_type_shape: readonly Readonly<Record<string, readonly number[]>>[];
  readonly output_type_shape: readonly Readonly<Record<string, readonly number[]>>[];
  /** Microseconds. */
  readonly duration: number;
}

/** One operator's share of a pass. */
export interface OperatorClass {
  readonly milliseconds: number;
  readonly nodes: number;
  /** Operations of products by weights, by the type they are computed in. */
  readonly int8: number;
  readonly fp32: number;
  /** Operations of attention's two products, which are products of activations. */
  readonly attention: number;
}

/** Operator -> its share of a pass. */
export type OperatorClasses = Readonly<Record<string, OperatorClass>>;

/** Multiplications and additions, of products alone. */
export interface Operations {
  readonly int8: number;
  readonly fp32: number;
  readonly attention: number;
}

/** What the runtime calls products of two matrices, M x K by K x N -> arithmetic. */
const PRODUCTS: Readonly<Record<string, Kind>> = {
  MatMul: 'fp32',
  FusedMatMul: 'fp32',
  Gemm: 'fp32',
  FusedGemm: 'fp32',
  MatMulInteger: 'int8',
  MatMulIntegerToFloat: 'int8',
  DynamicQuantizeMatMul: 'int8',
  QLinearMatMul: 'int8',
  QGemm: 'int8',
};

const NONE: Operations = { int8: 0, fp32: 0, attention: 0 };

/** The operations of one node; none for what is no product. */
export function operationsOf({ op_name, input_type_shape, output_type_shape }: NodeEvent): Operations {
  const shape = (list: NodeEvent['input_type_shape'], at: number): readonly number[] => Object.values(list[at] ?? {})[0] ?? [];
  const input = shape(input_type_shape, 0);
  const output = shape(output_type_shape, 0);
  const kind = Object.hasOwn(PRODUCTS, op_name) ? PRODUCTS[op_name] : undefined;
  if (kind !== undefined) {
    // Each value of the output is a sum over the input's last axis. (A prepacked weight is not among the inputs.)
    const count = 2 * output.reduce((a, b) => a * b, 1) * (input.at(-1) ?? 0);
    // rows x heads x queries x ...: a product of activations.
    return output.length === 4 ? { ...NONE, attention: count } : { ...NONE, [kind]: count };
  }
  const [rows = 0, queries = 0, hidden = 0] = output;
  if (op_name === 'MultiHeadAttention') return { ...NONE, attention: 4 * rows * queries * (shape(input_type_shape, 1)[1] ?? 0) * hidden };
  if (op_name === 'Attention' || op_name === 'QAttention') {
    const linear = 2 * rows * queries * (input.at(-1) ?? 0) * 3 * hidden;
    return { ...NONE, [op_name === 'QAttention' ? 'int8' : 'fp32']: linear, attention: 4 * rows * queries * queries * hidden };
  }
  return NONE;
}

/** Sums the events of `passes` equal passes into the means of one. */
export function classesOf(events: readonly NodeEvent[], passes: number): OperatorClasses {
  const classes: Record<string, OperatorClass> = {};
  for (const event of events) {
    const { int8, fp32, attention } = operationsOf(event);
    const held = classes[event.op_name] ?? { milliseconds: 0, nodes: 0, ...NONE };
    classes[event.op_name] = {
      milliseconds: held.milliseconds + event.duration / 1000 / passes,
      nodes: held.nodes + 1 / passes,
      int8: held.int8 + int8 / passes,
      fp32: held.fp32 + fp32 / passes,
      attention: held.attention + attention / passes,
    };
  }
  return classes;
}

export function totalOf(classes: OperatorClasses): Operations {
  const sum = (key: keyof Operations): number => Object.values(classes).reduce((total, one) => total + one[key], 0);
  return { int8: sum('int8'), fp32: sum('fp32'), attention: sum('attention') };
}

/** Operations of one text by its length in tokens, as the coefficients of 1, n and n squared. */
export interface OperationsByLength {
  readonly int8: Line;
  readonly fp32: Line;
  /** Without a constant: where the last layer has one query, its part is linear. */
  readonly attention: Line;
}

type Line = readonly [constant: number, linear: number, square: number];

/** From the operations of one text of two different lengths. Products by weights grow with the length, attention with it and its square. */
export function byLength(a: { width: number } & Operations, b: { width: number } & Operations): OperationsByLength {
  const straight = (key: 'int8' | 'fp32'): Line => {
    const slope = (b[key] - a[key]) / (b.width - a.width);
    return [a[key] - slope * a.width, slope, 0];
  };
  const [atA, atB] = [a.attention / a.width, b.attention / b.width];
  const square = (atB - atA) / (b.width - a.width);
  return { int8: straight('int8'), fp32: straight('fp32'), attention: [0, atA - square * a.width, square] };
}

/** Operations of one text of `width` tokens. */
export function operationsAt({ int8, fp32, attention }: OperationsByLength, width: number): Operations {
  const value = ([constant, linear, square]: Line): number => constant + linear * width + square * width * width;
  return { int8: value(int8), fp32: value(fp32), attention: value(attention) };
}
