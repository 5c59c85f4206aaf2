/** Points judged by the exact functions, and the two ways to write a point: as x, or in units of movement from x0. */
import { valuesAt } from "./many_points.ts";
import type { Held } from "./lifted.ts";
import { byMerit, holds, type Judged } from "./merit.ts";
import type { OptimizationProblem } from "./optimization.ts";

/** IPOPT's return code of a local solve that came to its end. */
export const SOLVED = 0;

/** Where a local solve ended, as the solver tells it. */
export interface LocalEnd {
  /** (z, t). */
  readonly x: Float64Array;
  readonly objective: number;
  /** IPOPT's return code. */
  readonly status: number;
  readonly message: string;
  readonly iterations: number;
  readonly mult_x_L: Float64Array;
  readonly mult_x_U: Float64Array;
  readonly mult_g: Float64Array;
  /** The switches that it was done with. */
  readonly sides: Uint8Array;
  /** Where steps were held. */
  readonly held?: Held;
}

export interface Candidate extends Judged {
  readonly x: Float64Array;
  /** What foreign code answered, where it was asked in a batch. */
  readonly answers: Float64Array;
  /** The solve that found it; none for the start point and for what a search found. */
  readonly solve?: LocalEnd;
}

/** Weight of Σ((x − x0)/scale)², in units of the cost: keeps what buys nothing where it is. */
const PROXIMAL = 1e-7;
/** The least unit of the cost, relative to the cost itself: smaller differences are not told. */
const TOLD = 1e-6;
/** The first solve must find a cost so much smaller than the unit for another solve with a smaller one, and with less pull. */
const WEAKER = 0.01;
/** How far from the best point towards others the cost is looked at for that. */
const BESIDE = 0.1;
/** Distances in thresholds within which a point is tried exactly on the present value, or on a bound. */
const NEAR_PRESENT = 1e-2;
const NEAR = 1e-3;
/** Limits and quantities below this are tiny: a miss of 1e-7 is not small beside them. */
const TINY = 1e-2;
const NONE = new Float64Array(0);

/** One run of an optimizer as far as it knows no solver. Making one sets the run of `problem.lifted`. */
export class Judge {
  readonly problem: OptimizationProblem;
  /** Whether code is part of it that has values only. */
  readonly foreign: boolean;
  evaluations = 0;
  readonly #values: Float64Array;
  /** What differences of the cost are measured in: its typical change within the box, once that is known. */
  unit: number;
  /** A miss of hard limit k is measured in max(leastUnits[k], |limit|): 1, and less where all that is limited is tiny. */
  readonly leastUnits: Float64Array;

