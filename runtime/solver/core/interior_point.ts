/// <reference types="./portable.d.ts" />
import { AdaptiveUpdate } from "./adaptive_update.ts";
import { BarrierUpdate } from "./barrier_update.ts";
import { Convergence } from "./convergence.ts";
import { LineSearch, NO_STEP } from "./line_search.ts";
import { Newton } from "./newton.ts";
import { Nlp } from "./nlp.ts";
import { QuasiNewton } from "./quasi_newton.ts";
import { RestorationNlp } from "./restoration_nlp.ts";
import { ScaledNlp } from "./scaled_nlp.ts";
import { Settings } from "./settings.ts";
import { State } from "./state.ts";
import { copy, largest } from "./vector.ts";

/** IPOPT's return codes, and two of the loop's own. */
export const SOLVED: i32 = 0;
export const ACCEPTABLE: i32 = 1;
export const INFEASIBLE: i32 = 2;
export const TINY_STEP: i32 = 3;
export const DIVERGING: i32 = 4;
export const STOPPED: i32 = 5;
export const MAX_ITERATIONS: i32 = -1;
export const RESTORATION_FAILED: i32 = -2;
export const STEP_FAILED: i32 = -3;
export const OUT_OF_TIME: i32 = -5;
export const INVALID_NUMBER: i32 = -13;
export const CONTINUE: i32 = 1000;
export const RESTORED: i32 = 1001;

/** Entries of the array that {@linkcode Model.report} gets. */
export const PROGRESS_SIZE: i32 = 12;

/** ‖c‖₁ below which multipliers are renewed in every iteration: IPOPT's `recalc_y_feas_tol`. */
const RENEWAL: f64 = 1e-6;

/** The main loop, for the problem itself and for its restoration phase alike. */
export class InteriorPoint {
  readonly nlp: Nlp;
  readonly base: ScaledNlp;
  readonly settings: Settings;
  readonly state: State;
  readonly newton: Newton;
  readonly search: LineSearch;
  readonly convergence: Convergence;
  readonly quasiNewton: QuasiNewton;
  private readonly barrier: BarrierUpdate;
  private readonly adaptive: AdaptiveUpdate;
  private readonly progress: Float64Array = new Float64Array(PROGRESS_SIZE);
  /** The restoration's solver; in the restoration itself null. */
  private readonly restoration: InteriorPoint | null;
  /** In the restoration: whom it serves. */
  private parent: InteriorPoint | null = null;
  private readonly relaxed: RestorationNlp | null;
  private firstOfRestoration: boolean = false;
  private restored: boolean = false;
  iterations: i32 = 0;
  restorations: i32 = 0;
  private relaxations: i32 = 0;
  /** In the restoration: iterates in a row within `acceptable_tol`. */
  private acceptableInRow: i32 = 0;

  constructor(
    base: ScaledNlp,
    relaxed: RestorationNlp | null,
    settings: Settings,
    restoration: InteriorPoint | null,
  ) {
    const n = base.model.n;
    const m = base.model.m;
    const size: i32 = relaxed === null ? n + m : n + 3 * m;
    let nlp: Nlp = base;
    if (relaxed !== null) nlp = relaxed;
    const state = new State(nlp, settings, size, m);
    const newton = new Newton(state, size, n, m);
    const search = new LineSearch(state, newton, size, m);
    this.base = base;
    this.relaxed = relaxed;
    this.nlp = nlp;
    this.settings = settings;
    this.restoration = restoration;
    this.state = state;
    this.newton = newton;
    this.search = search;
    this.convergence = new Convergence(state, base, size, m);
    this.barrier = new BarrierUpdate(state, search);
    this.adaptive = new AdaptiveUpdate(state, newton, search, size, m);
    this.quasiNewton = new QuasiNewton(n, base.system.dense, settings);
  }

  /** Solves from the start of the prepared problem. @returns IPOPT's return code. */
  solve(): i32 {
    this.iterations = 0;
    this.restorations = 0;
    this.restored = false;
    this.search.begin();
    this.newton.begin();
    this.convergence.begin();
    this.quasiNewton.begin(this.nlp);
    this.state.begin();
    this.state.free = false;
    this.search.thetaMaxFactor = this.settings.theta_max_fact;
    if (!this.start()) return this.base.model.cancelled() ? STOPPED : INVALID_NUMBER;
    if (this.settings.adaptive) this.adaptive.begin(this.leastMu());
    return this.run();
  }

