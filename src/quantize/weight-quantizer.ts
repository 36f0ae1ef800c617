// The passes over the weights of one site, in their order: scales of the columns first, then rounding with compensation.
import type { MatMul, Weights } from './choose.js';
import { compensateRounding, factorGram } from './compensate.js';
import { meanSquares, type Observation } from './observation.js';
import { type IntegerWeights, quantizeWeights, type WeightRange } from './weights.js';

/**
 * What quantizes every matrix that reads one input.
 * @param read the input as the products read it, pre-scaling divided out
 * @param scale step of its integers
 */
export async function weightQuantizer(
  read: Observation,
  scale: number,
  { range, matmul }: { readonly range: WeightRange; readonly matmul: MatMul },
): Promise<(weights: Weights) => Promise<IntegerWeights>> {
  const squares = meanSquares(read);
  const factor = await factorGram(read, scale, matmul);
  return async (weights) => compensateRounding(weights, quantizeWeights(weights, range, squares), factor, range, matmul);
}
