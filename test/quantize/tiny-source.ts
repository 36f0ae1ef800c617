// What the tests of quantize work on: the encoder fixtures as models on disk, with a tokenizer of their hundred ids, and text for them.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelProto } from '#src/onnx/proto.js';

const FIXTURES = fileURLToPath(new URL('../encoder/fixtures/', import.meta.url));
/** Positions of every fixture. */
export const MAX_TOKENS = 40;

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];
const WORDS = `the of and to in is it for on with as at by from or an be this that are was not river stone paper light winter
  road bread water glass night music garden silver engine letter market window summer forest`.split(/\s+/);
const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', ...LETTERS, ...LETTERS.map((letter) => `##${letter}`), '.', ',', ...WORDS].slice(
  0,
  100,
);

/** WordPiece over words, letters and parts of words: 100 ids, as many as the fixtures' word tables have rows. */
export const TOKENIZER = {
  version: '1.0',
  added_tokens: [],
  normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
  decoder: null,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries(VOCABULARY.map((word, id) => [word, id])),
  },
};

/** A folder as one finds it: model.onnx, tokenizer.json and the limit of its length. Returns the folder. */
export function writeSource(folder: string, model: ModelProto | string): string {
  mkdirSync(folder, { recursive: true });
  if (typeof model === 'string') {
    copyFileSync(`${FIXTURES}${model}.onnx`, join(folder, 'model.onnx'));
    copyFileSync(`${FIXTURES}weights.bin`, join(folder, 'weights.bin'));
  } else writeFileSync(join(folder, 'model.onnx'), ModelProto.encode(model).finish());
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(TOKENIZER));
  writeFileSync(join(folder, 'sentence_bert_config.json'), JSON.stringify({ max_seq_length: MAX_TOKENS }));
  return folder;
}

/** Lines of 2 to 25 words, the same ones every time. */
export function lines(count: number, seed = 7): string[] {
  let state = seed;
  const next = (below: number): number => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return Math.floor((state / 2147483648) * below);
  };
  return Array.from({ length: count }, () => Array.from({ length: 2 + next(24) }, () => WORDS[next(WORDS.length)]).join(' '));
}

/** A calibration file of `count` lines. Returns its path. */
export function writeText(folder: string, count = 60): string {
  const path = join(folder, 'calibration.txt');
  writeFileSync(path, `${lines(count).join('\n')}\n`);
  return path;
}
