/**
 * Batched pattern search: a low-discrepancy sample of the box, then from the best points steps of all sizes along every
 * axis and in random directions. Needs values only.
 */
import { sampleBox } from "./box_sample.ts";

/** A box, and what is known of the points in it. */
export interface SearchBox<P extends { readonly x: Float64Array }> {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  random(): number;
  stopped(): boolean;
  /** The points with their values, best first; those that cannot be evaluated are left out. */
  rank(points: readonly Float64Array[]): P[];
}

const ELITES = 4;
const ROUNDS = 60;

/** @param seeds Points to begin with, besides the sample. @returns Where the searches from the best points ended, at least one a try. */
export function patternSearch<P extends { readonly x: Float64Array }>(
  box: SearchBox<P>,
  seeds: readonly Float64Array[],
): P[] {
  const { lo, hi, random } = box;
  const n = lo.length;
  const points = sampleBox(lo, hi, 128 * Math.min(n, 8), n <= 6 ? 2 ** n : 0, () => random());
  const ends: P[] = [];
  for (const elite of box.rank([...seeds, ...points]).slice(0, ELITES)) {
    let at = elite;
    let failures = 0;
    for (let round = 0; round < ROUNDS && failures < 2 && !box.stopped(); round++) {
      const [next] = box.rank([at.x, ...steps(lo, hi, at.x, () => random())]);
      if (next === undefined) break;
      failures = next.x === at.x ? failures + 1 : 0;
      at = next;
    }
    ends.push(at);
    if (box.stopped()) break;
  }
  return ends;
}

/** Steps of 2^0 … 2^−24 of the range along each axis, both ways, and 8 random directions at every third size. */
function steps(
  lo: Float64Array,
  hi: Float64Array,
  x: Float64Array,
  random: () => number,
): Float64Array[] {
  const points: Float64Array[] = [];
  const moved = (step: (i: number) => number) =>
    x.map((value, i) => Math.min(hi[i], Math.max(lo[i], value + step(i) * (hi[i] - lo[i]))));
  for (let size = 1, k = 0; k <= 24; size /= 2, k++) {
    for (let axis = 0; axis < x.length; axis++) {
      points.push(moved((i) => (i === axis ? size : 0)), moved((i) => (i === axis ? -size : 0)));
    }
    if (k % 3 !== 0 || x.length < 2) continue;
    for (let direction = 0; direction < 8; direction++) points.push(moved(() => size * (2 * random() - 1)));
  }
  return points;
}
