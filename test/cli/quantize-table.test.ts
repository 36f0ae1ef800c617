import { describe, expect, it } from 'vitest';
import { quantizeTable } from '#src/cli/quantize-table.js';
import type { QuantizeReport } from '#src/quantize/report.js';
import { FAILED, HOSTILE, NO_SETS, ONE_SITE, PASSED, SLOWER, withGate } from '../quantize/made-up-report.js';

const HELD_OUT = `held-out texts                   found  at least
mean cosine                    0.99935     0.998  met
1st percentile of the cosines  0.99612     0.995  met
least cosine                   0.99471      0.98  met
ten nearest neighbours kept     93.52%       90%  met`;
const SETS = `labelled set   metric       full     INT8    kept  at least
sts-dev.jsonl  spearman  0.83211  0.83169  99.95%       99%  met
nf-test        ndcg@10   0.34021  0.33855  99.51%       99%  met`;
const COSTS = `size   127 MiB -> 32 MiB (25.56%)
speed  3,100 tokens/s -> 7,130 tokens/s: 2.30x (5 rounds: 2.28x to 2.32x)
       20 texts of 50 tokens, 1 thread`;

describe('the table of a quantization', () => {
  it('says of a model that passed what was found and what was asked', () => {
    expect(quantizeTable(PASSED)).toBe(`made-up-small: Passed: all 6 thresholds are met\n\n${HELD_OUT}\n\n${SETS}\n\n${COSTS}`);
    expect(quantizeTable(ONE_SITE)).toBe(quantizeTable(PASSED));
  });

  it('leaves out sets where none were named', () => {
    expect(quantizeTable(NO_SETS)).toBe(`made-up-small: Passed: all 4 thresholds are met\n\n${HELD_OUT}\n\n${COSTS}`);
  });

  it('names every threshold that is not met, and the sites kept in fp32', () => {
    expect(quantizeTable(FAILED)).toBe(`made-up-small: Not passed: 3 of 5 thresholds are not met
  - mean cosine 0.99712 is below 0.998
  - 1st percentile of the cosines 0.98911 is below 0.995
  - share of spearman kept on sts-dev.jsonl 0.97343 is below 0.99

held-out texts                   found  at least
mean cosine                    0.99712     0.998  NOT MET
1st percentile of the cosines  0.98911     0.995  NOT MET
least cosine                   0.98123      0.98  met
ten nearest neighbours kept     93.52%       90%  met

labelled set   metric       full     INT8    kept  at least
sts-dev.jsonl  spearman  0.83211  0.81000  97.34%       99%  NOT MET

${COSTS}
fp32   layer0.down, layer11.down`);
  });

  it('warns where INT8 is slower', () => {
    expect(quantizeTable(SLOWER)).toBe(`made-up-small: Passed: all 6 thresholds are met\n\n${HELD_OUT}\n\n${SETS}

size   127 MiB -> 32 MiB (25.56%)
speed  3,100 tokens/s -> 2,719 tokens/s: 0.88x (5 rounds: 0.87x to 0.89x)
       20 texts of 50 tokens, 1 thread
WARNING: INT8 is not faster on this machine: it runs at 0.88x the speed of full precision. It saves
         memory and disk here, not time.`);
  });

  it.each([
    [0.999, true],
    [1, false],
    [Number.NaN, true],
  ])('warns at a ratio of %d: %s', (ratio, warns) => {
    expect(quantizeTable({ ...PASSED, speed: { ...PASSED.speed, ratio } }).includes('WARNING')).toBe(warns);
  });

  it('takes a figure that is no number for one that is not met', () => {
    const report = withGate({ overlap: Number.NaN, failures: ['share of nearest neighbours kept NaN is below 0.9'], passed: false });
    expect(quantizeTable(report)).toContain('\nten nearest neighbours kept       NaN%       90%  NOT MET\n');
  });
});

describe('names of strangers', () => {
  const long: QuantizeReport = {
    ...withGate({
      evaluated: [{ set: `${'漢'.repeat(40)}.jsonl`, metric: 'ndcg@10', full: 0.5, quantized: 0.4, kept: 0.8 }],
      failures: [`share of ndcg@10 kept on ${'x'.repeat(250)} 0.80000 is below 0.99`],
      keptInFp32: Array.from({ length: 24 }, (_, layer) => `layer${layer}.down`),
      passed: false,
    }),
    name: 'n'.repeat(120),
  };

  it.each([
    ['hostile', HOSTILE],
    ['long', long],
    ['passed', PASSED],
    ['slower', SLOWER],
  ])('stay within 100 columns and move nothing (%s)', (_, report) => {
    const lines = quantizeTable(report).split('\n');
    expect(lines.filter((line) => [...line].length > 100)).toEqual([]);
    expect(lines.filter((line) => /[\u0000-\u001f\u007f-\u009f]/.test(line))).toEqual([]);
  });

  it('are cut where the figures would not fit beside them', () => {
    expect(quantizeTable(long)).toContain(`\n${'漢'.repeat(33)}…  ndcg@10  0.50000  0.40000  80.00%       99%  NOT MET\n`);
  });

  it('are broken over lines where a sentence needs them whole', () => {
    const text = quantizeTable(long).split('\n');
    expect(text.slice(0, 3)).toEqual([
      'n'.repeat(100),
      `${'n'.repeat(20)}: Not passed: 1 of 5 thresholds is not met`,
      '  - share of ndcg@10 kept on',
    ]);
    expect(text.slice(3, 6)).toEqual([`    ${'x'.repeat(96)}`, `    ${'x'.repeat(96)}`, `    ${'x'.repeat(58)} 0.80000 is below 0.99`]);
  });
});
