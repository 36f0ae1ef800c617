// The figures of docs/at-scale.md and docs/choosing-a-model.md are what their scripts work out from the committed runs.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

it.each([
  ['at-scale', 'at-scale'],
  ['choosing-a-model', 'choosing'],
])('docs/%s.md says what its script works out', (name, script) => {
  const page = readFileSync(path(`../../docs/${name}.md`), 'utf8');
  const [, figures] = new RegExp(`<!-- ${script} -->\n(.*)<!-- /${script} -->`, 's').exec(page) ?? [];
  expect(figures).toBe(execFileSync(process.execPath, [path(`../../benchmarks/${script}.mjs`)], { encoding: 'utf8' }));
});
