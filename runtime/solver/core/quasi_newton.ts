/// <reference types="./portable.d.ts" />
import { LinearSystem } from "../linear_algebra/linear_system.ts";
import { Settings } from "./settings.ts";
import { State } from "./state.ts";
import { copy, dot } from "./vector.ts";

/** Powell's bound: the update keeps at least this share of the present curvature. */
const DAMPING: f64 = 0.2;

/** Damped BFGS matrix for the Hessian of the Lagrangian in x (Powell 1978; Nocedal and Wright, procedure 18.2). */
export class QuasiNewton {
  private n: i32 = 0;
  /** Made when it is first needed: with exact Hessians of large problems it never is. */
  private b: Float64Array = new Float64Array(0);
  private readonly capacity: i32;
  private readonly s: Float64Array;
  private readonly y: Float64Array;
  private readonly bs: Float64Array;
  private readonly from: Float64Array;
  private skipped: boolean = false;
  private fresh: boolean = true;
  private readonly settings: Settings;

  constructor(capacity: i32, settings: Settings) {
    this.settings = settings;
    this.capacity = capacity;
    this.s = new Float64Array(capacity);
    this.y = new Float64Array(capacity);
    this.bs = new Float64Array(capacity);
    this.from = new Float64Array(capacity);
  }

  begin(n: i32): void {
    if (!this.settings.limited_memory) return;
    if (this.b.length === 0) this.b = new Float64Array(this.capacity * this.capacity);
    this.n = n;
    for (let i: i32 = 0; i < n * n; i++) this.b[i] = 0;
    for (let i: i32 = 0; i < n; i++) this.b[i * n + i] = 1;
    this.fresh = true;
    this.skipped = false;
  }

  store(system: LinearSystem): void {
    system.setHessian(this.b);
  }

  /** Remembers x before the step. */
  keep(state: State): void {
    if (this.settings.limited_memory) copy(this.n, state.now.v, this.from);
  }

  /** The next update is left out: the Jacobian of the point before is gone. */
  skip(): void {
    this.skipped = true;
  }

  /** After the step, before derivatives are taken anew: y = −∇L(old x, new multipliers). */
  before(state: State): void {
    if (!this.settings.limited_memory) return;
    const n = this.n;
    for (let i: i32 = 0; i < n; i++) {
      this.s[i] = state.now.v[i] - this.from[i];
      this.y[i] = state.gradient[i];
    }
    state.nlp.system.addTransposed(state.now.y, this.y);
    for (let i: i32 = 0; i < n; i++) this.y[i] = -this.y[i];
  }

  after(state: State): void {
    if (!this.settings.limited_memory) return;
    if (this.skipped) {
      this.skipped = false;
      return;
    }
    const n = this.n;
    const bs = this.bs;
    for (let i: i32 = 0; i < n; i++) this.y[i] += state.gradient[i];
    state.nlp.system.addTransposed(state.now.y, this.y);
    const length = dot(n, this.s, this.s);
    if (!(length > 0)) return;
    const curvature = dot(n, this.s, this.y);
    if (this.fresh && curvature > 1e-8 * Math.sqrt(length * dot(n, this.y, this.y))) {
      const scale = Math.max(1e-8, Math.min(1e8, dot(n, this.y, this.y) / curvature));
      for (let i: i32 = 0; i < n; i++) this.b[i * n + i] = scale;
      this.fresh = false;
    }
    for (let i: i32 = 0; i < n; i++) {
      let sum: f64 = 0;
      for (let j: i32 = 0; j < n; j++) sum += this.b[i * n + j] * this.s[j];
      bs[i] = sum;
    }
    const sbs = dot(n, this.s, bs);
    if (!(sbs > 0)) return;
    if (curvature < DAMPING * sbs) {
      const keep = (1 - DAMPING) * sbs / (sbs - curvature);
      for (let i: i32 = 0; i < n; i++) this.y[i] = keep * this.y[i] + (1 - keep) * bs[i];
    }
    const sy = dot(n, this.s, this.y);
    for (let i: i32 = 0; i < n; i++) {
      for (let j: i32 = 0; j < n; j++) {
        this.b[i * n + j] += this.y[i] * this.y[j] / sy - bs[i] * bs[j] / sbs;
      }
    }
  }
}
