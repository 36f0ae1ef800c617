// What every reference operator is: a function from input tensors and attributes to output tensors.
import { type NodeProto, toNumber } from '#src/onnx/proto.js';
import { fromProto, type Tensor } from './tensor.js';

export interface Call {
  /** undefined where an optional input is left out. */
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attributes: Attributes;
  /** Version of the operator set that the model imports for the operator's domain. */
  readonly opset: number;
  /** How many outputs the node names. */
  readonly outputs: number;
}

export type Operator = (call: Call) => Tensor | Tensor[];
export type Operators = Readonly<Record<string, Operator>>;

/** A required input. */
export function input(call: Call, at: number): Tensor {
  const found = call.inputs[at];
  if (found === undefined) throw new Error(`input ${at} is missing`);
  return found;
}

/** Whole numbers, such as axes and shapes, from an input or, in older operator sets, from an attribute of the given name. */
export function integersOf(call: Call, at: number, attribute: string): number[] | undefined {
  const given = call.inputs[at];
  return given === undefined ? call.attributes.ints(attribute) : [...given.data];
}

/** The attributes of a node, by name and kind. */
export class Attributes {
  constructor(private readonly node: NodeProto) {}

  private find(name: string) {
    return this.node.attribute?.find((attribute) => attribute.name === name);
  }

  int(name: string): number | undefined;
  int(name: string, otherwise: number): number;
  int(name: string, otherwise?: number): number | undefined {
    const found = this.find(name);
    return found === undefined ? otherwise : toNumber(found.i);
  }

  ints(name: string): number[] | undefined {
    return this.find(name)?.ints?.map(toNumber);
  }

  float(name: string): number | undefined;
  float(name: string, otherwise: number): number;
  float(name: string, otherwise?: number): number | undefined {
    const found = this.find(name);
    return found === undefined ? otherwise : (found.f ?? 0);
  }

  floats(name: string): number[] | undefined {
    return this.find(name)?.floats ?? undefined;
  }

  text(name: string, otherwise: string): string {
    const found = this.find(name);
    return found === undefined ? otherwise : new TextDecoder().decode(found.s ?? new Uint8Array(0));
  }

  tensor(name: string): Tensor | undefined {
    const found = this.find(name)?.t;
    return found === null || found === undefined ? undefined : fromProto(found);
  }
}
