// Tiny encoders as model folders: a fixture of test/encoder with a tokenizer of its hundred words, and calibration text made of them.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GraphProto } from '#src/onnx/proto.js';
import { ModelProto } from '#src/onnx/proto.js';
import { readOnnx } from '#src/onnx/read.js';
import type { GateThresholds } from '#src/quantize/report.js';

const FIXTURES = fileURLToPath(new URL('../encoder/fixtures/', import.meta.url));

/** Rows of the fixtures' word and position tables. */
export const WORDS = 100;
export const POSITIONS = 40;
// 1 is what the RoBERTa fixtures take for padding: no word may have it.
const SPECIAL = ['[PAD]', '[unused]', '[CLS]', '[SEP]', '[UNK]', '.', ','];

/** Words of the probe texts first, so that probes are not all [UNK]; then invented ones. */
const KNOWN = `a short one the ferry leaves northern pier at quarter past six and last bus meets it on other side how long may bread
  dough rest in cold kitchen before is baked what does wait do to its taste`.split(/\s+/);
const INVENTED = Array.from(
  { length: WORDS - SPECIAL.length - KNOWN.length },
  (_, at) => `word${String.fromCharCode(97 + (at % 26))}${at}`,
);
export const VOCABULARY: readonly string[] = [...SPECIAL, ...KNOWN, ...INVENTED];

const TOKENIZER = {
  version: '1.0',
  added_tokens: SPECIAL.slice(0, 5).map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  })),
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: {
    type: 'TemplateProcessing',
    single: [
      { SpecialToken: { id: '[CLS]', type_id: 0 } },
      { Sequence: { id: 'A', type_id: 0 } },
      { SpecialToken: { id: '[SEP]', type_id: 0 } },
    ],
    pair: [],
    special_tokens: {
      '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] },
      '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] },
    },
  },
  decoder: null,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCABULARY.map((word, id) => [word, id])),
  },
};

/** Uniform in 0..1, the same for a seed. Source: mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Different texts of 2 to 30 words of the vocabulary. */
export function texts(count: number, seed = 1): string[] {
  const random = randomOf(seed);
  const word = (): string => VOCABULARY[5 + Math.floor(random() * (WORDS - 5))] as string;
  return Array.from({ length: count }, () => Array.from({ length: 2 + Math.floor(random() * 29) }, word).join(' '));
}

/** Writes `count` texts, a line each; returns the path. */
export function writeTexts(folder: string, count = 60, seed = 1): string {
  const path = join(folder, `texts-${seed}.txt`);
  writeFileSync(path, `${texts(count, seed).join('\n')}\n`);
  return path;
}

/** The folder of a fixture as one finds it: model.onnx, its external weights, tokenizer.json, and the length limit. */
export async function encoderFolder(folder: string, name: string, edit?: (graph: GraphProto, model: ModelProto) => void): Promise<string> {
  mkdirSync(folder, { recursive: true });
  copyFileSync(`${FIXTURES}weights.bin`, join(folder, 'weights.bin'));
  const { model } = await readOnnx(`${FIXTURES}${name}.onnx`);
  edit?.(model.graph as GraphProto, model);
  writeFileSync(join(folder, 'model.onnx'), ModelProto.encode(model).finish());
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(TOKENIZER));
  // RoBERTa counts positions from 2 on: without a limit, texts of 41 tokens would pass the end of its table.
  writeFileSync(join(folder, 'sentence_bert_config.json'), JSON.stringify({ max_seq_length: POSITIONS }));
  return folder;
}

/**
 * Thresholds for the fixtures: random weights of two layers of 32 channels average out less of the rounding than a trained model, and a
 * dozen held-out texts of random words have neighbours that hardly differ.
 */
export const LOOSE: Partial<GateThresholds> = { mean: 0.99, p1: 0.98, minimum: 0.98, overlap: 0.5 };
