// Attention as one MultiHeadAttention or as plain products, in the same INT8 graph otherwise: which is faster at which length.
// usage: node benchmarks/engine/forms.mjs --source MODEL.onnx --out OUT [--rounds 7]
// The integers are of random ranges: this measures time, not vectors. One thread, batches of about 1,000 tokens, rounds alternate.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { emitEncoder, OUTPUT } from '../../dist/encoder/emit.js';
import { foldAttentionScale } from '../../dist/encoder/fold.js';
import { FUSED, STANDARD } from '../../dist/encoder/forms.js';
import { int8Arithmetic } from '../../dist/encoder/int8.js';
import { recognise } from '../../dist/encoder/recognise.js';
import { linearOf, linearsAt, siteName, sitesOf } from '../../dist/encoder/sites.js';
import { openOrt } from '../../dist/engine/ort.js';
import { ModelProto } from '../../dist/onnx/proto.js';
import { readOnnx } from '../../dist/onnx/read.js';
import { quantizeWeights } from '../../dist/quantize/weights.js';
import { quantizeRows } from '../../dist/quantize/words.js';
import { machine } from '../machine.mjs';

const { values: options } = parseArgs({
  options: { source: { type: 'string' }, out: { type: 'string' }, rounds: { type: 'string', default: '7' } },
});
const { encoder: found } = await recognise(await readOnnx(options.source), 'last_hidden_state');
const encoder = foldAttentionScale(found);
const divided = (site) => site.kind !== 'context';
const partsWith = (preScale) => ({
  words: quantizeRows(encoder.words),
  sites: new Map(
    sitesOf(encoder).map((site) => {
      const inputs = site.kind === 'down' ? encoder.inner : encoder.hidden;
      const linears = linearsAt(encoder, site).map((name) => {
        const linear = linearOf(encoder, site, name);
        return [name, { ...linear, ...quantizeWeights(linear, 'vnni', new Float32Array(inputs).fill(1)) }];
      });
      const divisor = preScale && divided(site) ? new Float32Array(inputs).fill(1) : undefined;
      return [siteName(site), { input: { divisor, scale: 0.05, zeroPoint: 120 }, linears: Object.fromEntries(linears) }];
    }),
  ),
});
const attentionOf = (form) => ({ ...FUSED, attention: form.attention });
const VARIANTS = {
  'MultiHeadAttention, Muls': [FUSED, true],
  'plain products, Muls': [attentionOf(STANDARD), true],
  'MultiHeadAttention, no Mul': [FUSED, false],
};
mkdirSync(options.out, { recursive: true });
const engines = [];
for (const [name, [form, preScale]] of Object.entries(VARIANTS)) {
  const path = join(options.out, 'form.onnx');
  writeFileSync(
    path,
    ModelProto.encode(emitEncoder(encoder, int8Arithmetic(encoder, partsWith(preScale)), { form, output: 'cls' })).finish(),
  );
  engines.push([name, await openOrt(path, { threads: 1, output: OUTPUT })]);
}
const result = { machine: machine(), widths: {} };
for (const width of [8, 50, 128, 256, 512]) {
  const rows = Math.max(1, Math.round(1000 / width));
  const ids = Int32Array.from({ length: rows * width }, (_, at) => 1000 + ((at * 7919) % 20_000));
  const rounds = Object.fromEntries(engines.map(([name]) => [name, []]));
  for (const [, engine] of engines) await engine.run({ ids, rows, width });
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const [name, engine] of engines) {
      const started = performance.now();
      for (let run = 0; run < 2; run++) await engine.run({ ids, rows, width });
      rounds[name].push((2 * ids.length * 1000) / (performance.now() - started));
    }
  }
  result.widths[width] = rounds;
  const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
  const base = rounds['MultiHeadAttention, Muls'];
  for (const [name, speeds] of Object.entries(rounds)) {
    console.log(
      `${width} tokens, ${name}: ${median(speeds).toFixed(0)} tokens/s, ${median(speeds.map((s, at) => s / base[at])).toFixed(3)} of the first`,
    );
  }
}
writeFileSync(join(options.out, 'forms.json'), `${JSON.stringify(result, null, 1)}\n`);
