// README's table out of a run of the peers: how many times as long as embedkit's INT8 and fp32 each took, medians of the ratios within a round.
// usage: node benchmarks/peers/readme-table.mjs PEERS.json
import { readFileSync } from 'node:fs';
import { median } from '../machine.mjs';

const NAMES = {
  embedkit_int8: 'embedkit INT8',
  embedkit_fp32: 'embedkit fp32',
  sentence_transformers_py: 'sentence-transformers (torch fp32)',
  sentence_transformers_bf16: 'the same in bf16',
  transformers_js: 'transformers.js fp32',
  transformers_js_q8: 'transformers.js q8',
  fastembed_py: 'fastembed (Python)',
  fastembed_js: 'fastembed (npm)',
  onnxruntime_fp32: 'onnxruntime fp32, length-sorted loop',
  onnxruntime_int8: 'onnxruntime dynamic INT8, length-sorted loop',
  openvino_bf16: 'OpenVINO bf16, length-sorted loop',
  openvino_int8: "OpenVINO, embedkit's INT8 as QDQ, batches of equal length",
};
const BATCH = 32;

const { runs, best } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const secondsOf = (id, batch) =>
  new Map(runs.filter((run) => run.id === id && run.batch === batch && !run.error).map((run) => [run.round, run.seconds]));
const base = { int8: secondsOf('embedkit_int8', BATCH), fp32: secondsOf('embedkit_fp32', BATCH) };

function ratio(id, batch, to) {
  const ratios = [...secondsOf(id, batch)].map(([round, seconds]) => seconds / base[to].get(round));
  return ratios.length === 0 ? '' : median(ratios).toFixed(1);
}

function row(id) {
  const ownBatch = id.startsWith('embedkit') ? BATCH : best[id];
  const label = id.startsWith('embedkit') ? 'its own' : `${ownBatch}`;
  return [NAMES[id], ratio(id, BATCH, 'int8'), ratio(id, BATCH, 'fp32'), label, ratio(id, ownBatch, 'int8'), ratio(id, ownBatch, 'fp32')];
}

const ids = Object.keys(NAMES).filter((id) => runs.some((run) => run.id === id && !run.error));
const lines = [
  ['', 'batch 32: ÷ INT8', '÷ fp32', 'best batch', '÷ INT8', '÷ fp32'],
  ['---', '---', '---', '---', '---', '---'],
  ...ids.map(row),
].map((cells) => `| ${cells.join(' | ')} |`);
console.log(lines.join('\n'));
