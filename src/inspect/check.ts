// A check of a verification: what was claimed, how many rows were held against it, and the first few that differ.

export interface Difference {
  /** Row of the output, from 0. */
  readonly row: number;
  readonly id: string;
  /** What was found there. */
  readonly found: string;
}

export interface Check {
  readonly name: string;
  /** What holds where nothing differs. */
  readonly claim: string;
  /** What the numbers count. */
  readonly unit: 'rows' | 'facts';
  checked: number;
  differ: number;
  readonly first: Difference[];
  /** What went wrong where it is no row: a fact of the file. */
  readonly faults: string[];
}

const FIRST_DIFFERENCES = 5;

export function rowCheck(name: string, claim: string): Check {
  return { name, claim, unit: 'rows', checked: 0, differ: 0, first: [], faults: [] };
}

/** Counts a row as checked; as one that differs where something was `found`. */
export function checkRow(check: Check, row: number, id: string, found: string | undefined): void {
  check.checked++;
  if (found === undefined) return;
  check.differ++;
  if (check.first.length < FIRST_DIFFERENCES) check.first.push({ row, id, found });
}

/** A check of facts: each name with what is wrong about it, undefined where nothing is. */
export function factCheck(name: string, claim: string, facts: readonly (string | undefined)[]): Check {
  const faults = facts.filter((fault) => fault !== undefined);
  return { name, claim, unit: 'facts', checked: facts.length, differ: faults.length, first: [], faults };
}
