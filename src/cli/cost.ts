// `embedkit cost`: reads the arguments, computes, prints the table or one JSON object, writes the page.
import { stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { readBenchSpeeds } from '../cost/bench-speeds.js';
import { type CostReport, costOf } from '../cost/cost.js';
import type { CostInputs } from '../cost/inputs.js';
import { askedLine, costRows } from '../cost/table.js';
import { notesOf, UNNAMED, verdictOf } from '../cost/words.js';
import { EmbedkitError, wrapError } from '../errors.js';
import { printable } from '../format.js';
import { aligned } from './aligned.js';
import type { CostArguments } from './cost-flags.js';
import { asksForJson } from './inspect.js';

/** Runs `cost`; throws EmbedkitError. */
export async function cost(given: CostArguments): Promise<void> {
  const report = costOf(await inputsOf(given));
  if (given.html !== undefined) await writePage(given.html, report);
  process.stdout.write(`${asksForJson(given) ? JSON.stringify(withVerdicts(report)) : costText(report)}\n`);
}

export function costText(report: CostReport): string {
  return [
    ...report.machines.map((machine) => verdictOf(machine, report)),
    '',
    askedLine(report),
    '',
    // An empty last column: only words stand to the left.
    ...aligned(
      costRows(report).map((row) => [...row, '']),
      1,
    ),
    '',
    ...notesOf(report),
  ]
    .map(printable)
    .join('\n');
}

function withVerdicts(report: CostReport): object {
  const machines = report.machines.map((machine) => ({ ...machine, verdict: verdictOf(machine, report) }));
  return { ...report, machines, notes: notesOf(report) };
}

const REQUIRED = ['textsPerMonth', 'tokensPerText', 'pricePerHour', 'apiPricePerMillion', 'priceDate'] as const;

async function inputsOf(given: CostArguments): Promise<CostInputs> {
  const missing = REQUIRED.filter((name) => given[name] === undefined).map((name) =>
    name.replace(/[A-Z]/g, (char) => `-${char.toLowerCase()}`),
  );
  if (missing.length > 0) {
    throw new EmbedkitError('usage', `a cost needs ${missing.map((name) => `--${name}`).join(', ')} too`, {
      hint: 'no price or volume is built in: look yours up and name the day with --price-date',
    });
  }
  const { textsPerMonth, tokensPerText, pricePerHour, apiPricePerMillion, priceDate } = given as Required<CostArguments>;
  const { instance = 'up', peakRate, windowHours, utilization = 1 } = given;
  const speeds = await speedsOf(given);
  return {
    ...speeds,
    textsPerMonth,
    tokensPerText,
    pricePerHour,
    apiPricePerMillion,
    priceDate,
    instance,
    peakRate,
    windowHours,
    utilization,
  };
}

async function speedsOf({ bench, rate }: CostArguments): Promise<Pick<CostInputs, 'machines' | 'source'>> {
  if ((bench === undefined) === (rate === undefined)) {
    throw new EmbedkitError('usage', bench === undefined ? 'no speed given' : '--bench and --rate are both given', {
      hint: 'name the JSON of embedkit bench with --bench, or tokens per second with --rate',
    });
  }
  if (bench !== undefined) return readBenchSpeeds(bench);
  return { machines: [{ name: UNNAMED, tokensPerSecond: rate as number }], source: 'as given with --rate, not measured here' };
}

async function writePage(path: string, report: CostReport): Promise<void> {
  const hint = 'name another place with --html';
  if (!(await stat(dirname(resolve(path))).catch(() => undefined))?.isDirectory())
    throw new EmbedkitError('output-unwritable', `--html ${path}: there is no folder ${dirname(path)}`, { hint });
  const { costHtml } = await import('../cost/page.js');
  try {
    await writeFile(path, await costHtml(report));
  } catch (error) {
    throw wrapError(error, 'output-unwritable', `--html ${path} cannot be written`, hint);
  }
}