  private start(): boolean {
    const settings = this.settings;
    const state = this.state;
    const base = this.base;
    const now = state.now;
    // The adaptive rule finds its own µ; until then it only keeps slacks off zero.
    state.mu = settings.adaptive ? 1 : settings.mu_init;
    state.tau = Math.max(settings.tau_min, 1 - state.mu);
    const warm = settings.warm_start_init_point;
    const push = warm ? settings.warm_start_bound_push : settings.bound_push;
    const frac = warm ? settings.warm_start_bound_frac : settings.bound_frac;
    const slackPush = warm ? settings.warm_start_slack_bound_push : settings.slack_bound_push;
    const slackFrac = warm ? settings.warm_start_slack_bound_frac : settings.slack_bound_frac;
    for (let j: i32 = 0; j < base.n; j++) {
      const given = base.model.x0[base.reduction.variable[j]] / base.reduction.unit[j];
      now.v[j] = pushed(given, base.lower[j], base.upper[j], push, frac);
    }
    for (let k = base.n; k < base.size; k++) now.v[k] = 0;
    if (!base.residual(now.v, now.c)) return false;
    for (let k: i32 = 0; k < base.singles; k++) {
      const at = base.n + k;
      now.v[at] = pushed(now.c[base.row[k]], base.lower[at], base.upper[at], slackPush, slackFrac);
    }
    for (let i: i32 = 0; i < base.size; i++) {
      now.zL[i] = base.lower[i] > -Infinity ? settings.bound_mult_init_val : 0;
      now.zU[i] = base.upper[i] < Infinity ? settings.bound_mult_init_val : 0;
    }
    if (warm) {
      this.warmMultipliers();
      return state.evaluate(now) && state.refresh();
    }
    for (let i: i32 = 0; i < base.m; i++) now.y[i] = 0;
    if (!state.evaluate(now) || !state.refresh()) return false;
    this.estimateMultipliers(settings.constr_mult_init_max);
    return true;
  }

  /** Multipliers that the caller gave, kept from being 0 or huge. */
  private warmMultipliers(): void {
    const base = this.base;
    const settings = this.settings;
    const now = this.state.now;
    const model = base.model;
    const reduction = base.reduction;
    const least = settings.warm_start_mult_bound_push;
    const most = settings.warm_start_mult_init_max;
    const scale = base.objectiveScale;
    for (let i: i32 = 0; i < base.m; i++) {
      const y = model.startG[reduction.row[i]] * scale / reduction.weight[i];
      now.y[i] = Math.max(-most, Math.min(most, y));
    }
    for (let j: i32 = 0; j < base.n; j++) {
      const at = reduction.variable[j];
      const factor = scale * reduction.unit[j];
      if (now.zL[j] > 0) now.zL[j] = Math.min(most, Math.max(least, model.startL[at] * factor));
      if (now.zU[j] > 0) now.zU[j] = Math.min(most, Math.max(least, model.startU[at] * factor));
    }
    for (let k: i32 = 0; k < base.singles; k++) {
      const at = base.n + k;
      const y = now.y[base.row[k]];
      if (now.zL[at] > 0) now.zL[at] = Math.min(most, Math.max(least, -y));
      if (now.zU[at] > 0) now.zU[at] = Math.min(most, Math.max(least, y));
    }
  }

  /** Least-squares multipliers, or 0 where they are larger than `most`. */
  private estimateMultipliers(most: f64): void {
    const state = this.state;
    const y = state.now.y;
    const m = this.nlp.m;
    const found = most > 0 && m > 0 && this.newton.leastSquares(y);
    if (!found || !(largest(m, y) <= most)) {
      for (let i: i32 = 0; i < m; i++) y[i] = 0;
    }
  }

  /** With a matrix in place of the Hessian multipliers follow x slowly; near the rows the best for this x take their place. */
  private renewMultipliers(): void {
    const state = this.state;
    if (!this.settings.limited_memory || this.nlp.m === 0 || !(state.now.theta < RENEWAL)) return;
    const deltaW = this.newton.deltaW;
    if (this.newton.leastSquares(state.next.y)) copy(this.nlp.m, state.next.y, state.now.y);
    this.newton.deltaW = deltaW;
  }

