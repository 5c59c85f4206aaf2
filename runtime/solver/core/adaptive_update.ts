/// <reference types="./portable.d.ts" />
import { Filter } from "./filter.ts";
import { LineSearch } from "./line_search.ts";
import { Newton } from "./newton.ts";
import { Point, State } from "./state.ts";

/** (3 − √5)/2 */
const GOLDEN: f64 = 0.3819660112501051;
const SIGMA_MIN: f64 = 1e-6;
const SIGMA_MAX: f64 = 100;
const SECTIONS: i32 = 8;
const SECTION_TOLERANCE: f64 = 1e-2;

/**
 * Adaptive barrier parameter (Nocedal, Wächter and Waltz, SIAM J. Optim. 19, 2009): in free mode µ = σ·(mean
 * complementarity), σ by a golden section on the quality function; where the iterates make no progress that the
 * objective-and-violation filter accepts, Fiacco and McCormick's rule takes over until they do again.
 */
export class AdaptiveUpdate {
  private readonly state: State;
  private readonly newton: Newton;
  private readonly search: LineSearch;
  /** Steps for µ = 0, and for µ = mean complementarity minus that. */
  private readonly affine: Point;
  private readonly centering: Point;
  private readonly filter: Filter = new Filter();
  private most: f64 = -1;
  private mean: f64 = 0;
  private dualSum: f64 = 0;
  private primalSum: f64 = 0;

  constructor(state: State, newton: Newton, search: LineSearch, size: i32, m: i32) {
    this.state = state;
    this.newton = newton;
    this.search = search;
    this.affine = new Point(size, m);
    this.centering = new Point(size, m);
  }

  begin(floor: f64): void {
    const state = this.state;
    this.most = -1;
    this.filter.clear();
    state.tau = state.settings.tau_min;
    state.free = true;
    // Without bounds µ is this from the first system on, whose δc depends on it.
    if (state.bounds() === 0) state.mu = this.least(floor);
  }

  private least(floor: f64): f64 {
    const settings = this.state.settings;
    return Math.min(settings.mu_min, 0.5 * floor * (settings.barrier_tol_factor + 1));
  }

  /**
   * Chooses µ and τ; the system holds the factors at `now`.
   * @returns False where steps are lost in rounding and µ can fall no more.
   */
  update(floor: f64): boolean {
    const state = this.state;
    const tiny = state.tinyStep;
    state.tinyStep = false;
    if (state.bounds() === 0) return !tiny;
    const least = this.least(floor);
    this.mean = state.averageComplementarity();
    if (this.most < 0) this.most = Math.min(state.settings.mu_max, state.settings.mu_max_fact * this.mean);
    const progress = this.isProgress() && !tiny;
    if (!state.free) {
      if (!progress) return this.lower(tiny, least);
      state.free = true;
      this.remember();
    } else if (progress) {
      this.remember();
    } else {
      state.free = false;
      const mu = state.settings.adaptive_mu_monotone_init_factor * this.mean;
      const within = Math.max(least, Math.min(this.most, mu));
      return this.set(within, 1 - within);
    }
    const tau = 1 - state.optimalityError(0);
    state.tau = Math.max(state.settings.tau_min, tau);
    const mu = this.oracle(least);
    return this.set(Math.max(least, Math.min(this.most, mu)), tau);
  }

  /** Better than every remembered iterate in violation or objective, by a margin that shrinks with the error. */
  private isProgress(): boolean {
    const settings = this.state.settings;
    const now = this.state.now;
    const error = this.state.optimalityError(0);
    const margin = settings.filter_margin_fact * Math.min(settings.filter_max_margin, error);
    return this.filter.accepts(now.theta + margin, now.f + margin);
  }

  private remember(): void {
    this.filter.add(this.state.now.theta, this.state.now.f);
  }

  private lower(tiny: boolean, least: f64): boolean {
    const state = this.state;
    const settings = state.settings;
    if (!tiny && state.error(state.mu) > settings.barrier_tol_factor * state.mu) return true;
    const wanted = Math.max(
      least,
      Math.min(settings.mu_linear_decrease_factor * state.mu, state.mu * Math.sqrt(state.mu)),
    );
    if (!(wanted < state.mu)) return !tiny;
    return this.set(wanted, 1 - wanted);
  }

  /** @returns False where the restoration's objective, which has µ in it, cannot be evaluated. */
  private set(mu: f64, tau: f64): boolean {
    const state = this.state;
    state.mu = mu;
    state.tau = Math.max(state.settings.tau_min, tau);
    this.search.reset();
    return !state.nlp.dependsOnMu || (state.evaluate(state.now) && state.refresh());
  }

