/// <reference types="./portable.d.ts" />
import { ln } from "./elementary.ts";
import { Nlp } from "./nlp.ts";
import { Settings } from "./settings.ts";
import { copy, largest, sumOfSizes } from "./vector.ts";

const EPSILON: f64 = 2.220446049250313e-16;

/** One iterate: v = (x, t), multipliers y of the rows and zL, zU of the bounds (0 where a side is open). */
export class Point {
  readonly v: Float64Array;
  readonly y: Float64Array;
  readonly zL: Float64Array;
  readonly zU: Float64Array;
  readonly c: Float64Array;
  f: f64 = 0;
  /** ‖c‖₁ */
  theta: f64 = 0;

  constructor(size: i32, m: i32) {
    this.v = new Float64Array(size);
    this.y = new Float64Array(m);
    this.zL = new Float64Array(size);
    this.zU = new Float64Array(size);
    this.c = new Float64Array(m);
  }

  assign(other: Point, size: i32, m: i32): void {
    copy(size, other.v, this.v);
    copy(m, other.y, this.y);
    copy(size, other.zL, this.zL);
    copy(size, other.zU, this.zU);
    copy(m, other.c, this.c);
    this.f = other.f;
    this.theta = other.theta;
  }
}

/** Everything that the parts of one interior-point solve share: iterate, trial, step and the measures of both. */
export class State {
  readonly nlp: Nlp;
  readonly settings: Settings;
  mu: f64 = 0.1;
  tau: f64 = 0.99;
  /** µ when the Hessian was taken; a fall of µ after that leaves the curvature of the proximity as it was. */
  hessianMu: f64 = 0.1;
  readonly now: Point;
  readonly next: Point;
  /** ∇f at `now`. */
  readonly gradient: Float64Array;
  readonly dv: Float64Array;
  readonly dy: Float64Array;
  readonly dzL: Float64Array;
  readonly dzU: Float64Array;
  readonly work: Float64Array;
  /** Largest entry of the last step that Newton's method gave, whichever was taken. */
  stepSize: f64 = 0;
  alphaPrimal: f64 = 0;
  alphaDual: f64 = 0;
  trials: i32 = 0;
  /** Set by the line search after two steps that changed nothing. */
  tinyStep: boolean = false;
  free: boolean = false;

  constructor(nlp: Nlp, settings: Settings, size: i32, m: i32) {
    this.nlp = nlp;
    this.settings = settings;
    this.now = new Point(size, m);
    this.next = new Point(size, m);
    this.gradient = new Float64Array(size);
    this.dv = new Float64Array(size);
    this.dy = new Float64Array(m);
    this.dzL = new Float64Array(size);
    this.dzU = new Float64Array(size);
    this.work = new Float64Array(size);
  }

  /** Before the first iterate: no step has been taken. */
  begin(): void {
    this.stepSize = this.alphaPrimal = this.alphaDual = 0;
    this.trials = 0;
    this.tinyStep = false;
  }

  /** Evaluates f and c. @returns False where they cannot be. */
  evaluate(point: Point): boolean {
    point.f = this.nlp.objective(point.v, this.mu);
    if (point.f - point.f !== 0) return false;
    if (!this.nlp.residual(point.v, point.c)) return false;
    point.theta = sumOfSizes(this.nlp.m, point.c);
    return point.theta - point.theta === 0;
  }

  /** f − µ Σ ln(slacks), with κ_d·µ·(slack) on sides that have no other side. NaN outside the bounds. */
  barrier(point: Point): f64 {
    const nlp = this.nlp;
    const damping = this.settings.kappa_d * this.mu;
    let logs: f64 = 0;
    let linear: f64 = 0;
    // Products of slacks between the logarithms: one logarithm for many entries.
    let product: f64 = 1;
    for (let i: i32 = 0; i < nlp.size; i++) {
      const lower = nlp.lower[i];
      const upper = nlp.upper[i];
      const v = point.v[i];
      if (lower > -Infinity) {
        product *= v - lower;
        if (upper === Infinity) linear += v - lower;
        if (!(v > lower)) return NaN;
      }
      if (product < 1e-60 || product > 1e60) {
        logs += ln(product);
        product = 1;
      }
      if (upper < Infinity) {
        product *= upper - v;
        if (lower === -Infinity) linear += upper - v;
        if (!(v < upper)) return NaN;
      }
      if (product < 1e-60 || product > 1e60) {
        logs += ln(product);
        product = 1;
      }
    }
    logs += ln(product);
    return point.f - this.mu * logs + damping * linear;
  }

  /** Directional derivative of the barrier function along dv. */
  slope(): f64 {
    const nlp = this.nlp;
    const damping = this.settings.kappa_d * this.mu;
    let sum: f64 = 0;
    for (let i: i32 = 0; i < nlp.size; i++) {
      let g = this.gradient[i];
      const lower = nlp.lower[i];
      const upper = nlp.upper[i];
      if (lower > -Infinity) {
        g -= this.mu / (this.now.v[i] - lower);
        if (upper === Infinity) g += damping;
      }
      if (upper < Infinity) {
        g += this.mu / (upper - this.now.v[i]);
        if (lower === -Infinity) g -= damping;
      }
      sum += g * this.dv[i];
    }
    return sum;
  }