  private run(): i32 {
    const state = this.state;
    while (true) {
      const status = this.check();
      if (status !== CONTINUE) return status;
      if (!this.takeHessian()) return this.base.model.cancelled() ? STOPPED : INVALID_NUMBER;
      let factorized = false;
      if (this.settings.adaptive) {
        factorized = this.newton.factorize();
        if (!this.adaptive.update(this.leastMu())) return this.stuck(TINY_STEP);
      } else {
        if (!this.firstOfRestoration && !this.barrier.update(this.leastMu())) return this.stuck(TINY_STEP);
        factorized = this.newton.factorize();
      }
      this.firstOfRestoration = false;
      const direction = factorized &&
        this.newton.solve(state.mu, state.now.c, state.dv, state.dy, state.dzL, state.dzU);
      state.stepSize = largest(this.nlp.size, state.dv);
      this.quasiNewton.keep(state);
      if (this.search.search(direction) === NO_STEP) {
        const after = this.recover(direction);
        if (after !== CONTINUE) return after;
      } else {
        if (!state.refresh()) return this.base.model.cancelled() ? STOPPED : INVALID_NUMBER;
        this.renewMultipliers();
        this.count();
      }
    }
  }

  private count(): void {
    this.iterations++;
  }

  private leastMu(): f64 {
    const settings = this.settings;
    const scale: f64 = this.parent === null ? Math.abs(this.base.objectiveScale) : 1;
    const least = Math.min(settings.tol, settings.compl_inf_tol * scale) / (settings.barrier_tol_factor + 1);
    return Math.max(settings.mu_target, least);
  }

  private takeHessian(): boolean {
    this.state.hessianMu = this.state.mu;
    if (this.settings.limited_memory) {
      this.quasiNewton.update(this.state);
      this.quasiNewton.store(this.nlp.system);
      return true;
    }
    return this.nlp.hessian(this.state.now.v, this.state.mu, this.state.now.y);
  }

  /** Whether the loop ends at `now`. */
  private check(): i32 {
    const state = this.state;
    const settings = this.settings;
    const model = this.base.model;
    const parent = this.parent;
    if (parent !== null) {
      const status = this.checkRestoration(parent);
      if (status !== CONTINUE) return status;
    } else {
      this.convergence.measure();
      // The restoration has already told of the iterate that it found.
      const told = this.restored;
      this.restored = false;
      if (!told && !this.tell()) return STOPPED;
      if (this.convergence.converged()) return SOLVED;
      if (this.convergence.acceptable()) return ACCEPTABLE;
    }
    if (model.cancelled()) return STOPPED;
    if (largest(this.base.n, state.now.v) > settings.diverging_iterates_tol) return DIVERGING;
    if (this.totalIterations() >= settings.max_iter) return MAX_ITERATIONS;
    if (model.elapsed() >= settings.max_wall_time) return OUT_OF_TIME;
    return CONTINUE;
  }

  private totalIterations(): i32 {
    const parent = this.parent;
    return parent === null ? this.iterations : parent.iterations + 1 + this.iterations;
  }

  private tell(): boolean {
    const state = this.state;
    const progress = this.progress;
    const parent = this.parent;
    progress[0] = this.totalIterations() as f64;
    const own = parent === null ? state.now.f : parent.state.next.f;
    progress[1] = own / this.base.objectiveScale;
    progress[2] = parent === null
      ? this.convergence.violation
      : parent.convergence.violationOf(parent.state.next);
    progress[3] = parent === null ? this.convergence.scaledError : state.dualInfeasibility();
    if (parent === null) progress[3] = largest(this.nlp.size, state.work);
    progress[4] = state.mu;
    progress[5] = state.stepSize;
    progress[6] = this.newton.deltaW;
    // The first iterate of a restoration tells of the search that led to it.
    const search = parent !== null && this.firstOfRestoration ? parent.state : state;
    progress[7] = state.alphaDual;
    progress[8] = search.alphaPrimal;
    progress[9] = search.trials as f64;
    progress[10] = (search === state ? this.search.letter : 82) as f64;
    progress[11] = parent === null ? 0 : 1;
    return this.base.model.report(progress);
  }

