// Random damage to inputs and journals: each ends in the right rows or in a sentence, never in a hang, a stack trace or wrong rows.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EmbedkitError } from '#src/errors.js';
import { goodLines } from '#src/job/journal.js';
import { runJob } from '#src/job/run.js';
import { isBad } from '#src/records/bad-rows.js';
import type { FormatName } from '#src/records/formats.js';
import { readRecords, resolveInputs } from '#src/records/read.js';
import type { Item } from '#src/records/record.js';
import { stubModel } from '../job/stub-model.js';
import { fc } from '../properties.js';
import { fixture } from '../records/fixtures.js';
import { runCli, temporaryFolder } from '../run.js';

/** What is done to bytes: a byte altered, some left out, some repeated, or the end cut off. */
type Damage = { readonly kind: 'alter' | 'drop' | 'repeat' | 'cut'; readonly at: number; readonly by: number };
const damage: fc.Arbitrary<Damage> = fc.record({
  kind: fc.constantFrom('alter', 'drop', 'repeat', 'cut'),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  by: fc.integer({ min: 1, max: 255 }),
});

function damaged(bytes: Buffer, { kind, at, by }: Damage): Buffer {
  const start = Math.floor(at * bytes.length);
  if (kind === 'cut') return bytes.subarray(0, start);
  const length = 1 + (by % 9);
  const [before, middle, after] = [bytes.subarray(0, start), bytes.subarray(start, start + length), bytes.subarray(start + length)];
  if (kind === 'drop') return Buffer.concat([before, after]);
  if (kind === 'repeat') return Buffer.concat([before, middle, middle, after]);
  const copy = Buffer.from(bytes);
  if (copy.length > 0) copy[start] = (copy[start] as number) ^ by;
  return copy;
}

const rows = Array.from({ length: 30 }, (_, row) => ({
  id: `row ${row}`,
  text: `text "${row}", with a comma\nand a line, é 漢 ${'x'.repeat(row)}`,
  n: row,
}));
const SOURCES: readonly (readonly [FormatName, number, () => Buffer])[] = [
  ['jsonl', 3880, () => Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))],
  ['csv', 3500, () => Buffer.from(`id,text,n\n${rows.map(({ id, text, n }) => `${id},"${text.replaceAll('"', '""')}",${n}\n`).join('')}`)],
  ['arrow', 2500, () => readFileSync(fixture('table.arrows'))],
  ['parquet', 120, () => readFileSync(fixture('table.parquet'))],
];

async function read(path: string, from: FormatName): Promise<Item[] | EmbedkitError> {
  const items: Item[] = [];
  try {
    const selection = { textField: 'text', template: undefined, idField: undefined, keep: [] };
    const inputs = await resolveInputs([path], { from, stdin: undefined });
    for await (const some of readRecords(inputs, { selection, limits: { maxLineBytes: 1 << 20 } }, { bytesDone: 0 })) items.push(...some);
    return items;
  } catch (error) {
    if (error instanceof EmbedkitError) return error;
    throw error;
  }
}

describe('an input with damage', () => {
  it.each(SOURCES)(
    '(%s, %i times) gives rows that are text, or one sentence',
    async (format, runs, source) => {
      const path = join(temporaryFolder(), `in.${format}`);
      const whole = source();
      let refused = 0;
      await fc.assert(
        fc.asyncProperty(damage, async (change) => {
          writeFileSync(path, damaged(whole, change));
          const outcome = await read(path, format);
          if (outcome instanceof EmbedkitError) {
            refused++;
            expect(outcome.sentence).toMatch(/^[^\n]+; [^\n]+$/);
            expect(outcome.code).not.toBe('internal');
            return;
          }
          for (const item of outcome) {
            if (isBad(item)) expect(item.error.sentence).toMatch(/^[^\n]+; [^\n]+$/);
            else expect([typeof item.text, item.text.isWellFormed(), item.text.trim() === '']).toEqual(['string', true, false]);
          }
        }),
        { numRuns: runs, seed: 7 },
      );
      expect(refused).toBeLessThan(runs);
    },
    300_000,
  );

  it('50 times through the command itself: a whole file, or a sentence and none', async () => {
    const whole = (SOURCES[0] as (typeof SOURCES)[number])[2]();
    const changes = fc.sample(damage, { numRuns: 50, seed: 11 });
    const cwd = temporaryFolder();
    for (let from = 0; from < changes.length; from += 2) {
      const pair = changes.slice(from, from + 2).map(async (change, index) => {
        const name = `${from + index}`;
        writeFileSync(join(cwd, `${name}.jsonl`), damaged(whole, change));
        const ran = await runCli(['embed', `${name}.jsonl`, '-o', `${name}.out.jsonl`, '--threads', '1', '--quiet'], { cwd });
        expect([0, 1, 3]).toContain(ran.code);
        expect(ran.stderr).toMatch(ran.code === 1 ? /^embedkit: [^\n]+\n$/ : /^$/);
        if (ran.code === 1) return;
        const lines = readFileSync(join(cwd, `${name}.out.jsonl`), 'utf8')
          .trimEnd()
          .split('\n')
          .filter(Boolean);
        for (const line of lines) expect((JSON.parse(line) as { embedding: number[] }).embedding).toHaveLength(384);
      });
      await Promise.all(pair);
    }
  }, 300_000);
});

describe('a journal with damage', () => {
  async function journalOfARun(): Promise<Buffer> {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'in.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const controller = new AbortController();
    const config = { input: { paths: [join(folder, 'in.jsonl')] }, output: { path: join(folder, 'out.parquet') }, window: { rows: 5 } };
    const onWindow = async ({ rowsIn }: { rowsIn: number }): Promise<void> => {
      if (rowsIn >= 25) controller.abort(new Error('enough'));
    };
    await expect(runJob({ ...config, signal: controller.signal, onWindow }, stubModel())).rejects.toThrow('enough');
    return readFileSync(join(folder, '.embedkit-out.parquet.job', 'journal'));
  }

  it('(10,000 times) never gives a line that was not written, nor one out of its place', async () => {
    const whole = await journalOfARun();
    const lines = goodLines(whole);
    expect(lines.length).toBeGreaterThanOrEqual(6);
    expect(lines.join('')).toBe(whole.toString());
    let shorter = 0;
    fc.assert(
      fc.property(damage, (change) => {
        const found = goodLines(damaged(whole, change));
        expect(found).toEqual(lines.slice(0, found.length));
        shorter += found.length < lines.length ? 1 : 0;
      }),
      { numRuns: 10_000, seed: 3 },
    );
    // Only damage that changes nothing, such as repeating the last line's own bytes past its end, leaves all lines.
    expect(shorter).toBeGreaterThan(9_000);
  });

  it('(negative control: lines that are JSON, whatever their checks) would give windows that were never finished', async () => {
    const whole = await journalOfARun();
    const contents = goodLines(whole).map(contentOf);
    const wrong = fc.sample(damage, { numRuns: 1000, seed: 5 }).filter((change) => {
      const found = damaged(whole, change)
        .toString()
        .split(/(?<=\n)/)
        .map(contentOf)
        .filter((content) => content !== undefined);
      return found.some((content, index) => content !== contents[index]);
    });
    expect(wrong.length).toBeGreaterThan(100);
  });
});

/** What a line of a journal says, its check left out; undefined where it is no JSON. */
function contentOf(line: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(line.slice(17)));
  } catch {
    return undefined;
  }
}
