// Quantizing any graph in place: every product by a constant matrix becomes INT8, all else stays as it is.
import { scaleRows } from '../encoder/fold.js';
import type { GraphTensor } from '../engine/contract.js';
import { EmbedkitError } from '../errors.js';
import type { Manifest } from '../model/manifest.js';
import { GraphBuilder } from '../onnx/build.js';
import { DATA_TYPE, type GraphProto, ModelProto, toNumber, type ValueInfoProto } from '../onnx/proto.js';
import type { OnnxFile } from '../onnx/read.js';
import { fedInputs } from '../onnx/shapes.js';
import { type Choice, chooseInput, joinWeights } from './choose.js';
import { dividedObservation, type Observation, type StoredObservation } from './observation.js';
import { emitTap, type IdBatch, int64, SAMPLE_INPUTS, type TappedModel, tapOutputs } from './observe.js';
import type { GraphFormat, QuantizedModel, QuantizePath } from './path.js';
import { findProducts, type ProductSite } from './portable-products.js';
import { rewriteProducts, type SiteIntegers } from './portable-rewrite.js';
import { weightQuantizer } from './weight-quantizer.js';
import type { IntegerWeights } from './weights.js';

/** @param why the reason for not taking the encoder path */
export async function portablePath(file: OnnxFile, manifest: Manifest, why: string): Promise<QuantizePath> {
  const sites = await findProducts(file, manifest.architecture.output);
  if (sites.length === 0) {
    throw new EmbedkitError('model-unsupported', `${file.path}: no product by a constant matrix in it`, {
      hint: 'export the model as ONNX in fp32',
    });
  }
  const graph = file.model.graph as GraphProto;
  const ports = { inputs: fedInputs(graph).map(({ name }) => name ?? ''), output: manifest.architecture.output, pooling: manifest.pooling };
  const way = { method: 'portable', fallback: why } as const;
  return {
    ...way,
    tapped: async () => tappedGraph(file.model, sites),
    quantize: async (observations, matmul, options): Promise<QuantizedModel> => {
      const choices = new Map<string, Choice>();
      for (const [at, site] of sites.entries()) {
        const seen = (observations[at] as StoredObservation).load();
        choices.set(site.name, await chooseInput(seen, joinWeights(site.products.map(({ weights }) => weights)), matmul, options));
        options.onSite?.(at + 1, 2 * sites.length);
      }
      const integers: SiteIntegers[] = [];
      for (const [at, site] of sites.entries()) {
        const passes = { range: options.weights, matmul };
        integers.push(await quantizeSite(site, (observations[at] as StoredObservation).load(), choices.get(site.name) as Choice, passes));
        options.onSite?.(sites.length + at + 1, 2 * sites.length);
      }
      const emit = (keep: ReadonlySet<string>, format: GraphFormat): ModelProto =>
        rewriteProducts(
          file.model,
          integers.filter(({ site }) => !keep.has(site.name)),
          format,
        );
      return { ...way, choices, ports, opset: manifest.architecture.opset, emit };
    },
  };
}

async function quantizeSite(
  site: ProductSite,
  seen: Observation,
  { input }: Choice,
  passes: Parameters<typeof weightQuantizer>[2],
): Promise<SiteIntegers> {
  const { divisor } = input;
  const quantizer = await weightQuantizer(divisor === undefined ? seen : dividedObservation(seen, divisor), input.scale, passes);
  const products: IntegerWeights[] = [];
  for (const { weights } of site.products) {
    products.push(await quantizer(divisor === undefined ? weights : { ...weights, weight: scaleRows(weights, divisor) }));
  }
  return { site, input, products };
}

/** What each usual graph input is fed with for an unpadded batch. */
const FED = { input_ids: 'ids', attention_mask: 1, input_mask: 1, token_type_ids: 0, segment_ids: 0 } as const;

function tappedGraph(model: ModelProto, sites: readonly ProductSite[]): TappedModel {
  const graph = model.graph as GraphProto;
  const taps = sites.map(({ name, inputs }) => ({ name, channels: inputs, per: 'token' as const }));
  const builder = new GraphBuilder();
  const opset = toNumber(model.opsetImport?.find(({ domain }) => !domain)?.version);
  for (const [at, tap] of taps.entries()) emitTap(builder, { ...tap }, (sites[at] as ProductSite).value, opset);
  const names = Object.values(SAMPLE_INPUTS);
  const added = builder.model({
    inputs: names.map((name) => ({ name, type: DATA_TYPE.INT64, dims: [name] })),
    outputs: taps.flatMap(tapOutputs).map((output) => ({ ...output, type: DATA_TYPE.FLOAT })),
    opset: 0,
  }).graph as GraphProto;
  const tapped = {
    ...graph,
    node: [...(graph.node ?? []), ...(added.node ?? [])],
    initializer: [...(graph.initializer ?? []), ...(added.initializer ?? [])],
    input: [...(graph.input ?? []), ...(added.input ?? [])],
    output: [...(graph.output ?? []), ...(added.output ?? [])],
  };
  const feeds = (batch: IdBatch) => Object.fromEntries(fedInputs(graph).map((input) => [input.name ?? '', feedOf(input, batch)]));
  return { model: ModelProto.create({ ...model, graph: tapped }), taps, feeds };
}

function feedOf({ name, type }: ValueInfoProto, { ids, rows, width }: IdBatch): GraphTensor {
  const fed = FED[name as keyof typeof FED];
  const values = fed === 'ids' ? ids : new Int32Array(ids.length).fill(fed ?? 0);
  const dims = [rows, width];
  return type?.tensorType?.elemType === DATA_TYPE.INT32 ? { type: 'int32', dims, data: values } : int64(values, dims);
}
