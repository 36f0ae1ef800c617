// The texts of a load: several mixes of lengths, each of 50 tokens on average for the model that comes with embedkit. Pure.
import { randomFrom } from './random.js';

/** Tokens of a text, special ones included -> how many of the mix's texts have that length. */
export const MIXES = {
  fixed: { 50: 1 },
  /** Every length from 10 to 90 alike. */
  even: Object.fromEntries(Array.from({ length: 81 }, (_, at) => [10 + at, 1])),
  /** Most are short, a few fill the model's window: 100 texts of 5,000 tokens. */
  tail: { 8: 23, 16: 29, 32: 20, 64: 14, 128: 8, 256: 5, 512: 1 },
} as const satisfies Record<string, Readonly<Record<number, number>>>;

export type MixName = keyof typeof MIXES;

/** [CLS] and [SEP]. */
const SPECIAL_TOKENS = 2;

/** One token each in the vocabulary of BERT. */
const WORDS =
  'time year people way day man thing woman life child world school state family student group country problem hand part place case week company system program question work government number night point home water room mother area money story fact month lot right study book eye job word business issue side kind head house service friend father power hour game line end member law car city community name'.split(
    ' ',
  );

/** `count` different texts whose lengths are those of the mix in equal shares, shuffled; the same for the same seed. */
export function textsOf(mix: MixName, count: number, seed: number): string[] {
  const random = randomFrom(seed);
  const lengths = shuffled(lengthsOf(mix, count), random);
  return lengths.map((tokens) =>
    Array.from({ length: tokens - SPECIAL_TOKENS }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' '),
  );
}

/** The k-th of `count` texts stands at the same place of one sorted round of the mix: the mean stays that of the mix. */
export function lengthsOf(mix: MixName, count: number): number[] {
  const round = Object.entries<number>(MIXES[mix]).flatMap(([tokens, share]) => Array<number>(share).fill(Number(tokens)));
  return Array.from({ length: count }, (_, at) => round[Math.floor(((at + 0.5) * round.length) / count)] as number);
}

function shuffled<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}