  /** µ that makes the step best. */
  private oracle(least: f64): f64 {
    const state = this.state;
    const a = this.affine;
    const c = this.centering;
    const nlp = state.nlp;
    if (
      !this.newton.solve(0, state.now.c, a.v, a.y, a.zL, a.zU) ||
      !this.newton.solve(this.mean, state.now.c, c.v, c.y, c.zL, c.zU)
    ) return this.mean;
    for (let i: i32 = 0; i < nlp.size; i++) {
      c.v[i] -= a.v[i];
      c.zL[i] -= a.zL[i];
      c.zU[i] -= a.zU[i];
    }
    state.lagrangian(state.now, state.gradient, state.work);
    this.dualSum = 0;
    for (let i: i32 = 0; i < nlp.size; i++) this.dualSum += state.work[i] * state.work[i];
    this.primalSum = 0;
    for (let i: i32 = 0; i < nlp.m; i++) this.primalSum += state.now.c[i] * state.now.c[i];
    const below: f64 = 1 - Math.max(1e-4, SECTION_TOLERANCE);
    if (this.quality(below) > this.quality(1)) {
      const up = Math.min(SIGMA_MAX, this.most / this.mean);
      return (up > 1 ? this.section(1, up) : 1) * this.mean;
    }
    const low = Math.max(SIGMA_MIN, least / this.mean);
    return (low < below ? this.section(low, below) : below) * this.mean;
  }

  private section(from: f64, to: f64): f64 {
    let low = from;
    let up = to;
    const qLow = this.quality(low);
    const qUp = this.quality(up);
    let mid1 = low + GOLDEN * (up - low);
    let mid2 = low + (1 - GOLDEN) * (up - low);
    let q1 = this.quality(mid1);
    let q2 = this.quality(mid2);
    for (let k: i32 = 0; k < SECTIONS && up - low >= SECTION_TOLERANCE * up; k++) {
      if (q1 > q2) {
        low = mid1;
        mid1 = mid2;
        q1 = q2;
        mid2 = low + (1 - GOLDEN) * (up - low);
        q2 = this.quality(mid2);
      } else {
        up = mid2;
        mid2 = mid1;
        q2 = q1;
        mid1 = low + GOLDEN * (up - low);
        q1 = this.quality(mid1);
      }
    }
    let best = q1 < q2 ? mid1 : mid2;
    const q = Math.min(q1, q2);
    if (up === to && qUp < q) best = to;
    else if (low === from && qLow < q) best = from;
    return best;
  }

  /** Linearised optimality error after the step for σ: mean squares of the dual, primal and complementarity parts. */
  private quality(sigma: f64): f64 {
    const state = this.state;
    const nlp = state.nlp;
    const now = state.now;
    const a = this.affine;
    const c = this.centering;
    const tau = state.tau;
    let primal: f64 = 1;
    let dual: f64 = 1;
    for (let i: i32 = 0; i < nlp.size; i++) {
      const d = a.v[i] + sigma * c.v[i];
      if (nlp.lower[i] > -Infinity) {
        if (d < 0) primal = Math.min(primal, tau * (now.v[i] - nlp.lower[i]) / -d);
        const dz = a.zL[i] + sigma * c.zL[i];
        if (dz < 0) dual = Math.min(dual, -tau * now.zL[i] / dz);
      }
      if (nlp.upper[i] < Infinity) {
        if (d > 0) primal = Math.min(primal, tau * (nlp.upper[i] - now.v[i]) / d);
        const dz = a.zU[i] + sigma * c.zU[i];
        if (dz < 0) dual = Math.min(dual, -tau * now.zU[i] / dz);
      }
    }
    let products: f64 = 0;
    let count: f64 = 0;
    for (let i: i32 = 0; i < nlp.size; i++) {
      const v = now.v[i] + primal * (a.v[i] + sigma * c.v[i]);
      if (nlp.lower[i] > -Infinity) {
        const product = (v - nlp.lower[i]) * (now.zL[i] + dual * (a.zL[i] + sigma * c.zL[i]));
        products += product * product;
        count += 1;
      }
      if (nlp.upper[i] < Infinity) {
        const product = (nlp.upper[i] - v) * (now.zU[i] + dual * (a.zU[i] + sigma * c.zU[i]));
        products += product * product;
        count += 1;
      }
    }
    let sum = products / count + (1 - dual) * (1 - dual) * this.dualSum / (nlp.size as f64);
    if (nlp.m > 0) sum += (1 - primal) * (1 - primal) * this.primalSum / (nlp.m as f64);
    return sum;
  }
}
