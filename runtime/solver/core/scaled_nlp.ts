/// <reference types="./portable.d.ts" />
import { LinearSystem, Reduction } from "../linear_algebra/linear_system.ts";
import { Model } from "./model.ts";
import { Nlp } from "./nlp.ts";
import { Settings } from "./settings.ts";
import { allFinite } from "./vector.ts";

const FAR: f64 = 1e19;

/** What {@linkcode ScaledNlp.prepare} found. */
export const PREPARED: i32 = 0;
export const BOUNDS_REVERSED: i32 = 1;
export const CANNOT_EVALUATE: i32 = 2;
export const TOO_FEW_VARIABLES: i32 = 3;

/**
 * The user's problem in the form that is solved: fixed variables and free rows left out, everything scaled at x0,
 * inequalities given a slack, bounds a little relaxed.
 */
export class ScaledNlp extends Nlp {
  readonly model: Model;
  readonly reduction: Reduction;
  /** x in the user's units, with the fixed variables in place. */
  readonly x: Float64Array;
  /** Bounds of v before they were relaxed, and as they were before an iterate came too near. */
  readonly given: Float64Array;
  /** Right-hand sides of the rows, scaled: gl of an equality, else 0. */
  private readonly target: Float64Array;
  private readonly g: Float64Array;
  private readonly gradientAll: Float64Array;
  private readonly lambda: Float64Array;
  objectiveScale: f64 = 1;
  equalities: i32 = 0;
  functionCalls: i32 = 0;
  gradientCalls: i32 = 0;
  constraintCalls: i32 = 0;
  jacobianCalls: i32 = 0;
  hessianCalls: i32 = 0;

  constructor(model: Model, system: LinearSystem) {
    super(system, model.n + model.m, model.m, model.m);
    this.model = model;
    this.reduction = system.reduction;
    this.x = new Float64Array(model.n);
    this.given = new Float64Array(2 * (model.n + model.m));
    this.target = new Float64Array(model.m);
    this.g = new Float64Array(model.m);
    this.gradientAll = new Float64Array(model.n);
    this.lambda = new Float64Array(model.m);
  }

  /** Reads the bounds and the start of the model, scales at x0. @returns PREPARED or what is in the way. */
  prepare(settings: Settings): i32 {
    const model = this.model;
    const reduction = this.reduction;
    this.functionCalls =
      this.gradientCalls =
      this.constraintCalls =
      this.jacobianCalls =
      this.hessianCalls =
        0;
    let n: i32 = 0;
    for (let j: i32 = 0; j < model.n; j++) {
      const lower = model.xl[j];
      const upper = model.xu[j];
      if (!(lower <= upper) || lower >= FAR || upper <= -FAR) return BOUNDS_REVERSED;
      reduction.column[j] = -1;
      this.x[j] = model.x0[j];
      if (lower === upper) {
        this.x[j] = lower;
        continue;
      }
      reduction.column[j] = n;
      reduction.variable[n] = j;
      reduction.unit[n] = settings.user_scaling ? model.unit[j] : 1;
      n++;
    }
    let m: i32 = 0;
    let slacks: i32 = 0;
    for (let i: i32 = 0; i < model.m; i++) {
      const lower = model.gl[i];
      const upper = model.gu[i];
      if (!(lower <= upper) || lower >= FAR || upper <= -FAR) return BOUNDS_REVERSED;
      reduction.place[i] = -1;
      if (lower <= -FAR && upper >= FAR) continue;
      reduction.place[i] = m;
      reduction.row[m] = i;
      reduction.weight[m] = 1;
      this.slack[m] = -1;
      if (lower !== upper) {
        this.slack[m] = slacks;
        this.row[slacks] = m;
        this.sign[slacks] = -1;
        slacks++;
      }
      m++;
    }
    reduction.n = this.n = n;
    reduction.m = this.m = m;
    this.singles = slacks;
    this.size = n + slacks;
    this.equalities = m - slacks;
    this.system.shape();
    this.objectiveScale = settings.obj_scaling_factor;
    if (this.equalities > n) return TOO_FEW_VARIABLES;
    if (!this.scaleAtStart(settings)) return CANNOT_EVALUATE;
    this.setBounds(settings);
    return PREPARED;
  }

  /** Gradients at x0 larger than `nlp_scaling_max_gradient` are brought down to it. */
  private scaleAtStart(settings: Settings): boolean {
    const reduction = this.reduction;
    const model = this.model;
    if (!settings.scaling) return true;
    this.gradientCalls++;
    if (!model.gradient(this.x, this.gradientAll)) return false;
    const n = this.n;
    const m = this.m;
    let most: f64 = 0;
    for (let j: i32 = 0; j < n; j++) {
      const size = Math.abs(this.gradientAll[reduction.variable[j]] * reduction.unit[j]);
      if (!(size <= most)) most = size;
    }
    if (most - most !== 0) return false;
    const limit = settings.nlp_scaling_max_gradient;
    if (most > limit) {
      this.objectiveScale *= Math.max(settings.nlp_scaling_min_value, limit / most);
    }
    if (m === 0) return true;
    this.jacobianCalls++;
    if (!model.jacobian(this.x, this.system.rawJacobian)) return false;
    if (!this.system.takeJacobian()) return false;
    this.system.rowSizes(this.lambda);
    for (let i: i32 = 0; i < m; i++) {
      if (this.lambda[i] > limit) {
        reduction.weight[i] = Math.max(settings.nlp_scaling_min_value, limit / this.lambda[i]);
      }
    }
    return true;
  }