  /** ∇f + Jᵀy − zL + zU at `now` (the system holds its Jacobian). */
  lagrangian(point: Point, gradient: Float64Array, out: Float64Array): void {
    const nlp = this.nlp;
    for (let i: i32 = 0; i < nlp.size; i++) out[i] = gradient[i] - point.zL[i] + point.zU[i];
    nlp.addTransposed(point.y, out);
  }

  dualInfeasibility(): f64 {
    this.lagrangian(this.now, this.gradient, this.work);
    return largest(this.nlp.size, this.work);
  }

  primalInfeasibility(point: Point): f64 {
    return largest(this.nlp.m, point.c);
  }

  /** Largest |slack·z − µ|. */
  complementarity(mu: f64): f64 {
    const nlp = this.nlp;
    const now = this.now;
    let most: f64 = 0;
    for (let i: i32 = 0; i < nlp.size; i++) {
      if (nlp.lower[i] > -Infinity) {
        most = Math.max(most, Math.abs((now.v[i] - nlp.lower[i]) * now.zL[i] - mu));
      }
      if (nlp.upper[i] < Infinity) {
        most = Math.max(most, Math.abs((nlp.upper[i] - now.v[i]) * now.zU[i] - mu));
      }
    }
    return most;
  }

  /** s_d of equation (6): large multipliers make the dual residual large by rounding alone. */
  dualScale(): f64 {
    const most = this.settings.s_max;
    const sum = sumOfSizes(this.nlp.size, this.now.zL) + sumOfSizes(this.nlp.size, this.now.zU) +
      sumOfSizes(this.nlp.m, this.now.y);
    const count: f64 = (this.bounds() + this.nlp.m) as f64;
    return count > 0 ? Math.max(most, sum / count) / most : 1;
  }

  /** By how much a row is outside its bounds, whatever its slack is; of an equality |c|. */
  rowViolation(point: Point, row: i32): f64 {
    const nlp = this.nlp;
    const k = nlp.slack[row];
    if (k < 0) return Math.abs(point.c[row]);
    const at = nlp.n + k;
    const value = point.c[row] + point.v[at];
    return Math.max(0, Math.max(nlp.lower[at] - value, value - nlp.upper[at]));
  }

  /** The scaled error E_µ of the barrier problem, equation (5) of the paper. */
  error(mu: f64): f64 {
    return this.errorWith(mu, this.primalInfeasibility(this.now));
  }

  /** The same of the problem itself: what counts is that rows are within their bounds, not that slacks equal them. */
  optimalityError(mu: f64): f64 {
    return this.errorWith(mu, this.violation(this.now));
  }

  violation(point: Point): f64 {
    let most: f64 = 0;
    for (let i: i32 = 0; i < this.nlp.m; i++) most = Math.max(most, this.rowViolation(point, i));
    return most;
  }

  private errorWith(mu: f64, infeasibility: f64): f64 {
    const nlp = this.nlp;
    const most = this.settings.s_max;
    const z = sumOfSizes(nlp.size, this.now.zL) + sumOfSizes(nlp.size, this.now.zU);
    const bounds: f64 = this.bounds() as f64;
    const sc = bounds > 0 ? Math.max(most, z / bounds) / most : 1;
    return Math.max(
      Math.max(this.dualInfeasibility() / this.dualScale(), infeasibility),
      this.complementarity(mu) / sc,
    );
  }

  /** Takes gradient and Jacobian at `now`. */
  refresh(): boolean {
    return this.nlp.gradient(this.now.v, this.mu, this.gradient) && this.nlp.jacobian(this.now.v);
  }

  /** Mean violation of the primal-dual equations, each kind by itself. */
  meanError(mu: f64): f64 {
    const nlp = this.nlp;
    const now = this.now;
    this.lagrangian(now, this.gradient, this.work);
    let sum = sumOfSizes(nlp.size, this.work) / (nlp.size as f64);
    if (nlp.m > 0) sum += now.theta / (nlp.m as f64);
    let products: f64 = 0;
    for (let i: i32 = 0; i < nlp.size; i++) {
      if (nlp.lower[i] > -Infinity) products += Math.abs((now.v[i] - nlp.lower[i]) * now.zL[i] - mu);
      if (nlp.upper[i] < Infinity) products += Math.abs((nlp.upper[i] - now.v[i]) * now.zU[i] - mu);
    }
    const bounds = this.bounds();
    return bounds > 0 ? sum + products / (bounds as f64) : sum;
  }

  bounds(): i32 {
    let count: i32 = 0;
    for (let i: i32 = 0; i < this.nlp.size; i++) {
      if (this.nlp.lower[i] > -Infinity) count++;
      if (this.nlp.upper[i] < Infinity) count++;
    }
    return count;
  }

