// Folders of sentence-transformers: what their files say, in every form of them, and what is refused, by name.
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import { readSource } from '#src/model/conventions.js';
import { exportModel } from '#src/model/export.js';
import { openFolder } from '#src/model/folder.js';
import { encodeTensors } from '#src/safetensors/encode.js';
import { temporaryFolder } from '../run.js';
import { familyFolder } from './families.js';

/** A copy of a family's folder, with files written over; undefined: removed. */
function copied(name: string, files: Readonly<Record<string, unknown>> = {}): string {
  const folder = join(temporaryFolder(), name);
  cpSync(familyFolder(name), folder, { recursive: true });
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, file);
    mkdirSync(join(path, '..'), { recursive: true });
    if (content === undefined) rmSync(path);
    else writeFileSync(path, content instanceof Uint8Array ? content : JSON.stringify(content));
  }
  return folder;
}

async function refusal(folder: string): Promise<EmbedkitError> {
  const error = await exportModel(folder, join(temporaryFolder(), 'out'), {}).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(EmbedkitError);
  expect((error as EmbedkitError).hint).toBeDefined();
  return error as EmbedkitError;
}

const module = (kind: string, path = ''): object => ({ type: `sentence_transformers.models.${kind}`, path });
const TRANSFORMER = module('Transformer');
const POOLING = module('Pooling', '1_Pooling');

describe('pooling', () => {
  const flags = (...names: string[]): object => Object.fromEntries(names.map((name) => [`pooling_mode_${name}`, true]));

  it.each([
    ['cls_token', 'cls', 'cls'],
    ['mean_tokens', 'mean', 'mean'],
    ['max_tokens', 'max', 'max'],
    ['mean_sqrt_len_tokens', 'mean_sqrt_len_tokens', 'mean-sqrt'],
    ['weightedmean_tokens', 'weightedmean', 'weighted-mean'],
    ['lasttoken', 'lasttoken', 'last'],
  ])('%s in both forms of its file', async (flag, mode, pooling) => {
    expect((await readSource(copied('bert', { '1_Pooling/config.json': flags(flag) }))).pooling).toBe(pooling);
    expect((await readSource(copied('bert', { '1_Pooling/config.json': { pooling_mode: mode } }))).pooling).toBe(pooling);
  });

  it.each([
    ['two at once', flags('cls_token', 'mean_tokens'), /joins cls and mean, which embedkit does not compute/],
    ['two at once, as a list', { pooling_mode: ['mean', 'max'] }, /joins mean and max/],
    ['one that nobody knows', { pooling_mode: 'attention' }, /pools by "attention"/],
    ['without the prompt', { pooling_mode: 'mean', include_prompt: false }, /leaves the prompt out of the pooling/],
  ])('%s is refused', async (_, config, sentence) => {
    const error = await refusal(copied('bert', { '1_Pooling/config.json': config }));
    expect([error.code, error.message]).toEqual(['model-unsupported', expect.stringMatching(sentence)]);
  });

  it('that nothing names is asked for, unless the options say it', async () => {
    const bare = copied('bert', { 'modules.json': undefined, '1_Pooling/config.json': undefined });
    expect((await refusal(bare)).sentence).toContain('say --pooling');
    const { manifest } = await exportModel(bare, join(temporaryFolder(), 'out'), { pooling: 'mean-sqrt' });
    expect(manifest).toMatchObject({ pooling: 'mean-sqrt', normalize: true });
  });
});

