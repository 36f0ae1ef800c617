// Static INT8 in the portable QDQ form: every integer is followed by its DequantizeLinear, so that any ONNX runtime gives the same result.
import type { GraphBuilder } from '../onnx/build.js';
import type { Arithmetic } from './emit.js';
import type { Encoder } from './encoder.js';
import { emitFp32Linear } from './fp32.js';
import { emitQuantize, emitWords } from './int8.js';
import type { QuantizedLinear, QuantizedParts } from './quantized.js';
import { type LinearName, type Site, siteName } from './sites.js';

/** Sources: ONNX QuantizeLinear and DequantizeLinear, opset 13: weights per axis 1, activations per tensor. */
export function qdqArithmetic(encoder: Encoder, parts: QuantizedParts): Arithmetic {
  return {
    words: (graph) => emitWords(graph, parts.words),
    enter: (graph, site, name, value) => {
      const quantized = parts.sites.get(siteName(site));
      if (quantized === undefined) return value;
      const integers = emitQuantize(graph, siteName(site), name, value, quantized.input);
      return graph.node('DequantizeLinear', `${name}.floats`, [integers, `${siteName(site)}.scale`, `${siteName(site)}.zero_point`]);
    },
    linear: (graph, site, linear, entered) => {
      const quantized = parts.sites.get(siteName(site))?.linears[linear];
      if (quantized === undefined) return emitFp32Linear(graph, encoder, site, linear, entered);
      return emitProduct(graph, site, linear, entered, quantized);
    },
  };
}

function emitProduct(graph: GraphBuilder, site: Site, linear: LinearName, entered: string, quantized: QuantizedLinear): string {
  const name = `layer${site.layer}.${linear}`;
  // Not `${name}.integers`: the sites of up and down bear the names of their maps, and have integers of their own.
  graph.constant(`${name}.weight_integers`, quantized.weight, [quantized.inputs, quantized.outputs]);
  graph.constant(`${name}.scales`, quantized.scales);
  // Some runtimes want the zero points spelt out.
  graph.constant(`${name}.zero_points`, new Int8Array(quantized.outputs));
  graph.constant(`${name}.bias`, quantized.bias);
  const weight = graph.node('DequantizeLinear', `${name}.weight`, [`${name}.weight_integers`, `${name}.scales`, `${name}.zero_points`], {
    attributes: { axis: 1 },
  });
  const product = graph.node('MatMul', `${name}.product`, [entered, weight]);
  return graph.node('Add', `${name}.value`, [product, `${name}.bias`]);
}
