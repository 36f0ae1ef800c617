// README's tables are what the scripts that made them make of the committed runs: <!-- table: SCRIPT RUN... --> stands before each, <!-- end --> after it.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const MARKED = /<!-- table: (\S+) ([^>]+) -->\n(.*?)<!-- end -->/gs;
const TABLES = [...README.matchAll(MARKED)].map(([, script, runs, table]) => ({ script, runs, table }));

describe("README's tables", () => {
  it('are there', () => expect(TABLES.length).toBeGreaterThanOrEqual(2));

  it.each(TABLES)('$script $runs', ({ script, runs, table }) => {
    const made = spawnSync(process.execPath, [script as string, ...(runs as string).split(' ')], { cwd: ROOT, encoding: 'utf8' });
    expect(made.stderr).toBe('');
    expect(made.stdout.trim()).toBe(table?.trim());
  });
});
