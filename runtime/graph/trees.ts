/// <reference types="../solver/core/portable.d.ts" />
/**
 * The values of a forest. Its numbers stand in the tape's data as forest.ts writes them; its integers are those of the
 * comparisons (32 or 64 bits), the aggregate, outputs, trees and records, then the first record of each tree, then two a
 * record: mode + 8·element, and where the no side begins.
 */
export const FOREST_HEADER = 5;
export const TREES_HEADER = 5;
/** Modes: x ≤ threshold, x = threshold, a leaf's last weight, a weight that another one follows; and a flag: NaN is a yes. */
export const LE = 0;
export const EQ = 1;
export const LEAF = 2;
export const MORE = 3;
export const MISSING = 4;
export const SUMS = 0;
export const AVERAGE = 1;
export const LEAST = 2;

/**
 * @param ints Integers of the forest from `start`. @param data Its numbers from `offset`.
 * @param v Holds the vector at `a`; the values are written at `out`.
 */
export function applyTrees(
  ints: Int32Array,
  start: i32,
  data: Float64Array,
  offset: i32,
  v: Float64Array,
  a: i32,
  out: i32,
): void {
  const single = ints[start] === 32;
  const aggregate = ints[start + 1];
  const outputs = ints[start + 2];
  const count = ints[start + 3];
  const records = start + TREES_HEADER + count;
  const base = offset + FOREST_HEADER;
  const values = base + outputs;
  let first: f64 = 0;
  if (aggregate > AVERAGE) first = aggregate === LEAST ? Infinity : -Infinity;
  for (let k: i32 = 0; k < outputs; k++) v[out + k] = first;
  for (let tree: i32 = 0; tree < count; tree++) {
    let at = ints[start + TREES_HEADER + tree];
    let word = ints[records + 2 * at];
    while ((word & LEAF) === 0) {
      let x = v[a + (word >> 3)];
      if (single) x = Math.fround(x);
      const threshold = data[values + 2 * at];
      let yes = (word & EQ) !== 0 ? x === threshold : x <= threshold;
      if ((word & MISSING) !== 0 && x !== x) yes = true;
      at = yes ? at + 1 : ints[records + 2 * at + 1];
      word = ints[records + 2 * at];
    }
    for (;;) {
      const slot = out + (word >> 3);
      const weight = data[values + 2 * at];
      if (aggregate <= AVERAGE) v[slot] += weight;
      else if (aggregate === LEAST ? weight < v[slot] : weight > v[slot]) v[slot] = weight;
      if ((word & 7) === LEAF) break;
      at++;
      word = ints[records + 2 * at];
    }
  }
  let trees: f64 = 1;
  if (aggregate === AVERAGE) trees = count;
  for (let k: i32 = 0; k < outputs; k++) v[out + k] = v[out + k] / trees + data[base + k];
}
