// A sample of a corpus that covers all its lengths and its whole course, in bounded memory. Pure and deterministic; reads nothing.

export interface Pick {
  /** As added, or its first `longest` characters. */
  readonly text: string;
  /** As given to `add`: where it first stood among what was kept. */
  readonly position: number;
}

export interface StrataLimits {
  /** Most texts that a stratum keeps. */
  readonly texts: number;
  /** Most characters (UTF-16 units) that a stratum keeps, unless a single text is longer. */
  readonly characters: number;
  /** Characters of a text that count; what comes after them is cut off. */
  readonly longest: number;
}

export interface Strata {
  /** Takes a text that is not empty. */
  add(text: string, position: number): void;
  /** Texts kept now, over all strata. */
  readonly kept: number;
  /** At most `count` different texts, a list a stratum, shortest first; each list in the order of adding. */
  pick(count: number): Pick[][];
}

/** The texts of one range of lengths, from a power of two to the next. */
interface Stratum {
  /** Texts that came by. */
  seen: number;
  /** Of these, the ones that were not kept already. */
  distinct: number;
  /** Every how many of `distinct` one is kept; doubles when there is no room left. */
  stride: number;
  kept: Map<string, number>;
  characters: number;
}

/** Strata by powers of two of the length in characters. */
export function createStrata(limits: StrataLimits): Strata {
  const byLength: (Stratum | undefined)[] = [];
  const strata = (): Stratum[] => byLength.filter((stratum) => stratum !== undefined);
  return {
    add(text, position) {
      const start = startOf(text, limits.longest);
      const index = 31 - Math.clz32(start.length);
      byLength[index] ??= { seen: 0, distinct: 0, stride: 1, kept: new Map(), characters: 0 };
      addTo(byLength[index], start, position, limits);
    },
    get kept() {
      return sum(strata().map(({ kept }) => kept.size));
    },
    pick(count) {
      const shares = sharesOf(strata(), count);
      return strata().map(({ kept }, index) => evenlySpaced(picksOf(kept), shares[index] ?? 0));
    },
  };
}

function addTo(stratum: Stratum, text: string, position: number, limits: StrataLimits): void {
  stratum.seen++;
  if (stratum.kept.has(text) || stratum.distinct++ % stratum.stride !== 0) return;
  // A copy: a part of a text would keep the whole of it in memory.
  stratum.kept.set(text.length < limits.longest - 1 ? text : Buffer.from(text, 'utf16le').toString('utf16le'), position);
  stratum.characters += text.length;
  while (stratum.kept.size > limits.texts || (stratum.characters > limits.characters && stratum.kept.size > 1)) thin(stratum);
}

function thin(stratum: Stratum): void {
  stratum.kept = new Map([...stratum.kept].filter((_, index) => index % 2 === 0));
  stratum.characters = sum([...stratum.kept.keys()].map((text) => text.length));
  stratum.stride *= 2;
}

function picksOf(kept: ReadonlyMap<string, number>): Pick[] {
  return [...kept].map(([text, position]) => ({ text, position }));
}

/** The first characters of a text, without half a surrogate pair at the end. */
function startOf(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const last = text.charCodeAt(longest - 1);
  const isHighSurrogate = last >= 0xd800 && last <= 0xdbff;
  return text.slice(0, isHighSurrogate && longest > 1 ? longest - 1 : longest);
}

/**
 * How many texts each stratum gives: half of `count` in equal parts, half by how many texts came by; what one cannot give, the
 * others take. The shares add up to `count`, or to all that was kept where that is less.
 */
export function sharesOf(strata: readonly { readonly seen: number; readonly kept: { readonly size: number } }[], count: number): number[] {
  const seen = sum(strata.map((stratum) => stratum.seen));
  const weights = strata.map((stratum) => 0.5 / strata.length + (0.5 * stratum.seen) / seen);
  const rooms = strata.map(({ kept }) => kept.size);
  return toWhole(fill(weights, rooms, Math.min(count, sum(rooms))));
}

/** Parts of `total` in proportion to the weights, none larger than its room. */
function fill(weights: readonly number[], rooms: readonly number[], total: number): number[] {
  const parts = [...rooms];
  let open = [...rooms.keys()];
  let rest = total;
  for (;;) {
    const unit = rest / sum(open.map((index) => weights[index] ?? 0));
    const isFull = (index: number): boolean => unit * (weights[index] ?? 0) >= (rooms[index] ?? 0);
    const full = open.filter(isFull);
    if (full.length === 0) {
      for (const index of open) parts[index] = unit * (weights[index] ?? 0);
      return parts;
    }
    rest -= sum(full.map((index) => rooms[index] ?? 0));
    open = open.filter((index) => !isFull(index));
  }
}

/** Whole numbers of the same sum, each a part rounded down or up: the largest remainders go up, the first of equal ones. */
function toWhole(parts: readonly number[]): number[] {
  const whole = parts.map((part) => Math.floor(part + 1e-9));
  const missing = Math.round(sum(parts)) - sum(whole);
  const remainder = (index: number): number => (parts[index] ?? 0) - (whole[index] ?? 0);
  const byRemainder = [...whole.keys()].sort((a, b) => remainder(b) - remainder(a) || a - b);
  for (const index of byRemainder.slice(0, missing)) whole[index] = (whole[index] ?? 0) + 1;
  return whole;
}

function evenlySpaced<T>(items: readonly T[], count: number): T[] {
  return Array.from({ length: count }, (_, index) => items[Math.floor(((index + 0.5) * items.length) / count)] as T);
}

/** Splits picks so that every 1/share-th goes to the second part; counted on through the strata, so that small ones take turns. */
export function splitHeldOut<T>(strata: readonly (readonly T[])[], share: number): { observed: T[]; heldOut: T[] } {
  const all = strata.flat();
  const isHeldOut = (index: number): boolean => Math.floor((index + 1) * share) > Math.floor(index * share);
  return { observed: all.filter((_, index) => !isHeldOut(index)), heldOut: all.filter((_, index) => isHeldOut(index)) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
