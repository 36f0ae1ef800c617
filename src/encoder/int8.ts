// Static INT8 in the runtime's fast form: QuantizeLinear with constant scales, then MatMulIntegerToFloat with its bias.
import { type GraphBuilder, MICROSOFT } from '../onnx/build.js';
import { DATA_TYPE } from '../onnx/proto.js';
import { type Arithmetic, IDS } from './emit.js';
import type { Encoder } from './encoder.js';
import { emitFp32Linear } from './fp32.js';
import type { QuantizedInput, QuantizedLinear, QuantizedParts, QuantizedTable } from './quantized.js';
import { type LinearName, type Site, siteName } from './sites.js';

/**
 * Every scale is a constant of the graph, so a vector cannot depend on its batch.
 * Sources: ONNX QuantizeLinear; ONNX Runtime docs/ContribOperators.md, com.microsoft.MatMulIntegerToFloat.
 */
export function int8Arithmetic(encoder: Encoder, parts: QuantizedParts): Arithmetic {
  return {
    words: (graph) => emitWords(graph, parts.words),
    enter: (graph, site, name, value) => {
      const quantized = parts.sites.get(siteName(site));
      return quantized === undefined ? value : emitQuantize(graph, siteName(site), name, value, quantized.input);
    },
    linear: (graph, site, linear, entered) => {
      const quantized = parts.sites.get(siteName(site))?.linears[linear];
      if (quantized === undefined) return emitFp32Linear(graph, encoder, site, linear, entered);
      return emitProduct(graph, site, linear, entered, quantized);
    },
  };
}

/** Word vectors from int8 rows, each with a scale of its own. */
export function emitWords(graph: GraphBuilder, table: QuantizedTable): string {
  graph.constant('embedding.table', table.data, [table.rows, table.dim]);
  graph.constant('embedding.table_scales', table.scales, [table.rows, 1]);
  const integers = graph.node('Gather', 'embedding.integers', ['embedding.table', IDS]);
  const scales = graph.node('Gather', 'embedding.scales', ['embedding.table_scales', IDS]);
  const floats = graph.node('Cast', 'embedding.floats', [integers], { attributes: { to: DATA_TYPE.FLOAT } });
  return graph.node('Mul', 'embedding.words', [floats, scales]);
}

/** value as uint8; the constants are named after the site, which may be entered twice. */
export function emitQuantize(graph: GraphBuilder, site: string, name: string, value: string, input: QuantizedInput): string {
  const isFirst = name === site;
  if (isFirst) {
    graph.scalar(`${site}.scale`, input.scale);
    graph.constant(`${site}.zero_point`, Uint8Array.of(input.zeroPoint), []);
    if (input.divisor !== undefined)
      graph.constant(
        `${site}.factors`,
        input.divisor.map((one) => 1 / one),
      );
  }
  const scaled = input.divisor === undefined ? value : graph.node('Mul', `${name}.prescaled`, [value, `${site}.factors`]);
  return graph.node('QuantizeLinear', `${name}.integers`, [scaled, `${site}.scale`, `${site}.zero_point`]);
}

function emitProduct(graph: GraphBuilder, site: Site, linear: LinearName, entered: string, quantized: QuantizedLinear): string {
  const name = `layer${site.layer}.${linear}`;
  const input = siteName(site);
  graph.constant(`${name}.weight`, quantized.weight, [quantized.inputs, quantized.outputs]);
  graph.constant(`${name}.scales`, quantized.scales);
  graph.constant(`${name}.bias`, quantized.bias);
  const inputs = [entered, `${name}.weight`, `${input}.scale`, `${name}.scales`, `${input}.zero_point`, undefined, `${name}.bias`];
  return graph.node('MatMulIntegerToFloat', `${name}.value`, inputs, { domain: MICROSOFT });
}
