/**
 * Puts a point exactly on the corners and limits that a barrier method keeps a small distance from: the steps of least
 * length onto the rows that are all but active (Gauss-Newton, by orthogonal rows).
 */
import type { LiftedProblem } from "./lifted.ts";

/** A row that is to have a value. */
interface LandingRow {
  readonly row: number;
  readonly target: number;
}

/** How far a variable t moves as if it were no distance. */
const FREE = 1e3;
/** The last step begins at a miss of 1e-9 or less, and leaves its square. */
const STEPS = 4;

/** Where a barrier solve ended: x and the multipliers as the solver gives them. */
export interface Ended {
  /** (z, t). */
  readonly x: Float64Array;
  readonly mult_x_L: Float64Array;
  readonly mult_x_U: Float64Array;
  readonly mult_g: Float64Array;
  /** Length `size`: 1 where z must stay. The part of t is overwritten. */
  readonly fixed: Uint8Array;
  /** Multiplier from which on a row or a bound of t counts as active. */
  readonly price: number;
}

/** Largest distance of a row that counts as near, in units of z. */
const NEAR = 1e-3;
/** Distances by which a point stays inside a row whose other side is a jump: rounding may not carry it over. */
const MARGINS = [0, 1e-12, 1e-9, 1e-7];
/** The least of them for a row of several variables, in units of z: whoever computes it elsewhere rounds otherwise. */
const CLEAR = 1e-9;
/** By which a point stays inside a limit that its rounding would break, relative. */
const ROUNDING = 1e-14;
const JUMPS: readonly string[] = ["lt", "le", "eq"];

/** Points on all the rows that the end is near and that have a price, most exact first; then on all that it is near. */
export function* landings(lifted: LiftedProblem, ended: Ended): Generator<Float64Array> {
  const { fixed } = ended;
  const near = nearRows(lifted, ended);
  let tried = 0;
  for (const price of [ended.price, 0]) {
    const v = ended.x.slice();
    const rows = near.filter((row) => row.price > price);
    const count = rows.length + holdAuxiliaries(lifted, { ...ended, price }, v);
    if (count === tried) continue;
    tried = count;
    const jumps = rows.some(({ row }) => lifted.rows[row].branch >= 0);
    for (const margin of jumps ? MARGINS : [0, ROUNDING]) {
      const targets = rows.map(({ row, bound, clear, inward }) => ({
        row,
        target: lifted.rows[row].branch < 0
          ? bound + inward * Math.min(margin, ROUNDING) * Math.max(1, Math.abs(bound))
          : bound - Math.max(margin, clear),
      }));
      const at = landOn(lifted, v, fixed, targets);
      if (at === undefined) break;
      yield at;
    }
  }
}

/** Fixes the variables t that do not matter, and on their bounds those that belong there; gives the number of these. */
function holdAuxiliaries(lifted: LiftedProblem, ended: Ended, v: Float64Array): number {
  const { mult_x_L, mult_x_U, fixed, price } = ended;
  let held = 0;
  lifted.auxiliaries.forEach(({ lower, upper }, k) => {
    const i = lifted.variables + k;
    const atLower = mult_x_L[i] > price && v[i] - lower <= NEAR;
    const atUpper = mult_x_U[i] > price && upper - v[i] <= NEAR;
    const matters = lifted.matters(k);
    fixed[i] = !matters || atLower || atUpper ? 1 : 0;
    if (!matters || !atLower && !atUpper) return;
    v[i] = atLower ? lower : upper;
    held++;
  });
  return held;
}

interface NearRow {
  readonly row: number;
  readonly bound: number;
  readonly price: number;
  /** The margin that it needs, where its other side is a jump. */
  readonly clear: number;
  /** Where the inner side is: 1 above the bound, −1 below; 0 where there is none. */
  readonly inward: number;
}

function nearRows(lifted: LiftedProblem, { x: v, mult_g, fixed }: Ended): NearRow[] {
  const { tape, rows, branches, size } = lifted;
  const values = new Float64Array(1 + rows.length);
  const jacobian = new Float64Array(rows.length * size);
  tape.value(v, values);
  tape.jacobian(v, 1, rows.length, jacobian);
  return rows.flatMap(({ lower, upper, branch }, row) => {
    const slopes = jacobian.subarray(row * size, (row + 1) * size);
    const slope = Math.hypot(...slopes);
    const shared = slopes.filter((each, i) => each !== 0 && !fixed[i]).length > 1;
    const clear = shared && JUMPS.includes(branches[branch]?.kind) ? CLEAR * slope : 0;
    const value = values[1 + row];
    const bound = upper - value <= value - lower ? upper : lower;
    const inward = lower === upper ? 0 : bound === lower ? 1 : -1;
    return Math.abs(value - bound) <= NEAR * slope
      ? [{ row, bound, price: Math.abs(mult_g[row]), clear, inward }]
      : [];
  });
}

/**
 * @param v Length `size`; not changed. @param fixed 1 where a variable must stay.
 * @returns The point where the rows have their targets as far as they can; undefined where it cannot be computed.
 */
function landOn(
  lifted: LiftedProblem,
  v: Float64Array,
  fixed: ArrayLike<number>,
  rows: readonly LandingRow[],
): Float64Array | undefined {
  const { tape, size, variables } = lifted;
  const at = v.slice();
  const values = new Float64Array(1 + lifted.rows.length);
  const jacobian = new Float64Array(lifted.rows.length * size);
  const weight = Float64Array.from(at, (_, i) => (fixed[i] ? 0 : i < variables ? 1 : FREE));
  for (let step = 0; step < STEPS && rows.length > 0; step++) {
    tape.value(at, values);
    tape.jacobian(at, 1, lifted.rows.length, jacobian);
    const misses = rows.map(({ row, target }) => target - values[1 + row]);
    const moved = leastStep(
      rows.map(({ row }) => jacobian.subarray(row * size, (row + 1) * size)),
      weight,
      misses,
    );
    for (let i = 0; i < size; i++) at[i] += moved[i];
    if (!at.every(Number.isFinite)) return undefined;
    if (misses.every((miss, k) => Math.abs(miss) <= 1e-9 * Math.max(1, Math.abs(rows[k].target)))) break;
  }
  return at;
}

/** The Δ of least Σ (Δ/weight)² with rows·Δ = misses; rows that depend on others before them are left out. */
function leastStep(
  rows: readonly Float64Array[],
  weight: Float64Array,
  misses: readonly number[],
): Float64Array {
  const step = new Float64Array(weight.length);
  const basis: Float64Array[] = [];
  const parts: number[] = [];
  rows.forEach((row, k) => {
    const direction = row.map((slope, i) => slope * weight[i]);
    const size = Math.hypot(...direction);
    let rest = misses[k];
    for (let j = 0; j < basis.length; j++) {
      const along = dot(direction, basis[j]);
      rest -= along * parts[j];
      for (let i = 0; i < direction.length; i++) direction[i] -= along * basis[j][i];
    }
    const length = Math.hypot(...direction);
    if (!(length > 1e-9 * size)) return;
    basis.push(direction.map((value) => value / length));
    parts.push(rest / length);
  });
  basis.forEach((direction, j) => {
    for (let i = 0; i < step.length; i++) step[i] += parts[j] * direction[i] * weight[i];
  });
  return step;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
