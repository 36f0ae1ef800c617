import { describe, expect, it } from 'vitest';
import { decadesOf } from '#src/page/plot-frame.js';
import { binCosines, cosinePlot } from '#src/quantize/cosine-plot.js';
import type { SiteReport } from '#src/quantize/report.js';
import { channelBands, groupSites } from '#src/quantize/site-groups.js';
import { errorPanels, type Panel, rangePanels } from '#src/quantize/site-plots.js';

import { PASSED, sitesOf } from './made-up-report.js';

const valuesOf = ({ spec }: Panel): unknown => (spec.data as { values: unknown }).values;
const [attention, context, up, down] = sitesOf(1) as [SiteReport, SiteReport, SiteReport, SiteReport];
const TWO = [
  { ...attention, errorBefore: 0.02, errorAfter: 0.003, low: -4, high: 3, minima: [-8, -0.5, 0], maxima: [1, 0.25, 0] },
  {
    ...attention,
    name: 'layer4.attention',
    precision: 'fp32' as const,
    errorBefore: 0,
    errorAfter: 0.5,
    low: 0,
    high: 2,
    minima: [0],
    maxima: [6],
  },
];

describe('groups of sites', () => {
  it('are kinds in the order of computation, by layer; unknown names come last, by position', () => {
    const named = (name: string) => ({ ...attention, name });
    const sites = ['a', 'layer1.down', 'layer0.up', 'layer0.down', 'layer0.constructor', 'layer12345.up', 'xlayer0.up'].map(named);
    expect(groupSites(sites).map(({ kind, axis, sites: members }) => [kind, axis, members.map(({ site, at }) => [site.name, at])])).toEqual(
      [
        ['up', 'layer', [['layer0.up', 0]]],
        [
          'down',
          'layer',
          [
            ['layer1.down', 1],
            ['layer0.down', 0],
          ],
        ],
        [
          'other',
          'position in the graph',
          [
            ['a', 0],
            ['layer0.constructor', 4],
            ['layer12345.up', 5],
            ['xlayer0.up', 6],
          ],
        ],
      ],
    );
    expect(groupSites([])).toEqual([]);
  });
});

describe('bands of channels', () => {
  it('are percentiles of the largest magnitudes by nearest rank', () => {
    const maxima = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? at + 1 : 0));
    const minima = maxima.map((value, at) => (value === 0 ? -(at + 1) : -0.1));
    expect(channelBands({ minima, maxima })).toEqual({ p5: 5, p50: 50, p95: 95, top: 100 });
    expect(channelBands({ minima: [-3], maxima: [2] })).toEqual({ p5: 3, p50: 3, p95: 3, top: 3 });
  });
});

describe('decades', () => {
  it.each([
    [
      [0.002, 0.3],
      [0.001, 0.01, 0.1, 1],
    ],
    [[5], [1, 10]],
    [[1], [0.1, 1]],
    [
      [0, Number.NaN, -4],
      [0.1, 1],
    ],
    [
      [1e-30, 2],
      [1e-7, 1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 1, 10],
    ],
  ])('around %j are %j', (values, ticks) => {
    expect(decadesOf(values)).toEqual({ low: ticks[0], high: ticks.at(-1), ticks });
  });
});

describe('panels', () => {
  it('of errors hold each site, zeros at the lower edge, and say their extremes', () => {
    const [panel] = errorPanels(TWO) as [Panel];
    expect(valuesOf(panel)).toEqual([
      { at: 0, before: 0.02, after: 0.003, precision: 'int8' },
      { at: 4, before: 0.001, after: 0.5, precision: 'fp32' },
    ]);
    expect(panel.alternative).toBe(
      'Error by site, 2 sites, attention: what query, key and value read. before pre-scaling 0 (layer4.attention) to 0.02 (layer0.attention); after it 0.003 (layer0.attention) to 0.5 (layer4.attention).',
    );
  });

  it('of ranges hold bands and the reach of the integers', () => {
    const [panel] = rangePanels(TWO) as [Panel];
    expect(valuesOf(panel)).toEqual([
      { at: 0, p5: 0.1, p50: 0.5, p95: 8, top: 8, reach: 4, precision: 'int8' },
      { at: 4, p5: 6, p50: 6, p95: 6, top: 6, reach: 2, precision: 'fp32' },
    ]);
    expect(panel.alternative).toBe(
      'Channel magnitudes by site, attention: what query, key and value read. largest channel 6 (layer4.attention) to 8 (layer0.attention); median channel 0.5 (layer0.attention) to 6 (layer4.attention); integers after pre-scaling reach 2 (layer4.attention) to 4 (layer0.attention).',
    );
  });

  it('leave out what is no number', () => {
    const [panel] = errorPanels([{ ...attention, errorAfter: Number.NaN }]) as [Panel];
    expect(valuesOf(panel)).toEqual([]);
  });

  it('are one a kind', () => {
    const names = [errorPanels, rangePanels].map((panels) => panels([down, up, context, attention]).map(({ name }) => name));
    expect(names).toEqual([
      ['error-attention', 'error-context', 'error-up', 'error-down'],
      ['range-attention', 'range-context', 'range-up', 'range-down'],
    ]);
  });
});

describe('the histogram', () => {
  it('has 40 bins from the least cosine to the greatest and counts every one', () => {
    const bins = binCosines([0, 0.024, 0.026, 0.5, 0.99, 1, Number.NaN]);
    expect(bins.map(({ texts }) => texts)).toEqual([1 + 1, 1, ...Array(18).fill(0), 1, ...Array(18).fill(0), 2]);
    expect([bins[0]?.from, bins[0]?.to, bins[39]?.to]).toEqual([0, 0.025, 1]);
  });

  it('holds equal cosines in one bin, and none in none', () => {
    expect(binCosines([1, 1, 1]).map(({ texts }) => texts)).toEqual([3, ...Array(39).fill(0)]);
    expect(binCosines([])).toEqual([]);
  });

  it('says its figures in words', () => {
    expect(cosinePlot(PASSED.gate, PASSED.gate.thresholds).alternative).toBe(
      'Histogram of 500 cosines between INT8 and full-precision vectors: mean 0.99935, 1st percentile 0.99612, least 0.99471; thresholds 0.998, 0.995, 0.98.',
    );
  });
});
