/// <reference types="./portable.d.ts" />
import { LinearSystem } from "../linear_algebra/linear_system.ts";
import {
  ACCEPTABLE,
  INFEASIBLE,
  InteriorPoint,
  INVALID_NUMBER,
  MAX_ITERATIONS,
  OUT_OF_TIME,
  SOLVED,
  STOPPED,
} from "./interior_point.ts";
import { Model } from "./model.ts";
import { RestorationNlp } from "./restoration_nlp.ts";
import { BOUNDS_REVERSED, CANNOT_EVALUATE, PREPARED, ScaledNlp, TOO_FEW_VARIABLES } from "./scaled_nlp.ts";
import { Settings } from "./settings.ts";

const INVALID_PROBLEM: i32 = -11;
const TOO_FEW_DEGREES: i32 = -10;

/** All memory of one problem size, and the answer of its last solve in the user's units. */
export class Driver {
  readonly model: Model;
  readonly settings: Settings;
  readonly base: ScaledNlp;
  readonly main: InteriorPoint;
  readonly restoration: InteriorPoint;
  readonly x: Float64Array;
  readonly g: Float64Array;
  readonly multG: Float64Array;
  readonly multL: Float64Array;
  readonly multU: Float64Array;
  private readonly rest: Float64Array;
  objective: f64 = NaN;
  /** Measures of the answer, recomputed from the callbacks in the user's units; ∞-norms. */
  dualInfeasibility: f64 = NaN;
  violation: f64 = NaN;
  complementarity: f64 = NaN;

  constructor(model: Model, settings: Settings, system: LinearSystem) {
    const base = new ScaledNlp(model, system);
    const restoration = new InteriorPoint(base, new RestorationNlp(base, settings), settings, null);
    this.model = model;
    this.settings = settings;
    this.base = base;
    this.restoration = restoration;
    this.main = new InteriorPoint(base, null, settings, restoration);
    this.x = new Float64Array(model.n);
    this.g = new Float64Array(model.m);
    this.multG = new Float64Array(model.m);
    this.multL = new Float64Array(model.n);
    this.multU = new Float64Array(model.n);
    this.rest = new Float64Array(model.n);
  }

  /** @returns IPOPT's return code. */
  solve(): i32 {
    const base = this.base;
    this.main.iterations = 0;
    this.main.restorations = 0;
    this.clear();
    const prepared = base.prepare(this.settings);
    if (prepared !== PREPARED) {
      for (let j: i32 = 0; j < this.model.n; j++) this.x[j] = this.model.x0[j];
      if (prepared === BOUNDS_REVERSED) return INVALID_PROBLEM;
      if (prepared === TOO_FEW_VARIABLES && base.n > 0) return TOO_FEW_DEGREES;
      if (prepared === CANNOT_EVALUATE) return INVALID_NUMBER;
    }
    if (base.n === 0) return this.nothingFree();
    let status = this.main.solve();
    if (status === STOPPED || status === MAX_ITERATIONS || status === OUT_OF_TIME) {
      this.main.convergence.restoreBest();
    }
    this.extract();
    if (status === SOLVED && !this.confirmed()) status = ACCEPTABLE;
    return status;
  }

  /** Factorises the optimality conditions at the answer. @returns False where they cannot be formed or are singular. */
  linearize(): boolean {
    const base = this.base;
    const state = this.main.state;
    if (base.n === 0 || !state.refresh() || !base.hessian(state.now.v, state.mu, state.now.y)) return false;
    return this.main.newton.factorize();
  }

