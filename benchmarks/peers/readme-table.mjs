// README's table out of a run of the peers: how many times as long as embedkit's INT8 and fp32 each took, medians of the ratios within a round.
// usage: node benchmarks/peers/readme-table.mjs PEERS.json [MORE.json]      MORE: a run of some peers anew; its rows stand in place of those
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

const results = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, 'utf8')));

function secondsOf({ runs }, id, batch) {
  const its = runs.filter((run) => run.id === id && run.batch === batch && !run.error);
  return new Map(its.map(({ round, seconds }) => [round, seconds]));
}

function ratio(result, [id, batch], to) {
  const base = secondsOf(result, to, BATCH);
  const value = median([...secondsOf(result, id, batch)].map(([round, seconds]) => seconds / base.get(round)));
  return value.toFixed(value < 1 ? 2 : 1);
}

const hasRun = (id) => (result) => result.runs.some((run) => run.id === id && !run.error);

function row(id) {
  const result = results.findLast(hasRun(id));
  const isOurs = id.startsWith('embedkit');
  const batch = isOurs ? BATCH : result.best[id];
  const ratios = [BATCH, batch].map((size) => ['embedkit_int8', 'embedkit_fp32'].map((to) => ratio(result, [id, size], to)));
  return [NAMES[id], ...ratios[0], isOurs ? 'its own' : `${batch}`, ...ratios[1]];
}

const ids = Object.keys(NAMES).filter((id) => results.some(hasRun(id)));
const lines = [
  ['', 'batch 32: ÷ INT8', '÷ fp32', 'best batch', '÷ INT8', '÷ fp32'],
  ['---', '---', '---', '---', '---', '---'],
  ...ids.map(row),
].map((cells) => `| ${cells.join(' | ')} |`);
console.log(lines.join('\n'));
