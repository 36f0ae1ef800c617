// A model of bge-large's shape (24 layers x 1,024, 335 M weights, random by a seed) through export, quantize and embed: time and peak memory of each.
// usage: node benchmarks/large.mjs --scratch FOLDER --texts FILE --out FILE.json [--layers 24] [--embed-rows 200] [--samples 100] [--only 'embed fp32,embed int8'] [--threads 2]
// Memory is the resident memory of the command with all its children, looked at every 50 ms. About 5 GB of FOLDER are used, and left there.
import { spawn } from 'node:child_process';
import { closeSync, copyFileSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load, machine, sha256 } from './machine.mjs';

const { values: options } = parseArgs({
  options: {
    scratch: { type: 'string' },
    texts: { type: 'string' },
    out: { type: 'string' },
    layers: { type: 'string', default: '24' },
    'embed-rows': { type: 'string', default: '200' },
    /** Calibration texts; a fifth is held out. Each costs a pass of full precision through 335 M weights. */
    samples: { type: 'string', default: '100' },
    threads: { type: 'string', default: '2' },
    /** Steps to run again over what an earlier run left in the scratch folder, in place of those in OUT: its times may have been disturbed. */
    only: { type: 'string' },
  },
});
if (!options.scratch || !options.texts || !options.out) {
  console.error('large.mjs: --scratch, --texts and --out are needed');
  process.exit(2);
}

const BIN = fileURLToPath(new URL('../bin/embedkit.js', import.meta.url));
const TOKENIZER = fileURLToPath(new URL('../models/bge-small-en-v1.5/tokenizer.json', import.meta.url));
const SHAPE = { vocab: 30522, hidden: 1024, layers: Number(options.layers), heads: 16, inner: 4096, positions: 512, types: 2 };
const SEED = 1;
const SAMPLE_MS = 50;
const source = join(options.scratch, 'source');
const model = join(options.scratch, 'model');

/** Tensors of a BERT by name, in the order in which they are written. */
function tensorShapes({ vocab, hidden, layers, inner, positions, types }) {
  const linear = (name, rows, columns) => [
    [`${name}.weight`, [rows, columns]],
    [`${name}.bias`, [rows]],
  ];
  const norm = (name) => [
    [`${name}.weight`, [hidden]],
    [`${name}.bias`, [hidden]],
  ];
  const layer = (at) => [
    ...['query', 'key', 'value'].flatMap((name) => linear(`encoder.layer.${at}.attention.self.${name}`, hidden, hidden)),
    ...linear(`encoder.layer.${at}.attention.output.dense`, hidden, hidden),
    ...norm(`encoder.layer.${at}.attention.output.LayerNorm`),
    ...linear(`encoder.layer.${at}.intermediate.dense`, inner, hidden),
    ...linear(`encoder.layer.${at}.output.dense`, hidden, inner),
    ...norm(`encoder.layer.${at}.output.LayerNorm`),
  ];
  return [
    ['embeddings.word_embeddings.weight', [vocab, hidden]],
    ['embeddings.position_embeddings.weight', [positions, hidden]],
    ['embeddings.token_type_embeddings.weight', [types, hidden]],
    ...norm('embeddings.LayerNorm'),
    ...Array.from({ length: layers }, (_, at) => layer(at)).flat(),
  ];
}

/** Uniform values by xorshift32 with the spread that BERT starts from (0.02); gains of norms about 1. */
function* randomBlocks(name, count, state) {
  const center = name.endsWith('LayerNorm.weight') ? 1 : 0;
  const width = 0.02 * Math.sqrt(12);
  for (let done = 0; done < count; done += 1 << 20) {
    const block = new Float32Array(Math.min(1 << 20, count - done));
    for (let at = 0; at < block.length; at++) {
      let x = state.x;
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      state.x = x;
      block[at] = center + ((x >>> 0) / 2 ** 32 - 0.5) * width;
    }
    yield block;
  }
}