  /**
   * After {@linkcode linearize}: first-order change of the answer with a parameter p (Pirnay, López-Negrete and Biegler 2012): solves the optimality
   * conditions differentiated by p, with the active bounds held by their multipliers.
   * @param dual ∂²L/∂x∂p, length n. @param rows ∂g/∂p, length m.
   * @param dx dx/dp, length n; 0 where a variable is fixed. @param dy The same of mult_g.
   * @returns False where the system cannot be solved.
   */
  sensitivity(dual: Float64Array, rows: Float64Array, dx: Float64Array, dy: Float64Array): boolean {
    const base = this.base;
    const reduction = base.reduction;
    const state = this.main.state;
    const scale = base.objectiveScale;
    for (let j: i32 = 0; j < this.model.n; j++) dx[j] = 0;
    for (let i: i32 = 0; i < this.model.m; i++) dy[i] = 0;
    if (base.n === 0) return false;
    for (let j: i32 = 0; j < base.n; j++) {
      state.work[j] = -dual[reduction.variable[j]] * scale * reduction.unit[j];
    }
    for (let k = base.n; k < base.size; k++) state.work[k] = 0;
    for (let i: i32 = 0; i < base.m; i++) state.next.c[i] = -rows[reduction.row[i]] * reduction.weight[i];
    if (!this.main.newton.solveFor(state.work, state.next.c, state.dv, state.dy)) return false;
    for (let j: i32 = 0; j < base.n; j++) dx[reduction.variable[j]] = state.dv[j] * reduction.unit[j];
    for (let i: i32 = 0; i < base.m; i++) dy[reduction.row[i]] = state.dy[i] * reduction.weight[i] / scale;
    return true;
  }

  /** Leaves the start as the answer, for a solve that is not begun. */
  reject(): void {
    this.main.iterations = 0;
    this.base.functionCalls = 0;
    this.clear();
    for (let j: i32 = 0; j < this.model.n; j++) this.x[j] = this.model.x0[j];
  }

  private clear(): void {
    this.objective =
      this.dualInfeasibility =
      this.violation =
      this.complementarity =
        NaN;
    for (let i: i32 = 0; i < this.model.m; i++) this.g[i] = this.multG[i] = 0;
    for (let j: i32 = 0; j < this.model.n; j++) this.multL[j] = this.multU[j] = 0;
  }

  /** Every variable is fixed: the point is an answer if it is feasible. */
  private nothingFree(): i32 {
    const model = this.model;
    for (let j: i32 = 0; j < model.n; j++) this.x[j] = model.xl[j];
    this.objective = model.objective(this.x);
    if (this.objective - this.objective !== 0) return INVALID_NUMBER;
    if (model.m > 0 && !model.constraints(this.x, this.g)) return INVALID_NUMBER;
    this.violation = this.worstViolation();
    return this.violation <= this.settings.constr_viol_tol ? SOLVED : INFEASIBLE;
  }

  private worstViolation(): f64 {
    const model = this.model;
    let most: f64 = 0;
    for (let i: i32 = 0; i < model.m; i++) {
      most = Math.max(most, Math.max(model.gl[i] - this.g[i], this.g[i] - model.gu[i]));
    }
    return most;
  }

  /** The last iterate in the user's units, inside the user's bounds. */
  private extract(): void {
    const base = this.base;
    const model = this.model;
    const now = this.main.state.now;
    const reduction = base.reduction;
    const inverse: f64 = 1 / base.objectiveScale;
    base.expand(now.v);
    for (let j: i32 = 0; j < model.n; j++) {
      let value = base.x[j];
      if (this.settings.honor_original_bounds) {
        value = Math.max(model.xl[j], Math.min(model.xu[j], value));
      }
      this.x[j] = value;
      const at = reduction.column[j];
      if (at < 0) continue;
      this.multL[j] = now.zL[at] * inverse / reduction.unit[at];
      this.multU[j] = now.zU[at] * inverse / reduction.unit[at];
    }
    for (let i: i32 = 0; i < model.m; i++) {
      const at = reduction.place[i];
      if (at >= 0) this.multG[i] = now.y[at] * reduction.weight[at] * inverse;
    }
    // As IPOPT has it, objective and constraints are those of the last iterate, before x is moved into its bounds.
    this.objective = now.f * inverse;
    for (let i: i32 = 0; i < base.m; i++) this.g[reduction.row[i]] = now.c[i] / reduction.weight[i];
    for (let i: i32 = 0; i < base.m; i++) this.g[reduction.row[i]] += base.targetOf(i) / reduction.weight[i];
    for (let k: i32 = 0; k < base.singles; k++) {
      const i = base.row[k];
      this.g[reduction.row[i]] += now.v[base.n + k] / reduction.weight[i];
    }
    if (base.m < model.m && !model.cancelled()) model.constraints(base.x, this.g);
  }