  /** In the restoration: back to the original problem as soon as its filter takes the point. */
  private checkRestoration(parent: InteriorPoint): i32 {
    const state = this.state;
    const outer = parent.state;
    const settings = this.settings;
    copy(this.base.size, state.now.v, outer.next.v);
    const known = outer.evaluate(outer.next);
    if (!this.tell()) return STOPPED;
    const violation = known ? outer.primalInfeasibility(outer.next) : Infinity;
    if (!this.firstOfRestoration && known) {
      const most = Math.max(
        settings.required_infeasibility_reduction * outer.primalInfeasibility(outer.now),
        Math.min(settings.tol, settings.constr_viol_tol),
      );
      if (
        violation <= most &&
        parent.search.acceptsFromRestoration(outer.next.theta, outer.barrier(outer.next))
      ) return RESTORED;
    }
    const error = state.optimalityError(0);
    this.acceptableInRow = error <= settings.acceptable_tol ? this.acceptableInRow + 1 : 0;
    const enough = settings.acceptable_iter > 0 && this.acceptableInRow >= settings.acceptable_iter;
    if (error > settings.tol && !enough) return CONTINUE;
    return this.unrestored(outer);
  }

  /** What a restoration says that has nowhere to go; "infeasible" only where rows are violated, whatever their slacks. */
  private unrestored(outer: State): i32 {
    const settings = this.settings;
    return outer.violation(outer.next) <= 100 * settings.tol ? RESTORATION_FAILED : INFEASIBLE;
  }

  /** After a search without a step. @param direction False where there was nothing to search along. */
  private recover(direction: boolean): i32 {
    const state = this.state;
    const settings = this.settings;
    if (this.base.model.cancelled()) return STOPPED;
    if (this.base.model.elapsed() >= settings.max_wall_time) return OUT_OF_TIME;
    if (this.search.movedBack && !state.refresh()) return INVALID_NUMBER;
    if (!this.search.inSoft()) {
      this.search.augment();
      if (direction && this.nlp.m > 0 && this.search.beginSoftRestoration()) {
        this.count();
        return state.refresh() ? CONTINUE : INVALID_NUMBER;
      }
    }
    this.search.endSoft();
    const restoration = this.restoration;
    if (restoration === null) return this.relaxAgain();
    // No step is left because curvature has left the range of numbers, and the objective is on its way down with it.
    if (!direction && this.convergence.isFeasible() && state.now.f < -settings.diverging_iterates_tol) {
      return DIVERGING;
    }
    if (this.nlp.m === 0 || state.primalInfeasibility(state.now) <= 1e-2 * settings.tol) {
      return this.stuck(this.nlp.m === 0 ? STEP_FAILED : RESTORATION_FAILED);
    }
    // From an acceptable iterate it would only lead away.
    if (this.convergence.isAcceptable()) return ACCEPTABLE;
    this.restorations++;
    const status = restoration.restore(this);
    this.iterations += 1 + restoration.iterations;
    if (status === RESTORED) {
      this.restored = true;
      this.resume();
      return state.refresh() ? CONTINUE : INVALID_NUMBER;
    }
    if (status === RESTORATION_FAILED) return this.stuck(status);
    // What the restoration reached is nearer to feasible than where it began.
    copy(this.base.size, restoration.state.now.v, state.now.v);
    state.evaluate(state.now);
    return status;
  }

  /** No way on: the last acceptable iterate, if there was one. */
  private stuck(status: i32): i32 {
    const parent = this.parent;
    if (parent !== null) {
      // Steps lost in rounding end a restoration as convergence does.
      return status === TINY_STEP ? this.unrestored(parent.state) : status;
    }
    if (status === TINY_STEP || !this.convergence.hasAcceptable) return status;
    this.convergence.restoreAcceptable();
    return ACCEPTABLE;
  }

  /** In the restoration a failed search is answered by the best relaxations for the present x. */
  private relaxAgain(): i32 {
    const relaxed = this.relaxed;
    const state = this.state;
    if (relaxed === null) return RESTORATION_FAILED;
    this.relaxations++;
    if (this.relaxations > 20) return RESTORATION_FAILED;
    copy(this.nlp.size, state.now.v, state.next.v);
    if (!relaxed.relax(state.mu, state.next.v, state.next.c)) return RESTORATION_FAILED;
    let change: f64 = 0;
    for (let i: i32 = 0; i < this.nlp.size; i++) {
      change = Math.max(change, Math.abs(state.next.v[i] - state.now.v[i]) / (1 + Math.abs(state.now.v[i])));
    }
    if (change < 1e-12) return RESTORATION_FAILED;
    copy(this.nlp.size, state.next.v, state.now.v);
    this.count();
    return state.evaluate(state.now) && state.refresh() ? CONTINUE : RESTORATION_FAILED;
  }

