// An engine process without a model: vectors that follow from the ids, and words that make it misbehave.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

let settings;
let words;

const idOf = (word) => words[word];

function vectorOf(ids, dim) {
  const vector = new Float32Array(dim);
  ids.forEach((id, at) => {
    vector[(id * 31 + at * 7) % dim] += 1 + (id % 5);
  });
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

/** What the words of a batch ask for; undefined where its vectors are to be sent. */
function misbehaviour(ids) {
  if (ids.includes(idOf('crash'))) return () => process.kill(process.pid, 'SIGSEGV');
  if (ids.includes(idOf('hang'))) return () => undefined;
  if (ids.includes(idOf('exit'))) return () => process.exit(7);
  return undefined;
}

function run({ job, batch }) {
  const { dim } = settings;
  const { ids, rows, width } = batch;
  const bad = misbehaviour(ids);
  if (bad !== undefined) return bad();
  if (ids.includes(idOf('fail'))) return process.send({ kind: 'failed', job, message: 'the stub was asked to fail' });
  const vectors = new Float32Array(rows * dim);
  for (let row = 0; row < rows; row++) {
    const own = ids.subarray(row * width, (row + 1) * width);
    vectors.set(vectorOf(own, dim), row * dim);
    if (own.includes(idOf('broken'))) vectors[row * dim + 3] = Number.NaN;
    if (own.includes(idOf('zero'))) vectors.fill(0, row * dim, (row + 1) * dim);
  }
  // A token takes ten milliseconds where it is to be slow.
  const milliseconds = ids.includes(idOf('slow')) ? ids.length * 10 : 0.01 * ids.length;
  setTimeout(() => process.send({ kind: 'done', job, vectors, milliseconds }), milliseconds);
}

process.on('message', (request) => {
  if (request.kind === 'close') process.exit(0);
  if (request.kind === 'run') return run(request);
  settings = request.settings;
  words = JSON.parse(readFileSync(join(dirname(settings.modelPath), 'tokenizer.json'), 'utf8')).model.vocab;
  process.send({ kind: 'ready' });
});
process.on('disconnect', () => process.exit(0));