  /**
   * Recomputes the residuals of the optimality conditions from the callbacks, at the last iterate and in the user's
   * units, by another way than the iterations measure them.
   * @returns Whether all are under the tolerances.
   */
  private confirmed(): boolean {
    const model = this.model;
    const settings = this.settings;
    const base = this.base;
    const reduction = base.reduction;
    const x = base.x;
    const rest = this.rest;
    const now = this.main.state.now;
    base.expand(now.v);
    if (!model.gradient(x, rest)) return false;
    base.gradientCalls++;
    if (model.m > 0) {
      if (!model.constraints(x, this.g) || !model.jacobian(x, base.system.rawJacobian)) return false;
      base.constraintCalls++;
      base.jacobianCalls++;
      base.system.addRawTransposed(this.multG, rest);
    }
    let dual: f64 = 0;
    let scaledDual: f64 = 0;
    let gap: f64 = 0;
    const target = settings.mu_target / Math.abs(base.objectiveScale);
    for (let j: i32 = 0; j < model.n; j++) {
      const at = reduction.column[j];
      if (at < 0) continue;
      const size = Math.abs(rest[j] - this.multL[j] + this.multU[j]);
      if (!(size <= dual)) dual = size;
      const scaled = size * Math.abs(base.objectiveScale) * reduction.unit[at];
      if (!(scaled <= scaledDual)) scaledDual = scaled;
      const unit = reduction.unit[at];
      const zL = Math.abs(this.multL[j]);
      const zU = Math.abs(this.multU[j]);
      if (zL !== 0) gap = Math.max(gap, Math.abs((x[j] - base.lower[at] * unit) * zL - target));
      if (zU !== 0) gap = Math.max(gap, Math.abs((base.upper[at] * unit - x[j]) * zU - target));
    }
    for (let k: i32 = 0; k < base.singles; k++) {
      const row = base.row[k];
      const i = reduction.row[row];
      const at = base.n + k;
      const unit: f64 = 1 / reduction.weight[row];
      const inverse: f64 = 1 / (Math.abs(base.objectiveScale) * unit);
      const zL = now.zL[at] * inverse;
      const zU = now.zU[at] * inverse;
      dual = Math.max(dual, Math.abs(now.y[row] + now.zL[at] - now.zU[at]) * inverse);
      // Only well inside of its bound: outside, the row is violated, and that is not to be multiplied by what may be huge.
      const near = settings.tol * Math.max(1, Math.abs(this.g[i]));
      if (zL !== 0) gap = Math.max(gap, (this.g[i] - base.lower[at] * unit - near) * zL - target);
      if (zU !== 0) gap = Math.max(gap, (base.upper[at] * unit - this.g[i] - near) * zU - target);
    }
    this.dualInfeasibility = dual;
    this.complementarity = gap;
    this.violation = this.worstViolation();
    // Rounding differs from one way to the other.
    return scaledDual <= 1.1 * settings.tol * this.main.state.dualScale() &&
      dual <= 1.1 * settings.dual_inf_tol &&
      this.relaxedViolation() <= 1.1 * settings.constr_viol_tol && gap <= 1.1 * settings.compl_inf_tol;
  }

  /** Largest violation of the bounds as they were relaxed for the solve, in the user's units. */
  private relaxedViolation(): f64 {
    const base = this.base;
    let most: f64 = 0;
    for (let i: i32 = 0; i < base.m; i++) {
      const row = base.reduction.row[i];
      if (this.model.gl[row] === this.model.gu[row]) {
        most = Math.max(most, Math.abs(this.g[row] - this.model.gl[row]));
      }
    }
    for (let k: i32 = 0; k < base.singles; k++) {
      const i = base.row[k];
      const value = this.g[base.reduction.row[i]];
      const weight = base.reduction.weight[i];
      most = Math.max(
        most,
        Math.max(base.lower[base.n + k] / weight - value, value - base.upper[base.n + k] / weight),
      );
    }
    return most;
  }
}