  constructor(problem: OptimizationProblem) {
    const { exact, x0 } = this.problem = problem;
    this.foreign = exact.opaques.length > 0;
    this.#values = new Float64Array(1 + problem.limits.length);
    this.leastUnits = new Float64Array(problem.limits.length).fill(1);
    exact.evaluateError = undefined;
    if (problem.lifted.steps !== undefined) {
      for (const tape of [problem.lifted.steps.tape, problem.lifted.steps.rest]) {
        tape.evaluate = exact.evaluate;
      }
    }
    exact.value(x0, this.#values);
    this.unit = Math.max(1, Math.abs(this.#values[0]) || 0);
    this.#setRun();
  }

  /**
   * Takes the unit of the cost, and of tiny limits, from points all over the box.
   * @returns Whether limits got other units, so that what was judged is to be judged again.
   */
  measure({ cost }: Judged, points: readonly Candidate[]): boolean {
    const limits = this.#measureLimits(points);
    const changes = points.map((point) => Math.abs(point.cost - cost)).filter(Number.isFinite).sort((a, b) =>
      a - b
    );
    const typical = changes[changes.length >> 1] || changes.at(-1);
    if (typical) this.unit = Math.max(typical, TOLD * Math.abs(cost));
    this.#setRun();
    return limits;
  }

  /** Takes the units of limits on tiny quantities from values all over the box. */
  #measureLimits(points: readonly Candidate[]): boolean {
    const { exact, limits } = this.problem;
    const tiny = limits.flatMap((limit, k) => (sizeOf(limit) < TINY ? [k] : []));
    if (tiny.length === 0) return false;
    const values = valuesAt(exact, points.map(({ x }) => x), () => this.stopped());
    for (const k of tiny) {
      const seen = values.map(({ outputs }) => outputs[1 + k]).filter(Number.isFinite);
      const unit = Math.max(sizeOf(limits[k]), Math.max(...seen) - Math.min(...seen));
      if (unit > 0 && unit < TINY) this.leastUnits[k] = unit;
    }
    return true;
  }

  /** Where the cost of most points is mostly a penalty, a unit that goes by it hides the rest. */
  weaken({ x, cost }: Candidate, points: readonly Candidate[]): boolean {
    const most = WEAKER * this.unit;
    if (!(Math.abs(cost) < most)) return false;
    const beside = points.map((point) => x.map((value, i) => value + BESIDE * (point.x[i] - value)));
    const changes = this.judgeAll(beside).map((near) => Math.abs(near.cost - cost) / BESIDE)
      .filter(Number.isFinite).sort((a, b) => a - b);
    const unit = Math.max(Math.abs(cost), changes[changes.length >> 2]);
    if (!(unit > 0 && unit < most)) return false;
    this.unit = unit;
    this.#setRun();
    return true;
  }

  #setRun(): void {
    const { lifted, parameters, x0 } = this.problem;
    lifted.setRun({ parameters, x0, rho: PROXIMAL * this.unit, looseMargin: 0 });
  }

  stopped(): boolean {
    return this.problem.cancelled() || this.problem.remaining() <= 0;
  }

  judge(x: Float64Array, solve?: LocalEnd): Candidate {
    this.problem.exact.value(x, this.#values);
    this.evaluations++;
    const violation = this.violation(this.#values);
    return { x, cost: this.#values[0], violation, unit: this.unit, answers: NONE, solve };
  }

  /** The points as candidates, in their order; those after the end of the time cannot be evaluated. */
  judgeAll(points: readonly Float64Array[]): Candidate[] {
    if (!this.foreign) return points.map((x) => this.judge(x));
    this.evaluations += points.length;
    return valuesAt(this.problem.exact, points, () => this.stopped()).map(({ outputs, answers }, k) => (
      { x: points[k], cost: outputs[0], violation: this.violation(outputs), unit: this.unit, answers }
    ));
  }

  /** The points as candidates, best first by violation, then by pulled cost; those that cannot be evaluated are left out. */
  rank(points: readonly Float64Array[]): Candidate[] {
    return this.judgeAll(points).map((point) => ({ ...point, cost: this.pulled(point.x, point.cost) }))
      .filter(({ cost }) => Number.isFinite(cost)).sort(byMerit);
  }

  /** How many hard limits do not hold at `x`. */
  broken(x: Float64Array): number {
    this.problem.exact.value(x, this.#values);
    const [cost] = this.#values;
    return this.problem.limits.filter((limit, k) =>
      !holds({ cost, violation: excess(limit, this.#values[1 + k], this.leastUnits[k]) })
    ).length;
  }

  /** @param outputs The cost, then the limits. */
  violation(outputs: Float64Array): number {
    let worst = 0;
    const { limits } = this.problem;
    for (let k = 0; k < limits.length; k++) {
      worst = Math.max(worst, excess(limits[k], outputs[1 + k], this.leastUnits[k]));
    }
    return worst;
  }

  /** The exact cost and the pull towards the present point, which the smooth form has too. */
  pulled(x: Float64Array, cost: number): number {
    const { x0, scale } = this.problem;
    return cost +
      PROXIMAL * this.unit * x.reduce((sum, value, i) => sum + ((value - x0[i]) / scale[i]) ** 2, 0);
  }

  readonly toZ = (x: number, i: number): number => (x - this.problem.x0[i]) / this.problem.scale[i];

  toX(z: Float64Array): Float64Array {
    const { x0, scale } = this.problem;
    return clamp(x0.map((start, i) => start + scale[i] * z[i]), this.problem);
  }

  /** The point with what is all but on the present value or on a bound exactly there. */
  snapped(x: Float64Array): Float64Array {
    const { x0, lo, hi, scale } = this.problem;
    return x.map((value, i) => {
      if (Math.abs(value - x0[i]) <= NEAR_PRESENT * scale[i]) return Math.min(hi[i], Math.max(lo[i], x0[i]));
      return [lo[i], hi[i]].find((bound) => Math.abs(value - bound) <= NEAR * scale[i]) ?? value;
    });
  }
}

type Limit = OptimizationProblem["limits"][number];

/** The larger of its finite sides. */
function sizeOf({ lower, upper }: Limit): number {
  return Math.max(0, ...[lower, upper].filter(Number.isFinite).map(Math.abs));
}

/** Relative to max(least, |limit|); Infinity where the value is not a number. */
function excess({ lower, upper }: Limit, value: number, least: number): number {
  if (Number.isNaN(value)) return Infinity;
  if (value < lower) return (lower - value) / Math.max(least, Math.abs(lower));
  return value > upper ? (value - upper) / Math.max(least, Math.abs(upper)) : 0;
}

/** The point of the box nearest to `x`. */
export function clamp(
  x: Float64Array,
  { lo, hi }: { readonly lo: Float64Array; readonly hi: Float64Array },
): Float64Array {
  return x.map((value, i) => Math.min(hi[i], Math.max(lo[i], value)));
}