  private setBounds(settings: Settings): void {
    const model = this.model;
    const reduction = this.reduction;
    const given = this.given;
    const size = this.size;
    for (let j: i32 = 0; j < this.n; j++) {
      const at = reduction.variable[j];
      const unit = reduction.unit[j];
      given[j] = model.xl[at] <= -FAR ? -Infinity : model.xl[at] / unit;
      given[size + j] = model.xu[at] >= FAR ? Infinity : model.xu[at] / unit;
    }
    for (let i: i32 = 0; i < this.m; i++) {
      this.target[i] = model.gl[reduction.row[i]] * reduction.weight[i];
    }
    for (let k: i32 = 0; k < this.singles; k++) {
      const i = this.row[k];
      const at = reduction.row[i];
      this.target[i] = 0;
      given[this.n + k] = model.gl[at] <= -FAR ? -Infinity : model.gl[at] * reduction.weight[i];
      given[size + this.n + k] = model.gu[at] >= FAR ? Infinity : model.gu[at] * reduction.weight[i];
    }
    const relax = settings.bound_relax_factor;
    const most = settings.constr_viol_tol;
    for (let k: i32 = 0; k < size; k++) {
      // In the user's units: a row that was scaled far down must not be relaxed by as much as it was scaled.
      const unit: f64 = k < this.n ? reduction.unit[k] : 1 / reduction.weight[this.row[k - this.n]];
      this.lower[k] = given[k];
      this.upper[k] = given[size + k];
      // 0·∞ would make no number of an open side.
      if (relax === 0) continue;
      this.lower[k] -= Math.min(most, relax * Math.max(1, Math.abs(given[k] * unit))) / unit;
      this.upper[k] += Math.min(most, relax * Math.max(1, Math.abs(given[size + k] * unit))) / unit;
    }
  }

  /** What the row's value is compared with: gl of an equality, scaled, else 0. */
  targetOf(row: i32): f64 {
    return this.target[row];
  }

  /** Writes the user's x for the iterate v into `x`. */
  expand(v: Float64Array): void {
    const reduction = this.reduction;
    for (let j: i32 = 0; j < this.n; j++) this.x[reduction.variable[j]] = v[j] * reduction.unit[j];
  }

  override objective(v: Float64Array, _mu: f64): f64 {
    if (this.model.cancelled()) return NaN;
    this.expand(v);
    this.functionCalls++;
    return this.model.objective(this.x) * this.objectiveScale;
  }

  override gradient(v: Float64Array, _mu: f64, out: Float64Array): boolean {
    if (this.model.cancelled()) return false;
    const reduction = this.reduction;
    this.expand(v);
    this.gradientCalls++;
    if (!this.model.gradient(this.x, this.gradientAll)) return false;
    for (let j: i32 = 0; j < this.n; j++) {
      out[j] = this.gradientAll[reduction.variable[j]] * reduction.unit[j] * this.objectiveScale;
    }
    for (let k: i32 = this.n; k < this.size; k++) out[k] = 0;
    return allFinite(this.n, out);
  }

  override residual(v: Float64Array, out: Float64Array): boolean {
    if (this.m === 0) return true;
    if (this.model.cancelled()) return false;
    const reduction = this.reduction;
    this.expand(v);
    this.constraintCalls++;
    if (!this.model.constraints(this.x, this.g)) return false;
    for (let i: i32 = 0; i < this.m; i++) {
      out[i] = this.g[reduction.row[i]] * reduction.weight[i] - this.target[i];
    }
    for (let k: i32 = 0; k < this.singles; k++) out[this.row[k]] -= v[this.n + k];
    return allFinite(this.m, out);
  }

  override jacobian(v: Float64Array): boolean {
    if (this.m === 0) return true;
    if (this.model.cancelled()) return false;
    this.expand(v);
    this.jacobianCalls++;
    if (!this.model.jacobian(this.x, this.system.rawJacobian)) return false;
    return this.system.takeJacobian();
  }

  override hessian(v: Float64Array, _mu: f64, y: Float64Array): boolean {
    return this.hessianWith(this.objectiveScale, v, y);
  }

  /** @param sigma Factor of the objective: 0 in the restoration phase. */
  hessianWith(sigma: f64, v: Float64Array, y: Float64Array): boolean {
    if (this.model.cancelled()) return false;
    const reduction = this.reduction;
    this.expand(v);
    for (let i: i32 = 0; i < this.model.m; i++) this.lambda[i] = 0;
    for (let i: i32 = 0; i < this.m; i++) this.lambda[reduction.row[i]] = y[i] * reduction.weight[i];
    this.hessianCalls++;
    if (!this.model.hessian(this.x, sigma, this.lambda, this.system.rawHessian)) return false;
    return this.system.takeHessian();
  }

  override addDiagonal(_mu: f64, _dx: Float64Array): void {}
}
