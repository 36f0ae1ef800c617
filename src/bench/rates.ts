// What a turn of the roof says at best. Pure.
import type { Kind } from './operations.js';
import type { RoofTurn } from './protocol.js';

/** Operations a second of the best plain product of a kind. */
export function bestRate({ products }: RoofTurn, kind: Kind): number {
  return products.reduce((best, one) => (one.kind === kind ? Math.max(best, one.rate) : best), 0);
}
