// Quantizing a recognised encoder: what is observed, what is chosen, and the graph that comes of it.
import { type EmitOptions, emitEncoder, IDS, OPSET, OUTPUT } from '../encoder/emit.js';
import type { Encoder } from '../encoder/encoder.js';
import { foldAttentionScale, foldContextDivisor, foldInnerCopies, scaleRows } from '../encoder/fold.js';
import { FUSED, STANDARD } from '../encoder/forms.js';
import { fp32Arithmetic } from '../encoder/fp32.js';
import { int8Arithmetic } from '../encoder/int8.js';
import { qdqArithmetic } from '../encoder/qdq.js';
import type { QuantizedInput, QuantizedLinear, QuantizedParts, QuantizedSite } from '../encoder/quantized.js';
import { type LinearName, linearOf, linearsAt, type Site, siteName, sitesOf } from '../encoder/sites.js';
import type { GraphTensor } from '../engine/contract.js';
import { GraphBuilder } from '../onnx/build.js';
import type { ModelProto } from '../onnx/proto.js';
import type { Pooling } from '../vectors/pool.js';
import { type Choice, chooseInput, joinWeights, type MatMul, rowMagnitudes } from './choose.js';
import { copiedObservation, dividedObservation, type Observation, type StoredObservation } from './observation.js';
import { emitTap, type IdBatch, int64, SAMPLE_INPUTS, type Tap, type TappedModel, tapOutputs } from './observe.js';
import { copiedChannels } from './outlier-channels.js';
import type { GraphFormat, PassOptions, Ports, QuantizedModel, QuantizePath } from './path.js';
import { bySensitivity } from './sensitivity.js';
import { weightQuantizer } from './weight-quantizer.js';
import type { WeightRange } from './weights.js';
import { dequantizeRows, quantizeRows } from './words.js';

const WAY = { method: 'encoder', fallback: undefined } as const;
const NOTHING = new Float32Array(0);

/** Reads an encoder whose fp32 graph was proven to equal its source. */
type Load = () => Promise<Encoder>;

/** The path of a proven encoder. `cls`: only the first token's vector is wanted. */
export function encoderPath(load: Load, pooling: Pooling): QuantizePath {
  const output = pooling === 'cls' ? 'cls' : 'hidden';
  const ports: Ports = { inputs: [IDS], output: OUTPUT, pooling: pooling === 'cls' ? 'none' : pooling };
  return {
    ...WAY,
    tapped: async () => tappedEncoder(preparedEncoder(await load()), output),
    quantize: async (observations, matmul, options) =>
      quantizedModel(await quantizeEncoder(load, observations, matmul, options), ports, output),
  };
}

function quantizedModel(quantized: QuantizedEncoder, ports: Ports, output: EmitOptions['output']): QuantizedModel {
  const { choices } = quantized;
  const emit = (keep: ReadonlySet<string>, format: GraphFormat): ModelProto => emitQuantized(quantized, keep, format, output);
  return { ...WAY, choices, ports, opset: OPSET, emit };
}

/**
 * Copies given to outlier channels between up and down: 16 for bge-small's 1,536, one percent more work. 32 gained nothing
 * more (docs/decisions/0005).
 */
function extraChannels(inner: number): number {
  return 16 * Math.round(inner / 1536);
}

/** The encoder as it is observed: attention scale folded away, word vectors as int8 gives them back. */
function preparedEncoder(encoder: Encoder): Encoder {
  return foldAttentionScale({ ...encoder, words: dequantizeRows(quantizeRows(encoder.words)) });
}

/** The encoder's fp32 graph with every site tapped. */
function tappedEncoder(encoder: Encoder, output: EmitOptions['output']): TappedModel {
  const graph = new GraphBuilder();
  const last = encoder.layers.length - 1;
  const tapOf = (site: Site): Tap => ({
    name: siteName(site),
    channels: site.kind === 'down' ? encoder.inner : encoder.hidden,
    per: output === 'cls' && site.layer === last && site.kind !== 'attention' ? 'text' : 'token',
  });
  const arithmetic = fp32Arithmetic(encoder, (to, site, value) => emitTap(to, tapOf(site), value, OPSET));
  const taps = sitesOf(encoder).map(tapOf);
  const indexInputs = Object.values(SAMPLE_INPUTS);
  const model = emitEncoder(encoder, arithmetic, { form: FUSED, output, taps: taps.flatMap(tapOutputs), indexInputs }, graph);
  return { model, taps, feeds: feedIds };
}

/** Not a function of tappedEncoder's own, which would hold the encoder as long as it is held itself. */
function feedIds({ ids, rows, width }: IdBatch): Record<string, GraphTensor> {
  return { [IDS]: int64(ids, [rows, width]) };
}