  /** Minimises the violation from the iterate of `parent` on. */
  restore(parent: InteriorPoint): i32 {
    const relaxed = this.relaxed;
    if (relaxed === null) return RESTORATION_FAILED;
    const outer = parent.state;
    const state = this.state;
    const now = state.now;
    const settings = this.settings;
    this.parent = parent;
    this.iterations = 0;
    this.relaxations = 0;
    this.acceptableInRow = 0;
    this.firstOfRestoration = true;
    relaxed.begin(outer.now.v);
    state.mu = Math.max(outer.mu, outer.primalInfeasibility(outer.now));
    state.tau = Math.max(settings.tau_min, 1 - state.mu);
    state.begin();
    copy(this.base.size, outer.now.v, now.v);
    if (!relaxed.relax(state.mu, now.v, now.c)) return RESTORATION_FAILED;
    for (let i: i32 = 0; i < this.base.size; i++) {
      now.zL[i] = Math.min(settings.resto_penalty_parameter, outer.now.zL[i]);
      now.zU[i] = Math.min(settings.resto_penalty_parameter, outer.now.zU[i]);
    }
    for (let i = this.base.size; i < relaxed.size; i++) {
      now.zL[i] = state.mu / now.v[i];
      now.zU[i] = 0;
    }
    for (let i: i32 = 0; i < relaxed.m; i++) now.y[i] = 0;
    this.search.begin();
    this.search.thetaMaxFactor = 1e8;
    this.newton.begin();
    this.quasiNewton.begin(relaxed);
    if (settings.adaptive) this.adaptive.begin(this.leastMu());
    if (!state.evaluate(now) || !state.refresh()) return RESTORATION_FAILED;
    return this.run();
  }

  /** Goes on at the point that the restoration found; it is in `next`, evaluated. */
  private resume(): void {
    const state = this.state;
    const nlp = this.nlp;
    const now = state.now;
    const settings = this.settings;
    for (let i: i32 = 0; i < nlp.size; i++) {
      const d = state.next.v[i] - now.v[i];
      state.dv[i] = d;
      state.dzL[i] = 0;
      state.dzU[i] = 0;
      if (nlp.lower[i] > -Infinity) {
        state.dzL[i] = (state.mu - now.zL[i] * d) / (now.v[i] - nlp.lower[i]) - now.zL[i];
      }
      if (nlp.upper[i] < Infinity) {
        state.dzU[i] = (state.mu + now.zU[i] * d) / (nlp.upper[i] - now.v[i]) - now.zU[i];
      }
    }
    for (let i: i32 = 0; i < nlp.m; i++) state.dy[i] = 0;
    const dual = state.dualFraction(state.dzL, state.dzU, state.tau);
    state.accept(1, dual);
    const most = Math.max(largest(nlp.size, now.zL), largest(nlp.size, now.zU));
    if (most > settings.bound_mult_reset_threshold) {
      for (let i: i32 = 0; i < nlp.size; i++) {
        now.zL[i] = nlp.lower[i] > -Infinity ? 1 : 0;
        now.zU[i] = nlp.upper[i] < Infinity ? 1 : 0;
      }
    }
    for (let i: i32 = 0; i < nlp.m; i++) now.y[i] = 0;
    if (settings.constr_mult_reset_threshold > 0 && state.refresh()) {
      this.estimateMultipliers(settings.constr_mult_reset_threshold);
    }
    this.search.afterRestoration();
  }
}

/** `value` at least min(κ1·max(1, |bound|), κ2·range) inside its bounds. */
function pushed(value: f64, lower: f64, upper: f64, push: f64, frac: f64): f64 {
  if (lower > -Infinity && upper < Infinity) {
    const range = frac * (upper - lower);
    const low = lower + Math.min(push * Math.max(1, Math.abs(lower)), range);
    const high = upper - Math.min(push * Math.max(1, Math.abs(upper)), range);
    return Math.max(low, Math.min(value, high));
  }
  if (lower > -Infinity) return Math.max(value, lower + push * Math.max(1, Math.abs(lower)));
  if (upper < Infinity) return Math.min(value, upper - push * Math.max(1, Math.abs(upper)));
  return value;
}