  /** Mean of slack·z. */
  averageComplementarity(): f64 {
    const nlp = this.nlp;
    const now = this.now;
    let sum: f64 = 0;
    for (let i: i32 = 0; i < nlp.size; i++) {
      if (nlp.lower[i] > -Infinity) sum += (now.v[i] - nlp.lower[i]) * now.zL[i];
      if (nlp.upper[i] < Infinity) sum += (nlp.upper[i] - now.v[i]) * now.zU[i];
    }
    const bounds = this.bounds();
    return bounds > 0 ? sum / (bounds as f64) : 0;
  }

  /** Largest α ≤ 1 with slack(v + α·d) ≥ (1 − τ)·slack(v). */
  primalFraction(d: Float64Array, tau: f64): f64 {
    const nlp = this.nlp;
    let alpha: f64 = 1;
    for (let i: i32 = 0; i < nlp.size; i++) {
      const v = this.now.v[i];
      if (d[i] < 0) {
        if (nlp.lower[i] > -Infinity) alpha = Math.min(alpha, tau * (v - nlp.lower[i]) / -d[i]);
      } else if (d[i] > 0) {
        if (nlp.upper[i] < Infinity) alpha = Math.min(alpha, tau * (nlp.upper[i] - v) / d[i]);
      }
    }
    return alpha;
  }

  dualFraction(dzL: Float64Array, dzU: Float64Array, tau: f64): f64 {
    let alpha: f64 = 1;
    for (let i: i32 = 0; i < this.nlp.size; i++) {
      if (dzL[i] < 0) alpha = Math.min(alpha, -tau * this.now.zL[i] / dzL[i]);
      if (dzU[i] < 0) alpha = Math.min(alpha, -tau * this.now.zU[i] / dzU[i]);
    }
    return alpha;
  }

  /** next.v = now.v + α·d, kept off the bounds by rounding's worth. */
  moveTo(alpha: f64, d: Float64Array): void {
    for (let i: i32 = 0; i < this.nlp.size; i++) this.next.v[i] = this.now.v[i] + alpha * d[i];
    this.keepInside(this.next);
  }

  /**
   * A slack that rounding has made smaller than ε·min(1, µ) cannot be worked with: its bound gives way a little
   * (section 3.5 of the paper).
   */
  keepInside(point: Point): void {
    const nlp = this.nlp;
    const least = EPSILON * Math.min(1, this.mu);
    for (let i: i32 = 0; i < nlp.size; i++) {
      const v = point.v[i];
      if (nlp.lower[i] > -Infinity && v - nlp.lower[i] < least) {
        nlp.lower[i] = v - this.room(v - nlp.lower[i], this.now.zL[i], nlp.lower[i]);
      }
      if (nlp.upper[i] < Infinity && nlp.upper[i] - v < least) {
        nlp.upper[i] = v + this.room(nlp.upper[i] - v, this.now.zU[i], nlp.upper[i]);
      }
    }
  }

  private room(slack: f64, z: f64, bound: f64): f64 {
    // ε^¾
    const move: f64 = 1.8189894035458565e-12 * Math.max(1, Math.abs(bound));
    const wanted = z > 0 ? this.mu / z : move;
    return Math.max(
      Math.min(Math.max(wanted, slack), Math.max(slack, 0) + move),
      EPSILON * Math.max(1, Math.abs(bound)),
    );
  }

  /** The trial becomes the iterate: multipliers take their own step, then stay within κ_Σ of µ/slack. */
  accept(alphaPrimal: f64, alphaDual: f64): void {
    const nlp = this.nlp;
    const now = this.now;
    const next = this.next;
    for (let i: i32 = 0; i < nlp.m; i++) next.y[i] = now.y[i] + alphaPrimal * this.dy[i];
    for (let i: i32 = 0; i < nlp.size; i++) {
      next.zL[i] = now.zL[i] + alphaDual * this.dzL[i];
      next.zU[i] = now.zU[i] + alphaDual * this.dzU[i];
    }
    this.alphaPrimal = alphaPrimal;
    this.alphaDual = alphaDual;
    now.assign(next, nlp.size, nlp.m);
    this.correctMultipliers();
  }

  correctMultipliers(): void {
    const nlp = this.nlp;
    const now = this.now;
    const kappa = this.settings.kappa_sigma;
    const mu = this.free ? Math.min(1e3, this.averageComplementarity()) : this.mu;
    for (let i: i32 = 0; i < nlp.size; i++) {
      if (nlp.lower[i] > -Infinity) {
        const ratio = mu / (now.v[i] - nlp.lower[i]);
        now.zL[i] = Math.max(Math.min(now.zL[i], kappa * ratio), ratio / kappa);
      }
      if (nlp.upper[i] < Infinity) {
        const ratio = mu / (nlp.upper[i] - now.v[i]);
        now.zU[i] = Math.max(Math.min(now.zU[i], kappa * ratio), ratio / kappa);
      }
    }
  }
}
