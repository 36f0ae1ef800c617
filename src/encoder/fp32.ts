// Full precision: words and products in fp32. With a tap, every input of products is also given out, to be observed.
import type { GraphBuilder } from '../onnx/build.js';
import { type Arithmetic, IDS } from './emit.js';
import type { Encoder } from './encoder.js';
import { type LinearName, linearOf, type Site, siteName } from './sites.js';

/** Sees the value of each site once, as the graph is built. */
export type Tap = (graph: GraphBuilder, site: Site, value: string) => void;

export function fp32Arithmetic(encoder: Encoder, tap?: Tap): Arithmetic {
  return {
    words: (graph) => {
      graph.constant('embedding.table', encoder.words.data, [encoder.words.rows, encoder.words.dim]);
      return graph.node('Gather', 'embedding.words', ['embedding.table', IDS]);
    },
    enter: (graph, site, name, value) => {
      // The last layer enters a site twice: all tokens, then the first alone.
      if (name === siteName(site)) tap?.(graph, site, value);
      return value;
    },
    linear: (graph, site, linear, entered) => emitFp32Linear(graph, encoder, site, linear, entered),
  };
}

/** MatMul and Add of one linear map. */
export function emitFp32Linear(graph: GraphBuilder, encoder: Encoder, site: Site, linear: LinearName, entered: string): string {
  const name = `layer${site.layer}.${linear}`;
  const { weight, bias, inputs, outputs } = linearOf(encoder, site, linear);
  graph.constant(`${name}.weight`, weight, [inputs, outputs]);
  graph.constant(`${name}.bias`, bias);
  const product = graph.node('MatMul', `${name}.product`, [entered, `${name}.weight`]);
  return graph.node('Add', `${name}.value`, [product, `${name}.bias`]);
}
