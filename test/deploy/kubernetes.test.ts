// The Indexed Job: valid by Kubernetes' published schemas, and its command, run for each index, gives every row once.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../run.js';

const PYTHON = process.env['TEST_PYTHON'] ?? '';
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const JOB = path('../../deploy/kubernetes/job.yaml');
const isThere = PYTHON !== '' && spawnSync(PYTHON, ['-c', 'import kubernetes_validate, yaml']).status === 0;
const suite = isThere ? 'the Indexed Job' : 'the Indexed Job (skipped: TEST_PYTHON names no Python with kubernetes_validate)';

interface Job {
  readonly spec: {
    readonly completions: number;
    readonly template: {
      readonly spec: {
        readonly containers: readonly [{ readonly args: readonly [string]; readonly env: readonly { name: string; value: string }[] }];
      };
    };
  };
}

function validated(text: string, versions: readonly string[]): { status: number | null; job: Job | undefined; stderr: string } {
  const file = `${temporaryFolder()}/job.yaml`;
  writeFileSync(file, text);
  const { status, stdout, stderr } = spawnSync(PYTHON, [path('./kubernetes.py'), file, ...versions], { encoding: 'utf8' });
  return { status, stderr, job: status === 0 ? JSON.parse(stdout) : undefined };
}

describe.skipIf(!isThere)(suite, () => {
  const text = isThere ? readFileSync(JOB, 'utf8') : '';

  it('holds against the schemas', () => {
    expect(validated(text, ['1.31', '1.34', '1.37'])).toMatchObject({ status: 0, stderr: '' });
    const wrong = validated(text.replace('completionMode', 'completionsMode'), ['1.37']);
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining("'completionsMode' was unexpected")]);
  });

  it('embeds every row once over its indexes, and a row that is none fails no pod', async () => {
    const { job } = validated(text, []);
    const [container] = (job as Job).spec.template.spec.containers;
    expect(container.env.find(({ name }) => name === 'SHARDS')?.value).toBe(String(job?.spec.completions));
    const folder = temporaryFolder();
    mkdirSync(`${folder}/corpus`);
    mkdirSync(`${folder}/vectors`);
    const rows = [...Array.from({ length: 12 }, (_, id) => ({ id, text: `text ${id}` })), { id: 12, text: '' }];
    writeFileSync(`${folder}/corpus/a.jsonl`, rows.map((row) => JSON.stringify(row)).join('\n'));
    const command = container.args[0].replaceAll('/data/', `${folder}/`).replace('node bin/', `"${process.execPath}" bin/`);
    const ids: string[] = [];
    for (const index of [0, 1]) {
      const env = { ...process.env, JOB_COMPLETION_INDEX: String(index), SHARDS: '2', THREADS: '1' };
      expect(spawnSync('/bin/sh', ['-c', command], { env, cwd: path('../..'), encoding: 'utf8' }).status).toBe(0);
      const { stdout } = await runCli(['inspect', `${folder}/vectors/part-${index}.parquet`, '--json']);
      expect(JSON.parse(stdout.toString())).toMatchObject({ file: expect.stringContaining(`part-${index}`) });
      const read = spawnSync(PYTHON, [
        '-c',
        'import sys, pyarrow.parquet as pq; print(*pq.read_table(sys.argv[1])["id"].to_pylist())',
        `${folder}/vectors/part-${index}.parquet`,
      ]);
      ids.push(...read.stdout.toString().trim().split(' '));
    }
    expect(ids.map(Number).sort((a, b) => a - b)).toEqual(rows.slice(0, 12).map(({ id }) => id));
  });
});
