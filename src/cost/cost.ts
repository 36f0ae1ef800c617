// Inputs become costs: a month and a million tokens by API and on each machine, how many machines it takes, where the curves cross. Pure.
import { type BreakEven, breakEvenOf, machinesFor, type Staircase } from './break-even.js';
import { type CostInputs, checkInputs, HOURS_PER_MONTH, HOURS_PER_NIGHT_AND_DAY, type Machine } from './inputs.js';

export type Cheaper = 'api' | 'machine' | 'same';

export interface MachineCost {
  readonly name: string;
  readonly tokensPerSecond: number;
  /** Machines for the month's volume within the hours that there are, and for the peak where one is given. */
  readonly machines: number;
  readonly machinesForPeak: number | null;
  readonly machinesForVolume: number;
  /** Machine hours that are paid for in a month. */
  readonly hours: number;
  /** Share of the hours at hand in which the machines work. */
  readonly busy: number;
  /** Dollars. */
  readonly perMonth: number;
  readonly perMillionTokens: number;
  /** What a million tokens cost on a machine that never waits. */
  readonly perMillionAtFullUse: number;
  readonly breakEven: BreakEven | null;
  readonly cheaper: Cheaper;
  /** The staircase of machines kept up; null where only work is paid for. */
  readonly stairs: Staircase | null;
}

export interface CostReport {
  readonly inputs: CostInputs;
  readonly hoursPerMonth: number;
  readonly tokensPerMonth: number;
  /** Dollars. */
  readonly api: { readonly perMonth: number; readonly perMillionTokens: number };
  readonly machines: readonly MachineCost[];
}

/** @throws EmbedkitError `usage` for inputs that make no sense */
export function costOf(given: CostInputs): CostReport {
  const inputs = checkInputs(given);
  const tokensPerMonth = inputs.textsPerMonth * inputs.tokensPerText;
  const api = { perMonth: (tokensPerMonth / 1e6) * inputs.apiPricePerMillion, perMillionTokens: inputs.apiPricePerMillion };
  const machines = inputs.machines.map((machine) => machineCost(machine, inputs, tokensPerMonth, api.perMonth));
  return { inputs, hoursPerMonth: HOURS_PER_MONTH, tokensPerMonth, api, machines };
}

/** Dollars a month on machines at another volume: the curve of the plot. */
export function perMonthAt(cost: MachineCost, inputs: CostInputs, textsPerMonth: number): number {
  if (cost.stairs === null) return ((textsPerMonth * inputs.tokensPerText) / 1e6) * cost.perMillionAtFullUse;
  return machinesFor(cost.stairs, textsPerMonth) * cost.stairs.pricePerMachine;
}

function machineCost(machine: Machine, inputs: CostInputs, tokensPerMonth: number, apiPerMonth: number): MachineCost {
  const { textsPerMonth, tokensPerText, pricePerHour, apiPricePerMillion, instance, peakRate } = inputs;
  const tokensPerHour = machine.tokensPerSecond * inputs.utilization * 3600;
  const hoursAtHand = (HOURS_PER_MONTH * (inputs.windowHours ?? HOURS_PER_NIGHT_AND_DAY)) / HOURS_PER_NIGHT_AND_DAY;
  const machinesForPeak = peakRate === undefined ? null : Math.ceil((peakRate * tokensPerText * 3600) / tokensPerHour);
  const stairs: Staircase = {
    textsPerMachine: (tokensPerHour * hoursAtHand) / tokensPerText,
    pricePerMachine: pricePerHour * HOURS_PER_MONTH,
    leastMachines: machinesForPeak ?? 1,
  };
  const machines = machinesFor(stairs, textsPerMonth);
  const worked = tokensPerMonth / tokensPerHour;
  const hours = instance === 'up' ? machines * HOURS_PER_MONTH : worked;
  const perMonth = hours * pricePerHour;
  return {
    ...machine,
    machines,
    machinesForPeak,
    machinesForVolume: machinesFor({ ...stairs, leastMachines: 1 }, textsPerMonth),
    hours,
    busy: worked / (machines * hoursAtHand),
    perMonth,
    perMillionTokens: perMonth / (tokensPerMonth / 1e6),
    perMillionAtFullUse: (pricePerHour / tokensPerHour) * 1e6,
    breakEven: instance === 'up' ? (breakEvenOf(stairs, (tokensPerText / 1e6) * apiPricePerMillion) ?? null) : null,
    cheaper: cheaperOf(apiPerMonth, perMonth),
    stairs: instance === 'up' ? stairs : null,
  };
}

/** Sums that differ by rounding only are the same. */
function cheaperOf(api: number, machine: number): Cheaper {
  if (Math.abs(api - machine) <= 1e-9 * Math.max(api, machine)) return 'same';
  return api < machine ? 'api' : 'machine';
}
