// The figures of docs/at-scale.md are what its script works out from the committed runs.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

it('the page says what the script works out', () => {
  const page = readFileSync(path('../../docs/at-scale.md'), 'utf8');
  const [, figures] = /<!-- at-scale -->\n(.*)<!-- \/at-scale -->/s.exec(page) ?? [];
  expect(figures).toBe(execFileSync(process.execPath, [path('../../benchmarks/at-scale.mjs')], { encoding: 'utf8' }));
});
