/// <reference types="./portable.d.ts" />
import { Nlp } from "./nlp.ts";
import { ScaledNlp } from "./scaled_nlp.ts";
import { Settings } from "./settings.ts";

/**
 * The problem of the restoration phase (Wächter and Biegler 2006, section 3.3): the constraints with relaxations,
 * c(v) − p + q = 0 and p, q ≥ 0, under ρ·Σ(p + q) + ½·ζ·(x − x_R)ᵀD(x − x_R), ζ = weight·√µ. Slacks are left
 * free: they follow x.
 */
export class RestorationNlp extends Nlp {
  private readonly base: ScaledNlp;
  /** Where the restoration began. */
  readonly reference: Float64Array;
  private readonly nearness: Float64Array;
  private readonly settings: Settings;

  constructor(base: ScaledNlp, settings: Settings) {
    const m = base.model.m;
    super(base.system, base.model.n + 3 * m, m, 3 * m);
    this.dependsOnMu = true;
    this.base = base;
    this.settings = settings;
    this.reference = new Float64Array(base.model.n);
    this.nearness = new Float64Array(base.model.n);
  }

  begin(v: Float64Array): void {
    const base = this.base;
    const m = base.m;
    this.n = base.n;
    this.m = m;
    this.singles = base.singles + 2 * m;
    this.size = base.size + 2 * m;
    for (let k: i32 = 0; k < base.n; k++) {
      this.reference[k] = v[k];
      this.nearness[k] = 1 / Math.max(1, Math.abs(v[k]));
    }
    for (let k: i32 = 0; k < base.size; k++) {
      this.lower[k] = base.lower[k];
      this.upper[k] = base.upper[k];
    }
    for (let k: i32 = 0; k < base.singles; k++) {
      this.row[k] = base.row[k];
      this.sign[k] = base.sign[k];
    }
    for (let i: i32 = 0; i < m; i++) {
      this.slack[i] = base.slack[i];
      const p = base.singles + i;
      const q = p + m;
      this.row[p] = this.row[q] = i;
      this.sign[p] = -1;
      this.sign[q] = 1;
      this.lower[this.n + p] = this.lower[this.n + q] = 0;
      this.upper[this.n + p] = this.upper[this.n + q] = Infinity;
    }
  }

  private weight(mu: f64): f64 {
    return this.settings.resto_proximity_weight * Math.sqrt(mu);
  }

  override objective(v: Float64Array, mu: f64): f64 {
    // The users' objective has no part in this problem, but a point where it is undefined must not be reached.
    if (this.settings.evaluate_orig_obj_at_resto_trial) {
      const f = this.base.objective(v, mu);
      if (f - f !== 0) return NaN;
    }
    let sum: f64 = 0;
    for (let k = this.base.size; k < this.size; k++) sum += v[k];
    let far: f64 = 0;
    for (let k: i32 = 0; k < this.n; k++) {
      const distance = v[k] - this.reference[k];
      far += this.nearness[k] * distance * distance;
    }
    return this.settings.resto_penalty_parameter * sum + 0.5 * this.weight(mu) * far;
  }

  override gradient(v: Float64Array, mu: f64, out: Float64Array): boolean {
    const weight = this.weight(mu);
    for (let k: i32 = 0; k < this.n; k++) {
      out[k] = weight * this.nearness[k] * (v[k] - this.reference[k]);
    }
    for (let k = this.n; k < this.base.size; k++) out[k] = 0;
    for (let k = this.base.size; k < this.size; k++) out[k] = this.settings.resto_penalty_parameter;
    return true;
  }

  override residual(v: Float64Array, out: Float64Array): boolean {
    if (!this.base.residual(v, out)) return false;
    const p = this.base.size;
    for (let i: i32 = 0; i < this.m; i++) out[i] += v[p + this.m + i] - v[p + i];
    return true;
  }

  override jacobian(v: Float64Array): boolean {
    return this.base.jacobian(v);
  }

  override hessian(v: Float64Array, _mu: f64, y: Float64Array): boolean {
    return this.base.hessianWith(0, v, y);
  }

  override addDiagonal(mu: f64, dx: Float64Array): void {
    const weight = this.weight(mu);
    for (let k: i32 = 0; k < this.n; k++) dx[k] += weight * this.nearness[k];
  }

  /** Best relaxations for given x and slacks: the minimiser of the barrier problem in p and q alone. */
  relax(mu: f64, v: Float64Array, residual: Float64Array): boolean {
    const at = this.base.size;
    const m = this.m;
    if (!this.base.residual(v, residual)) return false;
    const rho = this.settings.resto_penalty_parameter;
    for (let i: i32 = 0; i < m; i++) {
      const c = residual[i];
      // The smaller of the two is the root of a quadratic, taken without cancellation; the other differs from it by c.
      const size = Math.abs(c);
      const half = 0.5 * (mu / rho - size);
      const product = mu * size / (2 * rho);
      const root = Math.sqrt(half * half + product);
      const small = half < 0 ? product / (root - half) : half + root;
      v[at + i] = c > 0 ? small + size : small;
      v[at + m + i] = c > 0 ? small : small + size;
    }
    return true;
  }
}
