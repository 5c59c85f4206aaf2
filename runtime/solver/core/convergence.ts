/// <reference types="./portable.d.ts" />
import { ScaledNlp } from "./scaled_nlp.ts";
import { Settings } from "./settings.ts";
import { Point, State } from "./state.ts";

/** Tells when an iterate is good enough, and keeps the last that was acceptable. */
export class Convergence {
  private readonly state: State;
  private readonly settings: Settings;
  private readonly base: ScaledNlp;
  private acceptableInRow: i32 = 0;
  private lastObjective: f64 = -1e50;
  private change: f64 = 0;
  private readonly kept: Point;
  /** The feasible iterate of least objective so far. */
  private readonly best: Point;
  private hasBest: boolean = false;
  hasAcceptable: boolean = false;
  /** Measures of the last tested iterate; the first in the scaled problem, the others in the user's units. */
  scaledError: f64 = 0;
  dualInfeasibility: f64 = 0;
  violation: f64 = 0;
  complementarity: f64 = 0;

  constructor(state: State, base: ScaledNlp, size: i32, m: i32) {
    this.state = state;
    this.settings = state.settings;
    this.base = base;
    this.kept = new Point(size, m);
    this.best = new Point(size, m);
  }

  begin(): void {
    this.acceptableInRow = 0;
    this.hasAcceptable = false;
    this.hasBest = false;
    this.lastObjective = -1e50;
  }

  /** Measures `now` of the original problem. */
  measure(): void {
    const state = this.state;
    const base = this.base;
    const inverse: f64 = 1 / base.objectiveScale;
    this.scaledError = state.optimalityError(this.settings.mu_target);
    this.dualInfeasibility = 0;
    // state.work still holds the gradient of the Lagrangian.
    for (let j: i32 = 0; j < base.n; j++) {
      const size = Math.abs(state.work[j]) * Math.abs(inverse) / base.reduction.unit[j];
      if (!(size <= this.dualInfeasibility)) this.dualInfeasibility = size;
    }
    for (let k: i32 = 0; k < base.singles; k++) {
      const size = Math.abs(state.work[base.n + k] * inverse) * base.reduction.weight[base.row[k]];
      if (!(size <= this.dualInfeasibility)) this.dualInfeasibility = size;
    }
    this.violation = this.violationOf(state.now);
    this.complementarity = state.complementarity(this.settings.mu_target) * Math.abs(inverse);
    this.rememberBest();
  }

  /** Whether the last tested iterate holds all rows. */
  isFeasible(): boolean {
    return this.violation <= this.feasible();
  }

  /** Remembers `now` if it is the best feasible iterate so far. */
  private rememberBest(): void {
    if (!this.isFeasible() || (this.hasBest && this.state.now.f >= this.best.f)) return;
    this.best.assign(this.state.now, this.base.size, this.base.m);
    this.hasBest = true;
  }

  /** Largest violation of a row in the user's units. */
  violationOf(point: Point): f64 {
    let most: f64 = 0;
    for (let i: i32 = 0; i < this.base.m; i++) {
      most = Math.max(most, this.state.rowViolation(point, i) / this.base.reduction.weight[i]);
    }
    return most;
  }

  private feasible(): f64 {
    return Math.min(this.settings.constr_viol_tol, Math.max(1e-6, this.settings.tol));
  }

  /** For a solve that is stopped: puts the best feasible iterate into `now` if there is a better one than it. */
  restoreBest(): void {
    const now = this.state.now;
    if (!this.hasBest || (this.violationOf(now) <= this.feasible() && now.f <= this.best.f)) return;
    now.assign(this.best, this.base.size, this.base.m);
  }

  /** After {@linkcode measure}. */
  converged(): boolean {
    const settings = this.settings;
    return this.scaledError <= settings.tol && this.dualInfeasibility <= settings.dual_inf_tol &&
      this.violation <= settings.constr_viol_tol && this.complementarity <= settings.compl_inf_tol;
  }

  /** Whether the last tested iterate is within the acceptable tolerances. */
  isAcceptable(): boolean {
    const settings = this.settings;
    return this.scaledError <= settings.acceptable_tol &&
      this.dualInfeasibility <= settings.acceptable_dual_inf_tol &&
      this.violation <= settings.acceptable_constr_viol_tol &&
      this.complementarity <= settings.acceptable_compl_inf_tol &&
      this.change <= settings.acceptable_obj_change_tol;
  }

  /** @returns True once `acceptable_iter` iterates in a row were acceptable. */
  acceptable(): boolean {
    const settings = this.settings;
    const f = this.state.now.f;
    this.change = Math.abs(f - this.lastObjective) / Math.max(1, Math.abs(f));
    this.lastObjective = f;
    if (!this.isAcceptable()) {
      this.acceptableInRow = 0;
      return false;
    }
    this.kept.assign(this.state.now, this.base.size, this.base.m);
    this.hasAcceptable = true;
    this.acceptableInRow++;
    return settings.acceptable_iter > 0 && this.acceptableInRow >= settings.acceptable_iter;
  }

  /** Puts `now` back to the last acceptable iterate. */
  restoreAcceptable(): void {
    this.state.now.assign(this.kept, this.base.size, this.base.m);
  }
}
