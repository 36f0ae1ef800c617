// The gate's terms: what is one, what it needs, and what fails it.
import { describe, expect, it } from 'vitest';
import { failuresOf } from '#src/evaluate/gate.js';
import { type GateTerm, needsAgainst, parseGate } from '#src/evaluate/gate-terms.js';
import type { AgreementRow, ScoreRow } from '#src/evaluate/report.js';

const terms = (text: string): readonly GateTerm[] => {
  const parsed = parseGate(text);
  if ('wrong' in parsed) throw new Error(parsed.wrong);
  return parsed;
};

const SCORES: ScoreRow[] = [
  { set: 'a', task: 'sts', metric: 'sts', count: 9, value: 0.8, against: 0.801, change: 0.8 / 0.801 - 1 },
  { set: 'b', task: 'sts', metric: 'sts', count: 9, value: 0.5, against: 0, change: Number.NaN },
  { set: 'c', task: 'retrieval', metric: 'ndcg', count: 3, value: 0.7 },
];
const AGREEMENT: AgreementRow[] = [{ set: 't', task: 'texts', measure: 'overlap', value: 0.95, count: 50 }];

describe('parseGate', () => {
  it('takes changes, scores and agreements, with spaces, commas and signs', () => {
    expect(terms('sts >= -0.2%,ndcg>=.7  overlap>=90% cosine>=0.998 mrr>=+1%').map(({ name, of, least }) => [name, of, least])).toEqual([
      ['sts', 'change', -0.002],
      ['ndcg', 'value', 0.7],
      ['overlap', 'value', 0.9],
      ['cosine', 'value', 0.998],
      ['mrr', 'change', 0.01],
    ]);
  });

  it.each([
    '',
    'sts',
    'sts>0.1',
    'sts>=x',
    'sts>=',
    'speed>=1',
    'sts<=0',
    'constructor>=1',
    'ndcg>=1e5',
    'sts>=1%%',
    'sts>=-0.2',
    'ndcg>=0',
    'overlap>=-1%',
  ])('refuses %j', (text) => {
    expect(parseGate(text)).toHaveProperty('wrong');
  });

  it('knows which terms need a second model', () => {
    expect(terms('sts>=-0.2% sts>=0.8 overlap>=0.9').map(needsAgainst)).toEqual([true, false, true]);
  });
});

describe('failuresOf', () => {
  const failures = (text: string): string[] => failuresOf(terms(text), SCORES, AGREEMENT);

  it('names set, figure and term, of every set that falls below', () => {
    expect(failures('sts>=-0.1%')).toEqual([
      'sts on a: -0.125%, and sts>=-0.1% was asked for',
      'sts on b: no number, and sts>=-0.1% was asked for',
    ]);
    expect(failures('sts>=0.6 ndcg>=0.71 overlap>=96%')).toEqual([
      'sts on b: 0.50000, and sts>=0.6 was asked for',
      'ndcg on c: 0.70000, and ndcg>=0.71 was asked for',
      'overlap on t: 0.95000, and overlap>=96% was asked for',
    ]);
  });

  it('lets pass what is at the limit', () => {
    expect(failures('ndcg>=0.7 overlap>=95% sts>=0.5')).toEqual([]);
  });
});
