// Whether something disturbed a run: each finding is a phrase of a sentence. Pure.
import type { Load, Machine } from './machine.js';
import { median, relativeWidth, type Spread } from './statistics.js';

export interface Disturbance {
  readonly machine: Machine;
  readonly before: Load;
  readonly after: Load;
  /** CPU time of the benchmark's own processes between the two. */
  readonly own_seconds: number;
  /** Best plain rate of each round. */
  readonly roofs: readonly number[];
  /** Figure that the table rests on -> its spread. */
  readonly figures: Readonly<Record<string, Spread>>;
}

/** From here on something is said. */
const NOTICED = { stolen: 0.01, others: 0.05, load: 0.5, roof: 0.1, width: 0.05 };

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;

/** Nothing where the run was quiet and its figures are known well enough. */
export function findNoise(run: Disturbance): string[] {
  return [...elsewhere(run), ...within(run)];
}

/** What others did meanwhile. */
function elsewhere({ machine, before, after, own_seconds }: Disturbance): string[] {
  const wall = (Date.parse(after.date) - Date.parse(before.date)) / 1000;
  const all = Math.max(wall, 1e-3) * machine.cpus;
  const stolen = (after.stolen_seconds - before.stolen_seconds) / all;
  const others = (after.busy_seconds - before.busy_seconds - own_seconds) / all;
  const found: string[] = [];
  if (before.load_average > NOTICED.load) {
    found.push(`the machine was busy before it began (load average ${before.load_average.toFixed(1)})`);
  }
  if (others > NOTICED.others) found.push(`other processes used ${percent(others)} of its CPUs`);
  if (stolen > NOTICED.stolen) found.push(`the host gave ${percent(stolen)} of its time to others`);
  return found;
}

/** What the figures themselves show. */
function within({ roofs, figures }: Disturbance): string[] {
  const found: string[] = [];
  if (roofs.length > 1) {
    const swing = (Math.max(...roofs) - Math.min(...roofs)) / median(roofs);
    if (swing > NOTICED.roof) found.push(`the roof itself swung by ${percent(swing)} between rounds`);
  }
  const wide = Object.entries(figures)
    .map(([name, spread]) => ({ name, spread, width: relativeWidth(spread) }))
    .filter(({ width }) => width > NOTICED.width)
    .sort((a, b) => b.width - a.width)[0];
  if (wide === undefined) return found;
  const { name, spread, width } = wide;
  const few = `${spread.samples} ${spread.samples === 1 ? 'round is' : 'rounds are'} too few for an interval`;
  return [...found, Number.isFinite(width) ? `${name} is known to ±${percent(width)} only` : few];
}
