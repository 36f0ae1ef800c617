// The rows of a cost table, for a terminal and for a page: words and figures out of data, a column the API and one a machine.
import { count, countOf } from '../format.js';
import type { CostReport, MachineCost } from './cost.js';
import { dollars, volume } from './words.js';

type Row = readonly [what: string, api: string, of: (cost: MachineCost) => string];

/** The heading first; each row is as long as it. */
export function costRows(report: CostReport): string[][] {
  const { machines } = report;
  const rows = [...moneyRows(report), ...machineRows(report)];
  return [['', 'API', ...machines.map(({ name }) => name)], ...rows.map(([what, api, of]) => [what, api, ...machines.map(of)])];
}

function moneyRows({ api, inputs, machines }: CostReport): Row[] {
  const turns = ({ breakEven, stairs }: MachineCost): string => {
    if (breakEven !== null) return `${volume(breakEven.textsPerMonth)} texts`;
    return stairs === null ? 'no crossing' : 'never';
  };
  const forGood: Row = ['  and for good from', '', ({ breakEven }) => (breakEven === null ? '' : `${volume(breakEven.forGood)} texts`)];
  return [
    ['cost a month', dollars(api.perMonth), ({ perMonth }) => dollars(perMonth)],
    ['cost of a million tokens', dollars(api.perMillionTokens), ({ perMillionTokens }) => dollars(perMillionTokens)],
    ['  on a machine in full use', '', ({ perMillionAtFullUse }) => dollars(perMillionAtFullUse)],
    [inputs.instance === 'up' ? 'cheaper than the API from, a month' : 'crossing of the curves', '', turns],
    ...(machines.every(({ breakEven }) => breakEven === null) ? [] : [forGood]),
  ];
}

function machineRows({ inputs }: CostReport): Row[] {
  const { peakRate, windowHours, instance } = inputs;
  const peak: Row = [`  for ${peakRate} texts/s at the peak`, '', ({ machinesForPeak }) => count(machinesForPeak ?? 0)];
  const within = windowHours === undefined ? '' : ` in ${windowHours} h a night`;
  return [
    ['machines', '', ({ machines }) => count(machines)],
    ...(peakRate === undefined ? [] : [peak]),
    [`  for the month's volume${within}`, '', ({ machinesForVolume }) => count(machinesForVolume)],
    ['machine hours paid a month', '', ({ hours }) => (hours < 10 ? hours.toFixed(2) : count(hours))],
    [
      instance === 'up' ? 'share of them at work' : 'busy share of the hours at hand',
      '',
      ({ busy }) => `${(busy * 100).toFixed(busy < 0.1 ? 2 : 0)}%`,
    ],
    ['tokens/s of a machine', '', ({ tokensPerSecond }) => count(tokensPerSecond)],
  ];
}

/** What was asked, in a line. */
export function askedLine({ inputs, tokensPerMonth }: CostReport): string {
  const { textsPerMonth, tokensPerText, pricePerHour, apiPricePerMillion, instance, utilization } = inputs;
  const used = utilization === 1 ? '' : `, ${(utilization * 100).toFixed(0)}% of the speed counted on`;
  const kept = instance === 'up' ? 'kept up' : 'only while the job runs';
  return `${countOf(textsPerMonth, 'text')} a month of ${countOf(tokensPerText, 'token')} (${count(tokensPerMonth / 1e6)}M tokens): API at ${dollars(
    apiPricePerMillion,
  )} a million tokens, machines at ${dollars(pricePerHour)} an hour, ${kept}${used}`;
}