function writeSource() {
  mkdirSync(join(source, '1_Pooling'), { recursive: true });
  const shapes = tensorShapes(SHAPE);
  let end = 0;
  const entries = shapes.map(([name, shape]) => {
    const begin = end;
    end += shape.reduce((a, b) => a * b, 1) * 4;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }];
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const padded = Buffer.alloc(Math.ceil(header.length / 8) * 8, ' ');
  header.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const file = openSync(join(source, 'model.safetensors'), 'w');
  writeSync(file, Buffer.concat([length, padded]));
  const state = { x: SEED };
  for (const [name, shape] of shapes) {
    const count = shape.reduce((a, b) => a * b, 1);
    for (const block of randomBlocks(name, count, state)) writeSync(file, new Uint8Array(block.buffer));
  }
  closeSync(file);
  writeJson('config.json', {
    architectures: ['BertModel'],
    model_type: 'bert',
    hidden_act: 'gelu',
    hidden_size: SHAPE.hidden,
    intermediate_size: SHAPE.inner,
    layer_norm_eps: 1e-12,
    max_position_embeddings: SHAPE.positions,
    num_attention_heads: SHAPE.heads,
    num_hidden_layers: SHAPE.layers,
    pad_token_id: 0,
    type_vocab_size: SHAPE.types,
    vocab_size: SHAPE.vocab,
  });
  const module = (idx, path, type) => ({ idx, name: String(idx), path, type: `sentence_transformers.models.${type}` });
  writeJson('modules.json', [module(0, '', 'Transformer'), module(1, '1_Pooling', 'Pooling'), module(2, '2_Normalize', 'Normalize')]);
  writeJson('1_Pooling/config.json', {
    word_embedding_dimension: SHAPE.hidden,
    pooling_mode_cls_token: true,
    pooling_mode_mean_tokens: false,
  });
  writeJson('sentence_bert_config.json', { max_seq_length: SHAPE.positions, do_lower_case: true });
  copyFileSync(TOKENIZER, join(source, 'tokenizer.json'));
}

function writeJson(name, value) {
  writeFileSync(join(source, name), JSON.stringify(value));
}

/** Resident bytes of a process and all below it. */
function treeBytes(root) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const status = read(`/proc/${name}/status`);
    const field = (key) => new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1];
    parents.set(Number(name), { parent: Number(field('PPid')), bytes: 1024 * Number(field('VmRSS') ?? 0) });
  }
  const isBelow = (pid) => pid === root || (parents.has(pid) && pid > 1 && isBelow(parents.get(pid).parent));
  return [...parents].reduce((sum, [pid, { bytes }]) => sum + (isBelow(pid) ? bytes : 0), 0);
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** One command: seconds, peak resident bytes of it and its children, how it ended, the last lines that it said. */
async function run(name, args) {
  const started = performance.now();
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said = (said + data).slice(-8000)));
  let peak = 0;
  const timer = setInterval(() => (peak = Math.max(peak, treeBytes(child.pid))), SAMPLE_MS);
  const exit = await new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1000;
  const step = {
    name,
    command: ['embedkit', ...args.map(bare)].join(' '),
    exit,
    seconds,
    peak_bytes: peak,
    said: said.trim().split('\n').slice(-12),
  };
  process.stderr.write(`${name}: exit ${exit}, ${seconds.toFixed(1)} s, ${(peak / 2 ** 20).toFixed(0)} MiB\n${step.said.join('\n')}\n`);
  return step;
}

/** Folders of one machine say nothing on another. */
function bare(text) {
  return text.replace(`${options.scratch}/`, '');
}

const rows = join(options.scratch, 'rows.txt');
const quantized = `${model}-int8`;
const embed = (name, folder) => {
  const out = join(options.scratch, `${name}.parquet`);
  return ['embed', rows, '-o', out, '--model', folder, '--threads', options.threads, '--resume', 'never'];
};
const STEPS = {
  export: ['export', source, '-o', model, '--overwrite'],
  'embed fp32': embed('fp32', model),
  quantize: ['quantize', model, '-o', quantized, '--samples', options.samples, '--overwrite'],
  'embed int8': embed('int8', quantized),
};

function begin() {
  writeSource();
  writeFileSync(rows, readFileSync(options.texts, 'utf8').split('\n').slice(0, Number(options['embed-rows'])).join('\n'));
  return { machine: machine(), shape: SHAPE, seed: SEED, texts: { sha256: sha256(options.texts) }, steps: [] };
}

const result = options.only === undefined ? begin() : JSON.parse(readFileSync(options.out, 'utf8'));
result.source_bytes = statSync(join(source, 'model.safetensors')).size;
for (const name of options.only?.split(',') ?? Object.keys(STEPS)) {
  const before = load();
  const step = await run(name, STEPS[name]);
  step.before = before;
  step.after = load();
  step.peak_over_source = step.peak_bytes / result.source_bytes;
  step.said = step.said.map(bare);
  const at = result.steps.findIndex((one) => one.name === name);
  result.steps.splice(at === -1 ? result.steps.length : at, at === -1 ? 0 : 1, step);
}
const sizes = (folder) => Object.fromEntries(readdirSync(folder).map((name) => [name, statSync(join(folder, name)).size]));
result.files = { fp32: sizes(model), int8: sizes(quantized) };
writeFileSync(options.out, `${JSON.stringify(result, null, 1)}\n`);
