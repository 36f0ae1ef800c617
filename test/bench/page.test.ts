// The page and the table of a made-up run: whole, readable without scripts, and the same bytes every time.
import { describe, expect, it } from 'vitest';
import { notesOf } from '#src/bench/notes.js';
import { reportHtml } from '#src/bench/report-html.js';
import { columnsOf, rowsOf, verdictOf } from '#src/bench/rows.js';
import { benchTable } from '#src/cli/bench-table.js';
import { markupFault } from '../page/well-formed.js';
import { madeUp, timed } from './made-up.js';

const CURVES = (['threads', 'tokens', 'batch'] as const).flatMap((along) =>
  ['fp32', 'int8'].map((variant) => ({
    variant,
    along,
    points: [1, 2, 4].map((at) => ({ at, tokens_per_second: [at * 100, at * 110], texts_per_second: [at * 2, at * 2.2] })),
  })),
);
const cell = (result: ReturnType<typeof madeUp>, title: RegExp, column: number): string | undefined =>
  rowsOf(result).find((row) => title.test(row.title))?.cells[column];

describe('reportHtml', () => {
  it('is one page with a plot a question, without scripts and references', async () => {
    const page = await reportHtml({ ...madeUp({ withCorpus: true, pricePerHour: 0.1 }), curves: CURVES });
    expect(page).not.toMatch(/<script|<link|<img|src=|https?:\/\/(?!www\.w3\.org)|NaN|undefined|Infinity/);
    const drawings = [...page.matchAll(/<svg xmlns.*?<\/svg>/gs)].map(([svg]) => svg);
    expect(drawings).toHaveLength(8);
    for (const svg of drawings) {
      expect(markupFault(svg)).toBeUndefined();
      expect(svg).toMatch(/role="img" aria-label="[^"]{40,}"/);
    }
    expect(new Set([...page.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id)).size).toBe([...page.matchAll(/\bid="/g)].length);
    for (const { title } of rowsOf(madeUp({ withCorpus: true }))) expect(page).toContain(title.replaceAll("'", '&#39;'));
  });

  it('gives the same bytes again, and escapes names', async () => {
    const result = madeUp();
    const named = { ...result, variants: result.variants.map((one) => ({ ...one, label: '<b>&' })) };
    const page = await reportHtml(named);
    expect(page).not.toContain('<b>');
    expect(await reportHtml(named)).toBe(page);
  });
});

describe('the table', () => {
  it('has a column an API and a variant, and says what was not measured', () => {
    const result = madeUp();
    expect(columnsOf(result)).toEqual(['API', 'fp32', 'INT8']);
    expect(rowsOf(result).every(({ cells }) => cells.length === 3 && cells[0] === 'not measured')).toBe(true);
    expect(cell(result, /P50 of one text/, 2)).toMatch(/^3\.1\d \(3\.1\d-3\.1\d\)$/);
    expect(cell(result, /P99 of a batch/, 2)).toBe('too few calls');
    expect(cell(result, /cost a month/, 1)).toBe('needs --price-per-hour');
  });

  it('costs what the price says at the speed measured', () => {
    const result = madeUp({ speeds: { int8: [2, 2, 2, 2, 2, 2] }, pricePerHour: 0.36 });
    // 2 ms a text of 50 tokens, a thousandth more in the second call and two in the third: 24,975 tokens a second.
    expect(cell(result, /million tokens/, 1)).toMatch(/^0\.004 /);
    expect(cell(result, /cost a month/, 1)).toBe('262.80');
  });

  it('shows the API where there is one', () => {
    const turns = [0, 1].map((round) => ({ round, one: timed(5, 1, () => 80), batch: timed(3, 32, () => 400) }));
    const figures = { one_p50_ms: { value: 80, low: 79, high: 81, samples: 2, confidence: 0.5 } };
    const result = { ...madeUp(), baseline: { url: 'http://api', model: 'some-model', turns, failed: null, figures } };
    expect(columnsOf(result)[0]).toBe('API: some-model');
    expect(cell(result, /P50 of one text/, 0)).toBe('80.0 (79.0-81.0)');
  });

  it('begins with the verdict on the run', () => {
    expect(verdictOf(madeUp())).toMatch(/^quiet run: 7 rounds in 1 min 30 s, speeds known to ±0\.\d%$/);
    const noisy = { ...madeUp(), noise: ['the machine was busy', 'and more'] };
    expect(benchTable(noisy).split('\n')[0]).toBe('NOISY RUN: the machine was busy; and more');
  });

  it('tells the roof, the machine, what is absent and what a claim needs', () => {
    const verdict = { variant: 'int8', kind: 'int8' as const, operations: 2.1e9, needed: 8.9e12, roof: 8e11, cores: 4, isPossible: false };
    const claim = { text: '4200 emb/s', tokens: 50, verdicts: [verdict] };
    const notes = notesOf({ ...madeUp(), claim, absent: ['fp32'] }).join('\n');
    expect(notes).toContain('int8 401 G (400 G-402 G) operations/s');
    expect(notes).toContain('needs 8.9 T operations/s of int8 (2.1 G a text of 50 tokens');
    expect(notes).toContain('4 cores like these reach 800 G in int8 at best: not possible here, by a factor of 11.1');
    expect(notes).toContain('A processor, 2 threads usable of 2');
    expect(notes).toContain('fp32 was not measured: the model has no such file here');
  });
});
