// A BERT-family encoder found in a graph as exporters and optimizers leave it. It looks loosely: whoever uses the result proves it by running it.
import { evaluateGraph, type KnownGraph } from '../onnx/evaluate.js';
import type { OnnxFile } from '../onnx/read.js';
import { checkEncoder } from './check.js';
import { OUTPUT } from './emit.js';
import type { Encoder, Recognised } from './encoder.js';
import { type EmbeddingMatch, matchEmbedding } from './match/embedding.js';
import { matchHead } from './match/head.js';
import { type LayerMatch, matchLayer } from './match/layer.js';
import { unrecognised } from './match/trace.js';
import { encoderDescription, recallEncoder } from './recall.js';

/**
 * Reads the encoder off the graph that ends in the named output, walking from there to the inputs. Weights may be views of
 * the file's bytes: read them, never write. Throws `model-unsupported` where the graph is no such encoder, naming what was
 * not recognised and where, and `model-invalid` where weights are not finite or sizes contradict each other.
 */
export async function recognise(file: OnnxFile, outputName: string): Promise<Recognised> {
  const graph = await evaluateGraph(file, outputName);
  const description = encoderDescription(file.model);
  if (description !== undefined && outputName === OUTPUT) return { encoder: recallEncoder(graph, description), head: 'hidden' };
  const { last, head } = matchHead(graph, outputName);
  const layers: LayerMatch[] = [];
  let foot = last;
  let embedding = matchEmbedding(graph, foot);
  while (embedding === undefined) {
    const layer = matchLayer(graph, foot);
    layers.unshift(layer);
    foot = layer.input;
    embedding = matchEmbedding(graph, foot);
  }
  const encoder = encoderOf(graph, last, embedding, layers);
  checkEncoder(encoder);
  return { encoder, head };
}

function encoderOf(graph: KnownGraph, last: string, embedding: EmbeddingMatch, matches: readonly LayerMatch[]): Encoder {
  const [first] = matches;
  if (first === undefined) throw unrecognised(graph, 'a layer above the embedding', last);
  const { traits, layer } = first;
  const odd = matches.find((match) => JSON.stringify(match.traits) !== JSON.stringify(traits));
  if (odd !== undefined) throw unrecognised(graph, `a layer with heads, scale and activation like the first's`, odd.input);
  return {
    hidden: embedding.words.dim,
    inner: layer.up.outputs,
    heads: traits.heads,
    activation: traits.activation,
    scale: traits.scale,
    ...embedding,
    layers: matches.map((match) => match.layer),
  };
}
