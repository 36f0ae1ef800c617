// Where two cost curves cross: a line through the origin (the API) and a staircase (machines kept up). Arithmetic only.

export interface Staircase {
  /** Texts a month that one machine can do. */
  readonly textsPerMachine: number;
  /** Dollars a month for one machine. */
  readonly pricePerMachine: number;
  /** Machines that are there at any volume. */
  readonly leastMachines: number;
}

export interface BreakEven {
  /** Texts a month from which machines are first no dearer than the API. */
  readonly textsPerMonth: number;
  /** From here on that stays so; more than `textsPerMonth` where further machines make them dearer again for a while. */
  readonly forGood: number;
}

export function machinesFor({ textsPerMachine, leastMachines }: Staircase, textsPerMonth: number): number {
  return Math.max(leastMachines, Math.ceil(textsPerMonth / textsPerMachine));
}

/**
 * Machine number n is paid for whole from the first text that it does, so n machines cost what the API costs at n times x, where x is the
 * volume at which the API costs as much as one machine; they can do n times c. They win on their step only if x < c.
 * @param apiPricePerText dollars
 * @returns undefined where even machines in full use are no cheaper than the API
 */
export function breakEvenOf(stairs: Staircase, apiPricePerText: number): BreakEven | undefined {
  const x = stairs.pricePerMachine / apiPricePerText;
  const c = stairs.textsPerMachine;
  if (x >= c) return undefined;
  const least = stairs.leastMachines;
  // Step n is entered at (n - 1) c and pays from n x on: it has a stretch that loses as long as n x > (n - 1) c.
  const lastLosing = Math.ceil(c / (c - x)) - 1;
  return { textsPerMonth: least * x, forGood: Math.max(least, lastLosing) * x };
}
