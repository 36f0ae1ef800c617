// Tiny ONNX encoders, made with the message classes: an embedding table, a projection, and what a test adds to them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttributeProto, DATA_TYPE, EXTERNAL, type GraphProto, ModelProto, NodeProto, type TensorProto } from '#src/onnx/proto.js';

export const VOCABULARY = 12;
export const DIM = 4;

export interface TinyOptions {
  /** Values of the table, VOCABULARY x DIM; default: exact in FP16. */
  readonly table?: Float32Array;
  /** Input dimensions: a number is fixed, a string free. */
  readonly shape?: readonly (number | string)[];
  readonly inputs?: readonly string[];
  /** Changes the graph before it is written. */
  readonly edit?: (graph: GraphProto) => void;
}

export function floatTensor(name: string, dims: number[], values: Float32Array): TensorProto {
  return { name, dims, dataType: DATA_TYPE.FLOAT, rawData: new Uint8Array(values.buffer.slice(0)) };
}

export function node(opType: string, name: string, input: string[], output: string[], attribute: object[] = []): NodeProto {
  return NodeProto.create({ opType, name, input, output, attribute: attribute.map((entry) => AttributeProto.create(entry)) });
}

function valueInfo(name: string, elemType: number, shape: readonly (number | string)[]): object {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

/** ids -> Gather(table) -> Mul(scale) -> last_hidden_state; scale is a scalar initialiser. */
export function tinyModel(options: TinyOptions = {}): ModelProto {
  const shape = options.shape ?? ['batch', 'sequence'];
  const table = options.table ?? Float32Array.from({ length: VOCABULARY * DIM }, (_, at) => (at % 7) - 3);
  const graph: GraphProto = {
    name: 'tiny',
    node: [
      node('Gather', 'look_up', ['embed.word', 'input_ids'], ['rows']),
      node('Mul', 'scale', ['rows', 'factor'], ['last_hidden_state']),
    ],
    initializer: [floatTensor('embed.word', [table.length / DIM, DIM], table), floatTensor('factor', [], Float32Array.of(0.1))],
    input: (options.inputs ?? ['input_ids']).map((name) => valueInfo(name, DATA_TYPE.INT64, shape)),
    output: [valueInfo('last_hidden_state', DATA_TYPE.FLOAT, [...shape, DIM])],
  };
  options.edit?.(graph);
  return ModelProto.fromObject({ irVersion: 8, opsetImport: [{ domain: '', version: 13 }], graph });
}

/** A word-level tokenizer of the tiny vocabulary. */
const TOKENIZER = {
  version: '1.0',
  added_tokens: [],
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: null,
  decoder: null,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(
      ['[UNK]', 'a', 'the', 'and', '.', ',', 'how', 'in', 'is', 'it', 'long', 'last'].map((word, id) => [word, id]),
    ),
  },
};

/** Writes a model folder as one finds it: model.onnx and tokenizer.json. Returns the folder. */
export function writeTiny(folder: string, model: ModelProto): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), ModelProto.encode(model).finish());
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(TOKENIZER));
  return folder;
}

/** Marks a tensor as kept in another file. */
export function makeExternal(tensor: TensorProto, location: string, length: number): void {
  tensor.rawData = new Uint8Array(0);
  tensor.dataLocation = EXTERNAL;
  tensor.externalData = Object.entries({ location, offset: '0', length: String(length) }).map(([key, value]) => ({ key, value }));
}
