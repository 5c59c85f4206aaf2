/** Points judged by the exact functions, and the two ways to write a point: as x, or in units of movement from x0. */
import { valuesAt } from "./many_points.ts";
import { byMerit, type Judged } from "./merit.ts";
import type { OptimizationProblem } from "./optimization.ts";

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
}

export interface Candidate extends Judged {
  readonly x: Float64Array;
  /** What foreign code answered, where it was asked in a batch. */
  readonly answers: Float64Array;
  /** The solve that found it; none for the start point and for what a search found. */
  readonly solve?: LocalEnd;
}

/** Weight of Σ((x − x0)/scale)², relative to max(1, |cost|): keeps what buys nothing where it is. */
const PROXIMAL = 1e-7;
/** The first solve must find a cost so much smaller for another one with less pull. */
const WEAKER = 0.01;
/** Distances in thresholds within which a point is tried exactly on the present value, or on a bound. */
const NEAR_PRESENT = 1e-2;
const NEAR = 1e-3;
const NONE = new Float64Array(0);

/** One run of an optimizer as far as it knows no solver. Making one sets the run of `problem.lifted`. */
export class Judge {
  readonly problem: OptimizationProblem;
  /** Whether code is part of it that has values only. */
  readonly foreign: boolean;
  evaluations = 0;
  readonly #values: Float64Array;
  #rho: number;

  constructor(problem: OptimizationProblem) {
    const { exact, x0 } = this.problem = problem;
    this.foreign = exact.opaques.length > 0;
    this.#values = new Float64Array(1 + problem.limits.length);
    exact.evaluateError = undefined;
    exact.value(x0, this.#values);
    this.#rho = PROXIMAL * Math.max(1, Math.abs(this.#values[0]) || 0);
    this.#setRun();
  }

  /** Where the cost at the present point is mostly a penalty, a pull that goes by it outweighs the rest. */
  weaken({ cost }: Candidate): boolean {
    const rho = PROXIMAL * Math.max(1, Math.abs(cost));
    if (!(rho < WEAKER * this.#rho)) return false;
    this.#rho = rho;
    this.#setRun();
    return true;
  }

  #setRun(): void {
    const { lifted, parameters, x0 } = this.problem;
    lifted.setRun({ parameters, x0, rho: this.#rho, looseMargin: 0 });
  }

  stopped(): boolean {
    return this.problem.cancelled() || this.problem.remaining() <= 0;
  }

  judge(x: Float64Array, solve?: LocalEnd): Candidate {
    this.problem.exact.value(x, this.#values);
    this.evaluations++;
    return { x, cost: this.#values[0], violation: this.#violation(this.#values), answers: NONE, solve };
  }

  /** The points as candidates, in their order; those after the end of the time cannot be evaluated. */
  judgeAll(points: readonly Float64Array[]): Candidate[] {
    if (!this.foreign) return points.map((x) => this.judge(x));
    this.evaluations += points.length;
    return valuesAt(this.problem.exact, points, () => this.stopped()).map(({ outputs, answers }, k) => (
      { x: points[k], cost: outputs[0], violation: this.#violation(outputs), answers }
    ));
  }

  /** The points as candidates, best first by violation, then by pulled cost; those that cannot be evaluated are left out. */
  rank(points: readonly Float64Array[]): Candidate[] {
    return this.judgeAll(points).map((point) => ({ ...point, cost: this.pulled(point.x, point.cost) }))
      .filter(({ cost }) => Number.isFinite(cost)).sort(byMerit);
  }

  #violation(outputs: Float64Array): number {
    let worst = 0;
    this.problem.limits.forEach(({ lower, upper }, k) => {
      const value = outputs[1 + k];
      if (Number.isNaN(value)) worst = Infinity;
      else if (value < lower) worst = Math.max(worst, (lower - value) / Math.max(1, Math.abs(lower)));
      else if (value > upper) worst = Math.max(worst, (value - upper) / Math.max(1, Math.abs(upper)));
    });
    return worst;
  }

  /** The exact cost and the pull towards the present point, which the smooth form has too. */
  pulled(x: Float64Array, cost: number): number {
    const { x0, scale } = this.problem;
    return cost + this.#rho * x.reduce((sum, value, i) => sum + ((value - x0[i]) / scale[i]) ** 2, 0);
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

/** The point of the box nearest to `x`. */
export function clamp(
  x: Float64Array,
  { lo, hi }: { readonly lo: Float64Array; readonly hi: Float64Array },
): Float64Array {
  return x.map((value, i) => Math.min(hi[i], Math.max(lo[i], value)));
}
