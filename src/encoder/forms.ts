// Attention and activation as graph nodes: with the runtime's fused operators, and in standard ONNX alone.
import { type GraphBuilder, MICROSOFT } from '../onnx/build.js';
import type { Form } from './emit.js';
import type { Activation, Encoder } from './encoder.js';

/** com.microsoft MultiHeadAttention and Gelu: without a mask the runtime's fast path. */
export const FUSED: Form = {
  attention: (graph, encoder, name, { query, key, value, bias }) => {
    const inputs = [query, key, value, ...(bias === undefined ? [] : [undefined, undefined, bias])];
    const attributes = { num_heads: encoder.heads, scale: { float: encoder.scale } };
    return graph.node('MultiHeadAttention', `${name}.heads`, inputs, { domain: MICROSOFT, attributes });
  },
  rotate: (graph, _, name, value, { cos, sin }) => graph.node('RotaryEmbedding', name, [value, 'zero', cos, sin], { domain: MICROSOFT }),
  activation: (graph, encoder, name, value) => FUSED_ACTIVATIONS[encoder.activation](graph, name, value),
};

type EmitActivation = (graph: GraphBuilder, name: string, value: string) => string;

const relu: EmitActivation = (graph, name, value) => graph.node('Relu', name, [value]);

const silu: EmitActivation = (graph, name, value) => graph.node('Mul', name, [value, graph.node('Sigmoid', `${name}.sigmoid`, [value])]);

const FUSED_ACTIVATIONS: Record<Activation, EmitActivation> = {
  gelu: (graph, name, value) => graph.node('Gelu', name, [value], { domain: MICROSOFT }),
  'gelu-tanh': (graph, name, value) => graph.node('FastGelu', name, [value], { domain: MICROSOFT }),
  relu,
  silu,
};

/** ai.onnx operators of opset 17, for runtimes without the fused ones. */
export const STANDARD: Form = {
  attention: (graph, encoder, name, { query, key, value, bias }) => {
    const q = splitHeads(graph, encoder, `${name}.query_heads`, query, [0, 2, 1, 3]);
    const k = splitHeads(graph, encoder, `${name}.key_heads`, key, [0, 2, 3, 1]);
    const v = splitHeads(graph, encoder, `${name}.value_heads`, value, [0, 2, 1, 3]);
    const products = graph.node('MatMul', `${name}.products`, [q, k]);
    const unbiased = scaled(graph, `${name}.scores`, products, encoder.scale);
    const scores = bias === undefined ? unbiased : graph.node('Add', `${name}.biased_scores`, [unbiased, bias]);
    const shares = graph.node('Softmax', `${name}.shares`, [scores], { attributes: { axis: -1 } });
    const mixed = graph.node('MatMul', `${name}.mixed`, [shares, v]);
    const turned = graph.node('Transpose', `${name}.mixed_turned`, [mixed], { attributes: { perm: [0, 2, 1, 3] } });
    const shape = graph.integers(`${name}.joined_shape`, [0, 0, encoder.hidden]);
    return graph.node('Reshape', `${name}.heads`, [turned, shape]);
  },
  rotate: (graph, encoder, name, value, { cos, sin }) => {
    const size = encoder.hidden / encoder.heads;
    const shape = graph.integers(`${name}.shape`, [0, 0, encoder.heads, size]);
    const split = graph.node('Reshape', `${name}.split`, [value, shape]);
    const outputs = [`${name}.low`, `${name}.high`];
    graph.integers(`${name}.halves`, [size / 2, size / 2]);
    graph.node('Split', `${name}.parts`, [split, `${name}.halves`], { outputs, attributes: { axis: -1 } });
    const c = graph.node('Unsqueeze', `${name}.cos`, [cos, 'one']);
    const s = graph.node('Unsqueeze', `${name}.sin`, [sin, 'one']);
    const times = (part: 'low' | 'high', by: string, as: string): string => graph.node('Mul', `${name}.${as}`, [`${name}.${part}`, by]);
    const low = graph.node('Sub', `${name}.low_turned`, [times('low', c, 'low_cos'), times('high', s, 'high_sin')]);
    const high = graph.node('Add', `${name}.high_turned`, [times('high', c, 'high_cos'), times('low', s, 'low_sin')]);
    const turned = graph.node('Concat', `${name}.turned`, [low, high], { attributes: { axis: -1 } });
    return graph.node('Reshape', name, [turned, graph.integers(`${name}.joined_shape`, [0, 0, encoder.hidden])]);
  },
  activation: (graph, encoder, name, value) => STANDARD_ACTIVATIONS[encoder.activation](graph, name, value),
};

function scaled(graph: GraphBuilder, name: string, value: string, factor: number): string {
  return factor === 1 ? value : graph.node('Mul', name, [value, graph.scalar(`${name}.factor`, factor)]);
}

/** rows x width x hidden -> rows x width x heads x size, axes in the given order. */
function splitHeads(graph: GraphBuilder, encoder: Encoder, name: string, value: string, perm: readonly number[]): string {
  const shape = graph.integers(`${name}.shape`, [0, 0, encoder.heads, encoder.hidden / encoder.heads]);
  const split = graph.node('Reshape', `${name}.split`, [value, shape]);
  return graph.node('Transpose', name, [split], { attributes: { perm: [...perm] } });
}

const STANDARD_ACTIVATIONS: Record<Activation, EmitActivation> = {
  // x/2 (1 + erf(x / sqrt 2))
  gelu: (graph, name, value) => {
    const scaled = graph.node('Div', `${name}.scaled`, [value, graph.scalar(`${name}.sqrt2`, Math.SQRT2)]);
    const erf = graph.node('Erf', `${name}.erf`, [scaled]);
    const shifted = graph.node('Add', `${name}.shifted`, [erf, graph.scalar(`${name}.one`, 1)]);
    const product = graph.node('Mul', `${name}.product`, [value, shifted]);
    return graph.node('Mul', name, [product, graph.scalar(`${name}.half`, 0.5)]);
  },
  // x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), Hendrycks and Gimpel 2016
  'gelu-tanh': (graph, name, value) => {
    const cube = graph.node('Pow', `${name}.cube`, [value, graph.scalar(`${name}.three`, 3)]);
    const bent = graph.node('Mul', `${name}.bent`, [cube, graph.scalar(`${name}.bend`, 0.044715)]);
    const inner = graph.node('Add', `${name}.inner`, [value, bent]);
    const scaled = graph.node('Mul', `${name}.scaled`, [inner, graph.scalar(`${name}.slope`, Math.sqrt(2 / Math.PI))]);
    const tanh = graph.node('Tanh', `${name}.tanh`, [scaled]);
    const shifted = graph.node('Add', `${name}.shifted`, [tanh, graph.scalar(`${name}.one`, 1)]);
    const product = graph.node('Mul', `${name}.product`, [value, shifted]);
    return graph.node('Mul', name, [product, graph.scalar(`${name}.half`, 0.5)]);
  },
  relu,
  silu,
};