describe('modules', () => {
  it.each([
    [
      'a kind that is not computed',
      [TRANSFORMER, module('LSTM', '1_LSTM'), POOLING],
      /module "sentence_transformers.models.LSTM"; embedkit/,
    ],
    ['layer normalisation', [TRANSFORMER, POOLING, module('LayerNorm', '2_LayerNorm')], /LayerNorm"; embedkit computes/],
    ['an order of its own', [TRANSFORMER, POOLING, module('Normalize', '2'), module('Dense', '2_Dense')], /Pooling, Normalize, Dense/],
    ['two poolings', [TRANSFORMER, POOLING, POOLING], /in the order Transformer, Pooling, Pooling/],
  ])('%s is refused', async (_, modules, sentence) => {
    const error = await refusal(copied('bert', { 'modules.json': modules }));
    expect([error.code, error.message]).toEqual(['model-unsupported', expect.stringMatching(sentence)]);
  });

  it.each(['..', '../other', '/etc', 'a/b'])('a path that leaves the folder (%s) is refused', async (path) => {
    expect((await refusal(copied('bert', { 'modules.json': [TRANSFORMER, module('Pooling', path)] }))).message).toMatch(
      /leaves the folder/,
    );
  });

  it('the transformer may have a folder of its own', async () => {
    const folder = copied('bert', { 'modules.json': [module('Transformer', '0_Transformer'), POOLING] });
    mkdirSync(join(folder, '0_Transformer'));
    for (const name of ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'])
      renameSync(join(folder, name), join(folder, '0_Transformer', name));
    const { manifest } = await exportModel(folder, join(temporaryFolder(), 'out'), {});
    expect(manifest).toMatchObject({ name: 'bert', pooling: 'cls', normalize: false, max_tokens: 160, prompts: { query: 'search: ' } });
  });

  it('dropout does nothing', async () => {
    const modules = [TRANSFORMER, POOLING, module('Dropout', '2_Dropout'), module('Normalize', '3_Normalize')];
    expect(await readSource(copied('bert', { 'modules.json': modules }))).toMatchObject({ pooling: 'cls', normalize: true });
  });
});

describe('Dense modules', () => {
  const config = { in_features: 32, out_features: 12, bias: true, activation_function: 'torch.nn.modules.activation.Tanh' };
  const narrow = encodeTensors({
    'linear.weight': { shape: [12, 16], data: new Float32Array(12 * 16) },
    'linear.bias': { shape: [12], data: new Float32Array(12) },
  });

  it.each([
    [
      'an activation that is not computed',
      { '2_Dense/config.json': { ...config, activation_function: 'torch.nn.GELU' } },
      /activation "GELU"/,
    ],
    ['a residual', { '2_Dense/config.json': { ...config, use_residual: true } }, /use_residual/],
    ['a map of tokens', { '2_Dense/config.json': { ...config, module_input_name: 'token_embeddings' } }, /a map of "token_embeddings"/],
    ['no configuration', { '2_Dense/config.json': undefined }, /has no config.json/],
    ['no safetensors', { '2_Dense/model.safetensors': undefined }, /2_Dense: has no model.safetensors/],
    ['weights of another shape', { '2_Dense/model.safetensors': narrow }, /linear.weight is of shape \[12, 16\], not \[12, 32\]/],
    [
      'a width that the model has not',
      { '2_Dense/config.json': { ...config, in_features: 16 }, '2_Dense/model.safetensors': narrow },
      /takes 16 values where the model gives 32/,
    ],
  ])('%s is refused', async (_, files, sentence) => {
    expect((await refusal(copied('roberta', files))).message).toMatch(sentence);
  });

  it('are kept with the model and checked like its other files', async () => {
    const out = join(temporaryFolder(), 'out');
    await exportModel(familyFolder('gte'), out, {});
    const { dense, manifest } = await openFolder(out);
    expect(dense.map(({ inputs, outputs, activation, bias }) => [inputs, outputs, activation, bias?.length])).toEqual([
      [32, 24, 'identity', undefined],
      [24, 8, 'relu', 8],
    ]);
    expect(Object.keys(manifest.files)).toContain('dense.safetensors');
    const path = join(out, 'dense.safetensors');
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1;
    writeFileSync(path, bytes);
    await expect(openFolder(out)).rejects.toThrow(/dense.safetensors: its SHA-256 is not what/);
  });
});

describe('limits, prompts and tokenizers', () => {
  it.each([
    ['the transformer module first', { max_seq_length: 64 }, { model_max_length: 100 }, 64],
    ['else the tokenizer', {}, { model_max_length: 100 }, 100],
    ['but not where it knows no limit', {}, { model_max_length: 1e30 }, 160],
    ['and the positions bound both', { max_seq_length: 512 }, {}, 160],
  ])('%s', async (_, transformer, tokenizer, expected) => {
    const folder = copied('bert', { 'sentence_bert_config.json': transformer, 'tokenizer_config.json': tokenizer });
    expect((await exportModel(folder, join(temporaryFolder(), 'out'), {})).manifest.max_tokens).toBe(expected);
  });

  it.each([
    [{ prompts: { query: 'q: ', passage: 'p: ' } }, 'p: '],
    [{ prompts: { document: '', corpus: 'c: ' } }, 'c: '],
    [{ prompts: { document: 'd: ', passage: 'p: ' }, default_prompt_name: 'passage' }, 'd: '],
    [{ prompts: { document: '', task: 't: ' }, default_prompt_name: 'task' }, 't: '],
    [{ prompts: { document: '' } }, ''],
    [{}, undefined],
  ])('of %j documents get %j', async (config, expected) => {
    expect((await readSource(copied('bert', { 'config_sentence_transformers.json': config }))).prompts['document']).toBe(expected);
  });

  it('lower-casing before the tokenizer is refused where the tokenizer does not do it', async () => {
    const files = { 'sentence_bert_config.json': { do_lower_case: true } };
    expect((await refusal(copied('roberta', files))).message).toMatch(/keeps capitals, and sentence_bert_config.json asks for none/);
    await exportModel(copied('bert', files), join(temporaryFolder(), 'out'), {});
  });

  it.each([
    ['no config.json', () => ({ 'config.json': undefined }), /config.json: no such file/],
    ['a config.json that is none', () => ({ 'config.json': [1] }), /config.json/],
    ['no tokenizer', () => ({ 'tokenizer.json': undefined }), /no tokenizer.json beside the model/],
    ['a tokenizer of another kind', () => ({ 'tokenizer.json': { model: { type: 'None' } } }), /not a tokenizer that embedkit can use/],
    ['more tokens than words', () => ({ 'tokenizer.json': withToken(400) }), /has token ids up to 400, and the model 300 words/],
    ['a negative id', () => ({ 'tokenizer.json': withToken(-1) }), /token ids/],
    ['nested sequences without end', () => ({ 'tokenizer.json': nested(20_000) }), /not a tokenizer that embedkit can use/],
    [
      'no weights',
      () => ({ 'model.safetensors': undefined }),
      /no model.onnx or onnx\/model.onnx or model.safetensors or model.safetensors.index/,
    ],
  ])('%s: refused', async (_, files, sentence) => {
    expect((await refusal(copied('bert', files()))).message).toMatch(sentence);
  });

  it('weights may be named themselves', async () => {
    const { manifest } = await exportModel(join(familyFolder('bert'), 'model.safetensors'), join(temporaryFolder(), 'out'), {});
    expect(manifest).toMatchObject({ name: 'bert', pooling: 'cls' });
  });
});

function withToken(id: number): object {
  const json = JSON.parse(readFileSync(join(familyFolder('bert'), 'tokenizer.json'), 'utf8'));
  return { ...json, model: { ...json.model, vocab: { ...json.model.vocab, zzz: id } } };
}

function nested(depth: number): Uint8Array {
  const json = readFileSync(join(familyFolder('bert'), 'tokenizer.json'), 'utf8');
  const inner = `${'{"type":"Sequence","pretokenizers":['.repeat(depth)}{"type":"BertPreTokenizer"}${']}'.repeat(depth)}`;
  return Buffer.from(json.replace(/"pre_tokenizer": *\{[^}]*\}/, `"pre_tokenizer":${inner}`));
}
