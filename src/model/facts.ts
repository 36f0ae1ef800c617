// What must be known of a model before it is written: from its graph, the files around it and the options. Pure.
import { EmbedkitError } from '../errors.js';
import { dimsOf, type GraphProto } from '../onnx/proto.js';
import { shapeOf } from '../onnx/shapes.js';
import type { Pooling } from '../vectors/pool.js';
import type { SourceFacts } from './conventions.js';
import type { ExportOptions } from './export-options.js';

export interface Facts {
  readonly pooling: Pooling;
  /** Graph output that embeddings are taken from. */
  readonly output: string;
  /** Rows of the position table that texts may use. */
  readonly positions: number | undefined;
  readonly vocabulary: number | undefined;
  readonly maxTokens: number;
}

const DEFAULT_OUTPUTS = ['last_hidden_state', 'token_embeddings'];
const LONGEST_DEFAULT = 512;

/** Throws `usage` for what the options must say, or say wrongly. */
export function readFacts(graph: GraphProto, source: SourceFacts, options: ExportOptions): Facts {
  const outputs = graph.output ?? [];
  const output = outputs.find((value) => DEFAULT_OUTPUTS.includes(value.name ?? '')) ?? outputs[0];
  const pooled = output !== undefined && shapeOf(output).length === 2;
  const pooling = options.pooling ?? (pooled ? 'none' : source.pooling);
  if (pooling === undefined) {
    throw new EmbedkitError('usage', `nothing beside ${source.modelPath} says how its token vectors are pooled`, {
      hint: 'say --pooling cls, mean, max, last or weighted-mean as the model card does',
    });
  }
  const positions = tableRows(graph, /position/i) ?? source.positions;
  const vocabulary = tableRows(graph, /word|embed_tokens|tok_embeddings/i) ?? source.vocabulary;
  return { pooling, output: output?.name ?? '', positions, vocabulary, maxTokens: maxTokensOf(positions, source, options) };
}

function maxTokensOf(positions: number | undefined, source: SourceFacts, options: ExportOptions): number {
  const limit = positions ?? Number.POSITIVE_INFINITY;
  const maxTokens = options.maxTokens ?? Math.min(source.maxTokens ?? LONGEST_DEFAULT, limit);
  if (Number.isSafeInteger(maxTokens) && maxTokens <= limit && maxTokens >= 3) return maxTokens;
  const has = positions === undefined ? 'no limit of its own' : `${positions} positions`;
  const hint = `choose a whole number from 3${positions === undefined ? '' : ` to ${positions}`}`;
  throw new EmbedkitError('usage', `--max-tokens ${maxTokens}: the model has ${has}`, { hint });
}

/** Rows of the embedding table of a kind, by its usual names. */
function tableRows(graph: GraphProto, kind: RegExp): number | undefined {
  const table = (graph.initializer ?? []).find(
    (tensor) => kind.test(tensor.name ?? '') && /embed/i.test(tensor.name ?? '') && dimsOf(tensor).length === 2,
  );
  return table === undefined ? undefined : dimsOf(table)[0];
}