interface QuantizedEncoder {
  /** With the folds that pre-scaling asked for. */
  readonly encoder: Encoder;
  readonly parts: QuantizedParts;
  readonly choices: ReadonlyMap<string, Choice>;
}

/**
 * Chooses pre-scaling and range of every site and quantizes its weights.
 * @param load not the encoder itself: nothing may hold its weights when their folded copies take their place
 * @param observations one a site, in the order of sitesOf
 */
async function quantizeEncoder(
  load: Load,
  observations: readonly StoredObservation[],
  matmul: MatMul,
  options: PassOptions,
): Promise<QuantizedEncoder> {
  let folded = foldAttentionScale(await load());
  const words = quantizeRows(folded.words);
  folded = { ...folded, words: { ...folded.words, data: NOTHING } };
  const choices = new Map<string, Choice>();
  const copies = new Map<number, Int32Array>();
  const seenAt = (at: number): Observation => {
    const original = (observations[at] as StoredObservation).load();
    const sources = copies.get(at);
    return sources === undefined ? original : copiedObservation(original, sources);
  };
  for (const [at, site] of sitesOf(folded).entries()) {
    if (site.kind === 'down') {
      const magnitudes = rowMagnitudes(linearOf(folded, site, 'down'));
      const sources = copiedChannels(observations[at] as StoredObservation, magnitudes, extraChannels(folded.inner));
      folded = foldInnerCopies(folded, site.layer, sources);
      copies.set(at, sources);
    }
    const seen = seenAt(at);
    const maps = linearsAt(folded, site).map((name) => linearOf(folded, site, name));
    const choice = await chooseInput(seen, joinWeights(maps), matmul, options);
    choices.set(siteName(site), choice);
    if (site.kind === 'context' && choice.input.divisor !== undefined)
      folded = foldContextDivisor(folded, site.layer, choice.input.divisor);
    options.onSite?.(at + 1, 2 * observations.length);
  }
  const sites = new Map<string, QuantizedSite>();
  const keepable = new Set(bySensitivity(choices).slice(0, options.keepable));
  for (const [at, site] of sitesOf(folded).entries()) {
    const name = siteName(site);
    const { input } = choices.get(name) as Choice;
    const passes = { range: options.weights, matmul };
    sites.set(name, await quantizeSite(folded, site, seenAt(at), input, passes));
    if (!keepable.has(name)) folded = withoutWeights(folded, site);
    options.onSite?.(observations.length + at + 1, 2 * observations.length);
  }
  return { encoder: folded, parts: { words, sites }, choices };
}

/** The encoder without what the products of a site multiply by: their integers are there. */
function withoutWeights(encoder: Encoder, site: Site): Encoder {
  const gone = linearsAt(encoder, site).map((name) => [name, { ...linearOf(encoder, site, name), weight: NOTHING }]);
  const layers = encoder.layers.map((layer, at) => (at === site.layer ? { ...layer, ...Object.fromEntries(gone) } : layer));
  return { ...encoder, layers };
}

interface WeightPasses {
  readonly range: WeightRange;
  readonly matmul: MatMul;
}

async function quantizeSite(
  encoder: Encoder,
  site: Site,
  seen: Observation,
  input: QuantizedInput,
  passes: WeightPasses,
): Promise<QuantizedSite> {
  // The context's divisor is folded into the maps around it already: nothing is left to divide by.
  const left = site.kind === 'context' ? undefined : input.divisor;
  const read = input.divisor === undefined ? seen : dividedObservation(seen, input.divisor);
  const quantizer = await weightQuantizer(read, input.scale, passes);
  const linears: [LinearName, QuantizedLinear][] = [];
  for (const name of linearsAt(encoder, site)) {
    const linear = linearOf(encoder, site, name);
    const scaled = left === undefined ? linear : { ...linear, weight: scaleRows(linear, left) };
    linears.push([name, { ...linear, ...(await quantizer(scaled)) }]);
  }
  return { input: { ...input, divisor: left }, linears: Object.fromEntries(linears) };
}

const FORMATS = {
  fused: { form: FUSED, arithmetic: int8Arithmetic },
  qdq: { form: STANDARD, arithmetic: qdqArithmetic },
} as const;

/** The INT8 graph; sites named in `keep` stay fp32. */
function emitQuantized(
  { encoder, parts }: QuantizedEncoder,
  keep: ReadonlySet<string>,
  format: GraphFormat,
  output: EmitOptions['output'],
): ModelProto {
  const sites = new Map([...parts.sites].filter(([name]) => !keep.has(name)));
  const { form, arithmetic } = FORMATS[format];
  return emitEncoder(encoder, arithmetic(encoder, { ...parts, sites }), { form, output });
}
