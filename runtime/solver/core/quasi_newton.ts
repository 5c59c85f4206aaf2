/// <reference types="./portable.d.ts" />
import { LinearSystem } from "../linear_algebra/linear_system.ts";
import { addProducts } from "../linear_algebra/low_rank.ts";
import { Nlp } from "./nlp.ts";
import { Settings } from "./settings.ts";
import { State } from "./state.ts";
import { copy, dot, fill } from "./vector.ts";

/** Powell's bound: a damped update keeps at least this share of the present curvature. */
const DAMPING: f64 = 0.2;
/** √ε: less curvature than this, relative to the lengths, is noise. */
const LEAST_CURVATURE: f64 = 1.4901161193847656e-8;
const MAX_SKIPPED: i32 = 2;
const ROUNDING: f64 = 1e-15;
/** Bounds of the first matrix's scale. */
const LEAST_SCALE: f64 = 1e-8;
const MOST_SCALE: f64 = 1e8;

/**
 * A matrix in place of the Hessian of the Lagrangian in x, built from the last steps: limited-memory BFGS (Byrd, Nocedal
 * and Schnabel, Math. Program. 63, 1994), written out where the system is dense, else as σI + Σ sign_k·w_k·w_kᵀ; or, where
 * no Hessian was given, nothing was chosen and the system is dense, BFGS with all its memory and Powell's damping (Nocedal
 * and Wright, procedure 18.2).
 */
export class QuasiNewton {
  private n: i32 = 0;
  /** Made when it is first needed: with exact Hessians of large problems it never is. */
  private b: Float64Array = new Float64Array(0);
  /** Steps and changes of gradient, oldest first, n entries each. */
  private steps: Float64Array = new Float64Array(0);
  private changes: Float64Array = new Float64Array(0);
  private readonly dense: boolean;
  private sigma: f64 = 1;
  private count: i32 = 0;
  private w: Float64Array = new Float64Array(0);
  private sign: Float64Array = new Float64Array(0);
  private pairs: i32 = 0;
  private skips: i32 = 0;
  private readonly capacity: i32;
  private readonly s: Float64Array;
  private readonly y: Float64Array;
  private readonly bs: Float64Array;
  /** x, ∇f and the model's Jacobian where the last step began. */
  private readonly from: Float64Array;
  private readonly gradient: Float64Array;
  private jacobian: Float64Array = new Float64Array(0);
  private kept: boolean = false;
  private fresh: boolean = true;
  private readonly settings: Settings;

  constructor(capacity: i32, dense: boolean, settings: Settings) {
    this.settings = settings;
    this.dense = dense;
    this.capacity = capacity;
    this.s = new Float64Array(capacity);
    this.y = new Float64Array(capacity);
    this.bs = new Float64Array(capacity);
    this.from = new Float64Array(capacity);
    this.gradient = new Float64Array(capacity);
  }

  begin(nlp: Nlp): void {
    if (!this.settings.limited_memory) return;
    const entries = nlp.system.rawJacobian.length;
    if (this.jacobian.length < entries) this.jacobian = new Float64Array(entries);
    const history = this.settings.limited_memory_max_history;
    if (this.dense && this.b.length === 0) this.b = new Float64Array(this.capacity * this.capacity);
    if (this.steps.length < history * this.capacity) {
      if (!this.dense) {
        this.w = new Float64Array(2 * history * this.capacity);
        this.sign = new Float64Array(2 * history);
      }
      this.steps = new Float64Array(history * this.capacity);
      this.changes = new Float64Array(history * this.capacity);
    }
    this.n = nlp.n;
    this.identity(1);
    this.fresh = true;
    this.kept = false;
    this.pairs = 0;
    this.skips = 0;
  }

  private identity(scale: f64): void {
    const n = this.n;
    this.sigma = scale;
    this.count = 0;
    if (!this.dense) return;
    fill(n * n, 0, this.b);
    for (let i: i32 = 0; i < n; i++) this.b[i * n + i] = scale;
  }

  store(system: LinearSystem): void {
    if (this.dense) system.setHessian(this.b);
    else system.setLowRank(this.sigma, this.count, this.w, this.sign);
  }

  /** Remembers x, gradient and Jacobian of the iterate from which the next step is taken. */
  keep(state: State): void {
    if (!this.settings.limited_memory) return;
    this.kept = true;
    copy(this.n, state.now.v, this.from);
    copy(this.n, state.gradient, this.gradient);
    const raw = state.nlp.system.rawJacobian;
    if (state.nlp.m > 0) copy(raw.length, raw, this.jacobian);
  }

  /**
   * Learns from the way to the present iterate, wherever a watchdog or a restoration has led meanwhile:
   * y = ∇L(now) − ∇L(then), both with the present multipliers.
   */
  update(state: State): void {
    if (!this.kept) return;
    const n = this.n;
    const system = state.nlp.system;
    for (let i: i32 = 0; i < n; i++) {
      this.s[i] = state.now.v[i] - this.from[i];
      this.y[i] = state.gradient[i] - this.gradient[i];
    }
    if (state.nlp.m > 0) {
      for (let i: i32 = 0; i < n; i++) this.y[i] = -this.y[i];
      this.exchange(system);
      system.addTransposed(state.now.y, this.y);
      for (let i: i32 = 0; i < n; i++) this.y[i] = -this.y[i];
      this.exchange(system);
      system.addTransposed(state.now.y, this.y);
    }
    if (this.settings.damped) this.updateDamped();
    else this.updateLimited(state);
  }

