// What is drawn and written of a cost: curves, words, the page.
import { describe, expect, it } from 'vitest';
import { costOf } from '#src/cost/cost.js';
import { apiCurve, crossings, machineCurve } from '#src/cost/curves.js';
import { costHtml } from '#src/cost/page.js';
import { costPlot } from '#src/cost/plot.js';
import { costRows } from '#src/cost/table.js';
import { dollars, volume } from '#src/cost/words.js';
import { markupFault } from '../page/well-formed.js';
import { WORKED } from './worked.js';

const LONG = costOf({ ...WORKED, tokensPerText: 1000 });
const [COST] = LONG.machines as [(typeof LONG.machines)[number]];

describe('curves', () => {
  it('are a line from nothing and a staircase that goes straight up', () => {
    const slow = costOf({ ...WORKED, tokensPerText: 1000, machines: [{ name: 'm', tokensPerSecond: 2500 }] });
    const perMachine = (2500 * 3600 * 730) / 1000;
    expect(apiCurve(slow)).toEqual([
      { texts: 0, dollars: 0 },
      { texts: 15e6, dollars: 300 },
    ]);
    const points = machineCurve(slow.machines[0] as typeof COST, slow).map(({ texts, dollars: paid }) => [texts, Math.round(paid)]);
    expect(points).toEqual([
      [0, 115],
      [perMachine, 115],
      [perMachine, 230],
      [2 * perMachine, 230],
      [2 * perMachine, 345],
      [15e6, 345],
    ]);
  });

  it('never go down, and have no more corners than can be seen', () => {
    const many = costOf({ ...WORKED, machines: [{ name: 'm', tokensPerSecond: 0.5 }] });
    const points = machineCurve(many.machines[0] as typeof COST, many);
    expect(points.length).toBeLessThan(250);
    expect(points).toEqual([...points].sort((a, b) => a.texts - b.texts || a.dollars - b.dollars));
  });

  it('meet where the crossing is marked', () => {
    const [crossing] = crossings(LONG) as [ReturnType<typeof crossings>[number]];
    expect(crossing.dollars).toBeCloseTo(115, 9);
    expect(crossing.texts).toBeCloseTo(5.75e6, 3);
    expect(costPlot(LONG).alternative).toMatch(/API \$240\.00, int8 \$115\.00\. .* it crosses int8 at 5,750,000 texts\.$/);
  });
});

describe('the page', () => {
  it('holds the verdict, the table and one well-formed picture that marks the crossing; nothing runs or loads', async () => {
    const page = await costHtml(LONG);
    expect(page).toContain('Your own machine is the cheaper choice: $240.00 a month by API, $115.00 on one machine (int8).');
    const [svg = ''] = /<svg.*<\/svg>/s.exec(page) ?? [];
    expect(markupFault(svg)).toBeUndefined();
    expect(svg).toContain('5,750,000 texts, $115.00');
    expect(page).not.toMatch(/<script|<link|<img|src=|@import|url\((?!#)/);
    expect(page).toContain('default-src &#39;none&#39;');
    expect(await costHtml(LONG)).toBe(page);
  });

  it("escapes the names of a stranger's file", async () => {
    const page = await costHtml(costOf({ ...WORKED, machines: [{ name: '<b>"x"', tokensPerSecond: 9 }], source: '</ul>' }));
    expect(page).not.toMatch(/<b>|<\/ul><\/li>/);
    expect(page).toContain('&lt;b&gt;&quot;x&quot;');
  });
});

describe('words', () => {
  it.each([
    [0, '$0.00'],
    [0.02, '$0.02'],
    [0.1575, '$0.158'],
    [0.000351, '$0.000351'],
    [0.999, '$1.00'],
    [115, '$115.00'],
    [6500, '$6,500.00'],
  ])('%d dollars are %s', (amount, text) => expect(dollars(amount)).toBe(text));

  it('give volumes four digits', () => expect([volume(5_749_850), volume(12)]).toEqual(['5,750,000', '12']));

  it('fill every row of the table', () => {
    const machines = [...WORKED.machines, { name: 'b', tokensPerSecond: 1 }];
    const rows = costRows(costOf({ ...WORKED, peakRate: 5, windowHours: 6, machines }));
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([4]));
    expect(rows.map(([what]) => what)).toContain("  for the month's volume in 6 h a night");
  });
});
