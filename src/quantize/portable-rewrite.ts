// A graph with some of its products rewritten as INT8, and what nobody reads any more left out. The source graph is not changed.
import type { QuantizedInput } from '../encoder/quantized.js';
import { EmbedkitError } from '../errors.js';
import { GraphBuilder, MICROSOFT } from '../onnx/build.js';
import { liveGraph } from '../onnx/live.js';
import { type GraphProto, ModelProto, type NodeProto, toNumber } from '../onnx/proto.js';
import type { GraphFormat } from './path.js';
import type { Product, ProductSite } from './portable-products.js';
import type { IntegerWeights } from './weights.js';

/** A site and the integers of its products, in their order. */
export interface SiteIntegers {
  readonly site: ProductSite;
  readonly input: QuantizedInput;
  readonly products: readonly IntegerWeights[];
}

// DequantizeLinear with an axis came with opset 13.
const QDQ_OPSET = 13;

export function rewriteProducts(model: ModelProto, sites: readonly SiteIntegers[], format: GraphFormat): ModelProto {
  checkOpset(model, format);
  const builder = new GraphBuilder();
  const replaced = new Map<NodeProto, readonly NodeProto[]>();
  for (const { site, input, products } of sites) {
    let entered: string | undefined;
    for (const [at, product] of site.products.entries()) {
      const before = builder.nodeCount;
      entered ??= emitEnter(builder, site, input, format);
      EMIT[format](builder, product, products[at] as IntegerWeights, { site: site.name, name: `${site.name}.${at}`, entered });
      replaced.set(product.node, builder.nodesFrom(before));
    }
  }
  const graph = model.graph as GraphProto;
  const node = (graph.node ?? []).flatMap((one) => replaced.get(one) ?? [one]);
  const initializer = [...(graph.initializer ?? []), ...builder.initialisers];
  const opsetImport = (model.opsetImport ?? []).some(({ domain }) => domain === MICROSOFT)
    ? model.opsetImport
    : [...(model.opsetImport ?? []), { domain: MICROSOFT, version: 1 }];
  const live = liveGraph({ ...graph, node, initializer, valueInfo: [] });
  return ModelProto.create({ ...model, opsetImport, producerName: 'embedkit', producerVersion: '', graph: live });
}

function checkOpset(model: ModelProto, format: GraphFormat): void {
  const version = toNumber(model.opsetImport?.find(({ domain }) => !domain)?.version);
  if (format === 'fused' || version >= QDQ_OPSET) return;
  throw new EmbedkitError('usage', `--format qdq: this model has opset ${version}, and QDQ needs ${QDQ_OPSET}`, {
    hint: 'leave --format out, or export the model at a newer opset',
  });
}

function emitEnter(builder: GraphBuilder, { name, value }: ProductSite, input: QuantizedInput, format: GraphFormat): string {
  builder.scalar(`${name}.scale`, input.scale);
  builder.constant(`${name}.zero_point`, Uint8Array.of(input.zeroPoint), []);
  const factors = input.divisor?.map((one) => 1 / one);
  const scaled =
    factors === undefined ? value : builder.node('Mul', `${name}.prescaled`, [value, builder.constant(`${name}.factors`, factors)]);
  const integers = builder.node('QuantizeLinear', `${name}.integers`, [scaled, `${name}.scale`, `${name}.zero_point`]);
  if (format === 'fused') return integers;
  return builder.node('DequantizeLinear', `${name}.floats`, [integers, `${name}.scale`, `${name}.zero_point`]);
}

interface Names {
  readonly site: string;
  readonly name: string;
  readonly entered: string;
}

type EmitProduct = (builder: GraphBuilder, product: Product, integers: IntegerWeights, names: Names) => void;

/** Both give the product's own output name, so that the rest of the graph does not notice. */
const EMIT: Record<GraphFormat, EmitProduct> = {
  fused: (builder, { node, weights, bias }, integers, { site, name, entered }) => {
    builder.constant(`${name}.weight`, integers.weight, [weights.inputs, weights.outputs]);
    builder.constant(`${name}.scales`, integers.scales);
    const added = bias === undefined ? undefined : builder.constant(`${name}.bias`, bias);
    const inputs = [entered, `${name}.weight`, `${site}.scale`, `${name}.scales`, `${site}.zero_point`, undefined, added];
    const used = added === undefined ? inputs.slice(0, 5) : inputs;
    builder.node('MatMulIntegerToFloat', `${name}.product`, used, { domain: MICROSOFT, outputs: node.output ?? [] });
  },
  qdq: (builder, { node, weights, bias }, integers, { name, entered }) => {
    builder.constant(`${name}.integers`, integers.weight, [weights.inputs, weights.outputs]);
    builder.constant(`${name}.scales`, integers.scales);
    builder.constant(`${name}.zero_points`, new Int8Array(weights.outputs));
    const inputs = [`${name}.integers`, `${name}.scales`, `${name}.zero_points`];
    const weight = builder.node('DequantizeLinear', `${name}.weight`, inputs, { attributes: { axis: 1 } });
    const outputs = node.output ?? [];
    if (bias === undefined) builder.node('MatMul', `${name}.product`, [entered, weight], { outputs });
    else {
      const product = builder.node('MatMul', `${name}.product`, [entered, weight]);
      builder.node('Add', `${name}.sum`, [product, builder.constant(`${name}.bias`, bias)], { outputs });
    }
  },
};