  /** Puts the remembered Jacobian into the system, and remembers the one that was there. */
  private exchange(system: LinearSystem): void {
    const raw = system.rawJacobian;
    for (let k: i32 = 0; k < raw.length; k++) {
      const value = raw[k];
      raw[k] = this.jacobian[k];
      this.jacobian[k] = value;
    }
    system.takeJacobian();
  }

  private updateDamped(): void {
    const n = this.n;
    const length = dot(n, this.s, this.s);
    if (!(length > 0)) return;
    const change = dot(n, this.y, this.y);
    const curvature = dot(n, this.s, this.y);
    if (this.fresh && curvature > LEAST_CURVATURE * Math.sqrt(length * change)) {
      this.identity(Math.max(LEAST_SCALE, Math.min(MOST_SCALE, change / curvature)));
      this.fresh = false;
    }
    this.times(this.s);
    const sbs = dot(n, this.s, this.bs);
    if (!(sbs > 0)) return;
    if (curvature < DAMPING * sbs) {
      const keep = (1 - DAMPING) * sbs / (sbs - curvature);
      for (let i: i32 = 0; i < n; i++) this.y[i] = keep * this.y[i] + (1 - keep) * this.bs[i];
    }
    this.add(sbs, dot(n, this.s, this.y));
  }

  /** The first matrix is sᵀy/sᵀs·I as IPOPT has it; without rows yᵀy/sᵀy·I solves more problems. */
  private updateLimited(state: State): void {
    const n = this.n;
    const length = dot(n, this.s, this.s);
    const change = dot(n, this.y, this.y);
    // Rounding alone, as on a linear program: nothing is skipped, there is no curvature.
    if (!(change > ROUNDING * ROUNDING * dot(n, state.gradient, state.gradient))) {
      if (this.pairs === 0) this.identity(LEAST_SCALE);
      return;
    }
    if (this.skips === MAX_SKIPPED) {
      this.pairs = 0;
      this.skips = 0;
      this.identity(1);
      return;
    }
    const curvature = dot(n, this.s, this.y);
    if (!(curvature > LEAST_CURVATURE * Math.sqrt(length * change))) {
      this.skips++;
      return;
    }
    this.skips = 0;
    const history = this.settings.limited_memory_max_history;
    if (this.pairs === history) {
      const kept = (history - 1) * n;
      for (let i: i32 = 0; i < kept; i++) {
        this.steps[i] = this.steps[i + n];
        this.changes[i] = this.changes[i + n];
      }
      this.pairs--;
    }
    const at = this.pairs * n;
    for (let i: i32 = 0; i < n; i++) {
      this.steps[at + i] = this.s[i];
      this.changes[at + i] = this.y[i];
    }
    this.pairs++;
    const scale = state.nlp.m > 0 ? curvature / length : change / curvature;
    this.identity(Math.max(LEAST_SCALE, Math.min(MOST_SCALE, scale)));
    for (let k: i32 = 0; k < this.pairs; k++) {
      for (let i: i32 = 0; i < n; i++) {
        this.s[i] = this.steps[k * n + i];
        this.y[i] = this.changes[k * n + i];
      }
      this.times(this.s);
      const sbs = dot(n, this.s, this.bs);
      if (sbs > 0) this.add(sbs, dot(n, this.s, this.y));
    }
  }

  /** bs = B·s */
  private times(s: Float64Array): void {
    const n = this.n;
    if (!this.dense) {
      for (let i: i32 = 0; i < n; i++) this.bs[i] = this.sigma * s[i];
      addProducts(n, this.count, this.w, this.sign, s, this.bs);
      return;
    }
    for (let i: i32 = 0; i < n; i++) {
      let sum: f64 = 0;
      for (let j: i32 = 0; j < n; j++) sum += this.b[i * n + j] * s[j];
      this.bs[i] = sum;
    }
  }

  /** B += y·yᵀ/sᵀy − (B·s)(B·s)ᵀ/sᵀBs */
  private add(sbs: f64, sy: f64): void {
    const n = this.n;
    if (!this.dense) {
      const at = this.count * n;
      const up: f64 = 1 / Math.sqrt(sy);
      const down: f64 = 1 / Math.sqrt(sbs);
      for (let i: i32 = 0; i < n; i++) {
        this.w[at + i] = this.y[i] * up;
        this.w[at + n + i] = this.bs[i] * down;
      }
      this.sign[this.count++] = 1;
      this.sign[this.count++] = -1;
      return;
    }
    for (let i: i32 = 0; i < n; i++) {
      for (let j: i32 = 0; j < n; j++) {
        this.b[i * n + j] += this.y[i] * this.y[j] / sy - this.bs[i] * this.bs[j] / sbs;
      }
    }
  }
}
