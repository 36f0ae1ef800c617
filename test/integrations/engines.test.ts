// Spark and Ray drive embedkit through its pipe, and one of their workers is killed half-way: every row once, with the bits of embedkit alone.
// Each takes half a minute: they run where TEST_ENGINES is set, as .ci/run does.
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BIN } from '../run.js';

const PYTHON = process.env['TEST_PYTHON'] ?? '';
const IS_ASKED = process.env['TEST_ENGINES'] !== undefined && PYTHON !== '';
const ROWS = 400;

const canRun = (command: string, args: readonly string[]): boolean => spawnSync(command, args).status === 0;

/** Why a drill cannot run; undefined where it can. */
function missing(name: string, needs: readonly string[], java: boolean): string | undefined {
  if (!IS_ASKED) return `${name} (skipped: TEST_ENGINES and TEST_PYTHON are not set)`;
  if (!canRun(PYTHON, ['-c', `import ${needs.join(', ')}`])) return `${name} (skipped: TEST_PYTHON has not all of ${needs.join(', ')})`;
  return java && !canRun('java', ['-version']) ? `${name} (skipped: there is no Java)` : undefined;
}

function drill(folder: string): Promise<Record<string, unknown>> {
  const script = fileURLToPath(new URL(`../../integrations/${folder}/drill.py`, import.meta.url));
  const child = spawn(PYTHON, [script, '--rows', String(ROWS), '--', process.execPath, BIN]);
  let out = '';
  let said = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => (code === 0 ? resolve(JSON.parse(out.trimEnd().split('\n').at(-1) ?? '')) : reject(new Error(said + out))));
  });
}

const WHOLE = { killed: 1, rows: ROWS, lost: 0, doubled: 0, same_bits: true, tags: true };

describe('an engine with a worker killed half-way', () => {
  const noSpark = missing('Spark', ['pyspark', 'pyarrow'], true);
  it.skipIf(noSpark !== undefined)(noSpark ?? 'Spark', async () => expect(await drill('spark')).toMatchObject(WHOLE), 180_000);

  const noRay = missing('Ray', ['ray.data', 'pyarrow'], false);
  it.skipIf(noRay !== undefined)(noRay ?? 'Ray', async () => expect(await drill('ray')).toMatchObject(WHOLE), 180_000);
});
