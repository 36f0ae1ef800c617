// The rate at which embedkit's server and the peer of run.sh each keep their P99 under the same bound, by turns on one machine.
//   node benchmarks/serve/peer/equal-p99.mjs SCRATCH OUT.json [--limits 100,250,1000] [--rounds 3] [--seconds 6]
// Writes every step of every round. Nothing else should run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load, machine, median } from '../../machine.mjs';
import { startServer } from '../parts.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    limits: { type: 'string', default: '100,250,1000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '6' },
  },
});
const [scratch, out] = positionals;
if (scratch === undefined || out === undefined) {
  console.error('usage: equal-p99.mjs SCRATCH OUT.json [--limits MS,...] [--rounds N] [--seconds N]');
  process.exit(2);
}
const BIN = fileURLToPath(new URL('../../../bin/embedkit.js', import.meta.url));
const RUN_PEER = fileURLToPath(new URL('run.sh', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'embedkit-equal-p99-'));
const drawn = join(folder, 'load.json');

function run(command, args) {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) throw new Error(stderr);
}

const SERVERS = {
  async embedkit(flags) {
    const server = await startServer();
    try {
      run(process.execPath, [BIN, 'bench', '--url', server.url, '--json', drawn, ...flags]);
    } finally {
      await server.stop();
    }
  },
  async peer(flags) {
    run('bash', [RUN_PEER, scratch, drawn, ...flags]);
  },
};

const result = { machine: machine(), before: load(), runs: [] };
for (let round = 1; round <= Number(values.rounds); round++)
  for (const limit of values.limits.split(',').map(Number))
    for (const [name, measure] of Object.entries(SERVERS)) {
      await measure(['--seconds', values.seconds, '--limit-ms', String(limit)]);
      const found = JSON.parse(readFileSync(drawn, 'utf8'));
      result.runs.push({ round, limit_ms: limit, who: name, load: load(), ...found });
      process.stderr.write(`round ${round}, P99 <= ${limit} ms, ${name}: ${found.knee?.toFixed(1)} requests/s\n`);
    }
rmSync(folder, { recursive: true });
result.after = load();
result.summary = values.limits.split(',').map(Number).map(summaryOf);
writeFileSync(out, `${JSON.stringify(result, null, 1)}\n`);
console.log(JSON.stringify(result.summary, null, 1));

/** Requests a second of 50 tokens under one bound, and how many times the peer's, within a round. */
function summaryOf(limit) {
  const knees = (name) => result.runs.filter((one) => one.limit_ms === limit && one.who === name).map(({ knee }) => knee ?? 0);
  const [ours, theirs] = [knees('embedkit'), knees('peer')];
  const ratios = ours.map((knee, at) => knee / theirs[at]);
  const spread = (numbers) => ({ median: median(numbers), least: Math.min(...numbers), most: Math.max(...numbers) });
  return { limit_ms: limit, embedkit: spread(ours), peer: spread(theirs), times: spread(ratios) };
}
