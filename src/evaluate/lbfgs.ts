// The least value of a smooth convex function: limited-memory BFGS, the same steps every time. Pure loops over typed arrays.
//
// After Nocedal and Wright, Numerical Optimization, 2nd edition, algorithms 7.4 and 7.5, with a backtracking line search.

/** The value at `point`; writes the slope there into `gradient`. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

export interface Stop {
  /** Largest slope in any direction at which it is done. */
  readonly gradient: number;
  readonly iterations: number;
}

/** Steps remembered: what scikit-learn's solver keeps. */
const MEMORY = 10;
/** Share of the promised descent that a step must bring. */
const DESCENT = 1e-4;
const MOST_HALVINGS = 40;
/** Share of the value below which a gain is rounding. */
const ROUNDING = 1e-16;

interface Step {
  /** How far the point went, how much the slope changed, and 1 / their product. */
  readonly moved: Float64Array;
  readonly bent: Float64Array;
  readonly inverse: number;
}

/** The point of least value, from the origin. */
export function minimise(size: number, objective: Objective, stop: Stop): Float64Array {
  let point = new Float64Array(size);
  let slope = new Float64Array(size);
  let value = objective(point, slope);
  const steps: Step[] = [];
  for (let iteration = 0; iteration < stop.iterations && largest(slope) > stop.gradient; iteration++) {
    const direction = descent(slope, steps);
    const first = steps.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(slope, slope))) : 1;
    const found = search(objective, { point, slope, value }, direction, first);
    if (found === undefined) break;
    const gained = value - found.value;
    remember(steps, difference(found.point, point), difference(found.slope, slope));
    ({ point, slope, value } = found);
    if (gained <= ROUNDING * Math.max(1, Math.abs(value))) break;
  }
  return point;
}

interface Place {
  readonly point: Float64Array<ArrayBuffer>;
  readonly slope: Float64Array<ArrayBuffer>;
  readonly value: number;
}

/** Halves the step until it brings enough; undefined where rounding leaves nothing to gain. */
function search(objective: Objective, from: Place, direction: Float64Array, first: number): Place | undefined {
  const promised = dot(from.slope, direction);
  const slope = new Float64Array(from.slope.length);
  for (let halving = 0, step = first; halving < MOST_HALVINGS; halving++, step /= 2) {
    const point = from.point.map((value, at) => value + step * (direction[at] as number));
    const value = objective(point, slope);
    if (value <= from.value + DESCENT * step * promised) return { point, slope, value };
  }
  return undefined;
}

/** The slope, turned and scaled by what the last steps told of the curvature (the two-loop recursion), downhill. */
function descent(slope: Float64Array, steps: readonly Step[]): Float64Array {
  const direction = slope.map((value) => -value);
  const shares = new Float64Array(steps.length);
  for (let at = steps.length - 1; at >= 0; at--) {
    const { moved, bent, inverse } = steps[at] as Step;
    shares[at] = inverse * dot(moved, direction);
    add(direction, bent, -(shares[at] as number));
  }
  const last = steps.at(-1);
  if (last !== undefined) scale(direction, 1 / (last.inverse * dot(last.bent, last.bent)));
  for (const [at, { moved, bent, inverse }] of steps.entries()) {
    add(direction, moved, (shares[at] as number) - inverse * dot(bent, direction));
  }
  return direction;
}

/** A step along which the slope did not rise says nothing of the curvature. */
function remember(steps: Step[], moved: Float64Array, bent: Float64Array): void {
  const product = dot(moved, bent);
  if (!(product > 0)) return;
  steps.push({ moved, bent, inverse: 1 / product });
  if (steps.length > MEMORY) steps.shift();
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] as number) * (b[at] as number);
  return sum;
}

function add(to: Float64Array, values: Float64Array, times: number): void {
  for (let at = 0; at < to.length; at++) to[at] = (to[at] as number) + times * (values[at] as number);
}

function scale(values: Float64Array, times: number): void {
  for (let at = 0; at < values.length; at++) values[at] = (values[at] as number) * times;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, at) => value - (b[at] as number));
}

function largest(values: Float64Array): number {
  return values.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
}
