// Graphs that no encoder form covers, made of fixtures by editing them.
import { DATA_TYPE, dimsOf, type GraphProto, type ModelProto } from '#src/onnx/proto.js';
import { toF16 } from '#src/vectors/f16.js';
import { INT, rewrite } from '../encoder/rewrites.js';
import { floatTensor, node } from '../onnx/tiny.js';

/** Softmax of s + |s| / 10, as MPNet and T5 add something to the scores that BERT does not. */
export function odderScores(graph: GraphProto): void {
  const tenth = floatTensor('odd.tenth', [], Float32Array.of(0.1));
  graph.initializer?.push(tenth);
  rewrite(graph, (one, at) => {
    if (one.opType !== 'Softmax') return undefined;
    const scores = String(one.input?.[0]);
    const name = (part: string): string => `odd${at}.${part}`;
    return [
      node('Abs', '', [scores], [name('abs')]),
      node('Mul', '', [name('abs'), 'odd.tenth'], [name('share')]),
      node('Add', '', [scores, name('share')], [name('sum')]),
      { ...one, input: [name('sum')] } as typeof one,
    ];
  });
}

/** Every floating point constant and value in FP16; the output is cast to fp32. Needs weights inside the graph. */
export function halfArithmetic(graph: GraphProto, _: ModelProto): void {
  for (const tensor of graph.initializer ?? []) {
    if (tensor.dataType !== DATA_TYPE.FLOAT) continue;
    const count = dimsOf(tensor).reduce((product, dim) => product * dim, 1);
    // What the values are does not matter here.
    const halves = Uint16Array.from({ length: count }, (__, at) => toF16(Math.sin(at) / 4));
    Object.assign(tensor, {
      dataType: DATA_TYPE.FLOAT16,
      rawData: new Uint8Array(halves.buffer),
      floatData: [],
      dataLocation: 0,
      externalData: [],
    });
  }
  const last = (graph.node ?? []).find((one) => one.output?.[0] === 'last_hidden_state');
  if (last !== undefined) last.output = ['halves'];
  graph.node?.push(node('Cast', '', ['halves'], ['last_hidden_state'], [INT('to', DATA_TYPE.FLOAT)]));
}
