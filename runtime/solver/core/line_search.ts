/// <reference types="./portable.d.ts" />
import { ln, power } from "./elementary.ts";
import { Filter } from "./filter.ts";
import { Newton } from "./newton.ts";
import { leq } from "./rounding.ts";
import { Point, State } from "./state.ts";
import { copy } from "./vector.ts";

/** How a search ended. */
export const STEPPED: i32 = 0;
export const NO_STEP: i32 = 1;

/** Backtracking along the step until the filter accepts (Algorithm A of the paper), with its second-order correction. */
export class LineSearch {
  private readonly state: State;
  private readonly newton: Newton;
  readonly filter: Filter = new Filter();
  /** Measures of the point that trials are compared with. */
  private theta: f64 = 0;
  private phi: f64 = 0;
  private slope: f64 = 0;
  /** By which the least step is measured. */
  private leastSlope: f64 = 0;
  private thetaMax: f64 = -1;
  private thetaMin: f64 = -1;
  private rejectedByFilter: boolean = false;
  private filterRejections: i32 = 0;
  private filterResets: i32 = 0;
  private shortened: i32 = 0;
  private tinyBefore: boolean = false;
  private evaluationError: boolean = false;
  private inSoftRestoration: boolean = false;
  private softSteps: i32 = 0;
  private originalCriterion: boolean = false;
  private inWatchdog: boolean = false;
  private lastMu: f64 = -1;
  private watchdogTrials: i32 = 0;
  private watchdogAlpha: f64 = 0;
  private watchdogTheta: f64 = 0;
  private watchdogPhi: f64 = 0;
  private watchdogSlope: f64 = 0;
  private readonly watchdogPoint: Point;
  private readonly watchdogStep: Point;
  /** Residuals of the second-order correction, and its step. */
  private readonly socResidual: Float64Array;
  private readonly soc: Point;
  /** θ_max = this · max(1, θ of the first iterate). */
  thetaMaxFactor: f64 = 1e4;
  /** Accepted corrections, and watchdogs begun, since `begin`. */
  corrections: i32 = 0;
  watchdogs: i32 = 0;
  /** ASCII code of the letter that the iteration table shows beside the step. */
  letter: i32 = 32;
  private usedSoc: boolean = false;
  /** Set where the whole step has been put back to an earlier iterate: derivatives there must be taken anew. */
  movedBack: boolean = false;

  constructor(state: State, newton: Newton, size: i32, m: i32) {
    this.state = state;
    this.newton = newton;
    this.socResidual = new Float64Array(m);
    this.soc = new Point(size, m);
    this.watchdogPoint = new Point(size, m);
    this.watchdogStep = new Point(size, m);
  }

  begin(): void {
    this.letter = 32;
    this.thetaMax = -1;
    this.filterResets = 0;
    this.corrections = 0;
    this.watchdogs = 0;
    this.shortened = 0;
    this.reset();
  }

  /** Forgets what belongs to the last barrier problem. */
  reset(): void {
    this.filter.clear();
    this.rejectedByFilter = false;
    this.filterRejections = 0;
    this.inSoftRestoration = false;
    this.softSteps = 0;
    this.inWatchdog = false;
    this.tinyBefore = false;
  }

  /** @param direction False where there is no usable step: straight to restoration. */
  search(direction: boolean): i32 {
    const state = this.state;
    this.letter = 32;
    this.movedBack = false;
    if (this.lastMu !== state.mu) {
      this.inWatchdog = false;
      this.shortened = 0;
      this.lastMu = state.mu;
    }
    if (!this.inWatchdog) this.setReference();
    if (this.thetaMax < 0) {
      this.thetaMax = this.thetaMaxFactor * Math.max(1, this.theta);
      this.thetaMin = state.settings.theta_min_fact * Math.max(1, this.theta);
    }
    const tiny = direction && this.isTiny();
    if (this.inWatchdog && (!direction || tiny)) {
      this.stopWatchdog();
      return this.inSoftRestoration ? NO_STEP : this.searchFromWatchdog();
    }
    if (tiny) return this.takeTinyStep();
    this.tinyBefore = false;
    if (!direction) return NO_STEP;
    if (this.inSoftRestoration) return this.continueSoftRestoration();
    if (
      !this.inWatchdog && state.settings.watchdog_shortened_iter_trigger > 0 &&
      this.shortened >= state.settings.watchdog_shortened_iter_trigger
    ) this.startWatchdog();
    let accepted = this.backtrack(false);
    if (this.inWatchdog) {
      if (accepted) {
        this.inWatchdog = false;
      } else {
        this.watchdogTrials++;
        if (this.evaluationError || this.watchdogTrials > state.settings.watchdog_trial_iter_max) {
          this.stopWatchdog();
          accepted = this.backtrack(true);
        } else {
          this.letter = 119;
          this.acceptStep(state.alphaPrimal);
          return STEPPED;
        }
      }
    }
    if (!accepted) return NO_STEP;
    this.shortened = state.trials > 1 ? this.shortened + 1 : 0;
    return STEPPED;
  }

  private searchFromWatchdog(): i32 {
    return this.backtrack(true) ? STEPPED : NO_STEP;
  }

  private setReference(): void {
    const state = this.state;
    this.theta = state.now.theta;
    this.phi = state.barrier(state.now);
    this.slope = state.slope();
    this.leastSlope = this.slope;
  }

  private backtrack(skipFirst: boolean): boolean {
    const state = this.state;
    const settings = state.settings;
    const full = state.primalFraction(state.dv, state.tau);
    const least = this.inWatchdog ? full : this.leastAlpha();
    const alphaTest = this.inWatchdog ? this.watchdogAlpha : 0;
    let alpha = full;
    state.trials = 0;
    this.evaluationError = false;
    this.usedSoc = false;
    if (skipFirst) alpha *= settings.alpha_red_factor;
    // The full step may be tried however small it is.
    while (alpha > least || state.trials === 0) {
      state.trials++;
      state.moveTo(alpha, state.dv);
      state.alphaPrimal = alpha;
      const test = this.inWatchdog ? alphaTest : alpha;
      this.evaluationError = !state.evaluate(state.next);
      if (!this.evaluationError) {
        if (this.acceptable(test)) {
          this.finish(alpha, test);
          return true;
        }
        if (
          this.inWatchdog === false && !skipFirst && state.trials === 1 && settings.max_soc > 0 &&
          state.next.theta >= state.now.theta && this.correct(alpha)
        ) return true;
      }
      if (this.inWatchdog) return false;
      // An absolute floor: at θ = 0 the least step of the paper is 0.
      if (alpha < 1e-30) return false;
      alpha *= settings.alpha_red_factor;
    }
    state.alphaPrimal = alpha;
    state.trials++;
    return false;
  }

  private finish(alpha: f64, test: f64): void {
    const switching = this.isFtype(test);
    const descent = this.armijo(test);
    if (!switching || !descent) {
      this.augment();
      this.letter = this.usedSoc ? 72 : 104;
    } else {
      this.letter = this.usedSoc ? 70 : 102;
    }
    this.acceptStep(alpha);
  }

  private acceptStep(alpha: f64): void {
    const state = this.state;
    if (!this.usedSoc) {
      state.accept(alpha, state.dualFraction(state.dzL, state.dzU, state.tau));
      return;
    }
    this.keepStep(this.soc, false);
    state.accept(alpha, state.dualFraction(state.dzL, state.dzU, state.tau));
  }

  augment(): void {
    const settings = this.state.settings;
    this.filter.add((1 - settings.gamma_theta) * this.theta, this.phi - settings.gamma_phi * this.theta);
  }

  private isFtype(alpha: f64): boolean {
    const settings = this.state.settings;
    if (!(this.slope < 0) || alpha <= 0) return false;
    return alpha * power(-this.slope, settings.s_phi) >
      settings.delta * power(this.theta, settings.s_theta);
  }

  private armijo(alpha: f64): boolean {
    const phi = this.state.barrier(this.state.next);
    const settings = this.state.settings;
    return leq(phi - this.phi, settings.eta_phi * alpha * this.slope, this.phi, settings.function_noise);
  }

  private leastAlpha(): f64 {
    const settings = this.state.settings;
    let least = settings.gamma_theta;
    if (this.leastSlope < 0) {
      least = Math.min(least, settings.gamma_phi * this.theta / -this.leastSlope);
      if (this.theta <= this.thetaMin) {
        const switching = settings.delta * power(this.theta, settings.s_theta) /
          power(-this.leastSlope, settings.s_phi);
        least = Math.min(least, switching);
      }
    }
    return settings.alpha_min_frac * least;
  }

  /** Whether `next` may become the iterate. @param alpha The step it is judged by; 0: none. */
  private acceptable(alpha: f64): boolean {
    const state = this.state;
    const theta = state.next.theta;
    const phi = state.barrier(state.next);
    if (phi - phi !== 0) return false;
    if (theta > this.thetaMax) return false;
    const good = alpha > 0 && this.isFtype(alpha) && this.theta <= this.thetaMin
      ? this.armijo(alpha)
      : this.improves(theta, phi, false);
    if (!good) {
      this.rejectedByFilter = false;
      return false;
    }
    if (!this.filter.accepts(theta, phi)) {
      this.rejectedByFilter = true;
      return false;
    }
    this.countFilterRejections();
    return true;
  }

  /** A filter that had the last word on rejected trials in five iterations in a row is in the way, and emptied. */
  private countFilterRejections(): void {
    const settings = this.state.settings;
    if (this.filterResets < settings.max_filter_resets) {
      if (this.rejectedByFilter) {
        this.filterRejections++;
        if (this.filterRejections >= settings.filter_reset_trigger) {
          this.filter.clear();
          this.filterResets++;
          this.filterRejections = 0;
        }
      } else {
        this.filterRejections = 0;
      }
    }
    this.rejectedByFilter = false;
  }

  private improves(theta: f64, phi: f64, fromRestoration: boolean): boolean {
    const settings = this.state.settings;
    if (!fromRestoration && phi > this.phi) {
      const digits = Math.abs(this.phi) > 10 ? ln(Math.abs(this.phi)) / 2.302585092994046 : 1;
      if (ln(phi - this.phi) / 2.302585092994046 > settings.obj_max_inc + digits) return false;
    }
    return leq(theta, (1 - settings.gamma_theta) * this.theta, this.theta) ||
      leq(phi - this.phi, -settings.gamma_phi * this.theta, this.phi, settings.function_noise);
  }

  /** For the restoration phase: whether a point may follow the iterate at which this search failed. */
  acceptsFromRestoration(theta: f64, phi: f64): boolean {
    return this.filter.accepts(theta, phi) && this.improves(theta, phi, true);
  }

  /** Second-order correction: steps that count in the curvature of the constraints (section 2.4 of the paper). */
  private correct(alpha: f64): boolean {
    const state = this.state;
    const settings = state.settings;
    const m = state.nlp.m;
    const soc = this.soc;
    copy(m, state.now.c, this.socResidual);
    let before: f64 = 0;
    let theta = state.next.theta;
    let alphaSoc = alpha;
    for (let round: i32 = 0; round < settings.max_soc; round++) {
      if (round > 0 && !(theta <= settings.kappa_soc * before)) return false;
      before = theta;
      for (let i: i32 = 0; i < m; i++) this.socResidual[i] = state.next.c[i] + alphaSoc * this.socResidual[i];
      if (!this.newton.solve(state.mu, this.socResidual, soc.v, soc.y, soc.zL, soc.zU)) return false;
      alphaSoc = state.primalFraction(soc.v, state.tau);
      state.moveTo(alphaSoc, soc.v);
      if (!state.evaluate(state.next)) return false;
      if (this.acceptable(alpha)) {
        this.usedSoc = true;
        this.corrections++;
        this.finish(alphaSoc, alpha);
        return true;
      }
      theta = state.next.theta;
    }
    return false;
  }

  private isTiny(): boolean {
    const state = this.state;
    for (let i: i32 = 0; i < state.nlp.size; i++) {
      if (Math.abs(state.dv[i]) > state.settings.tiny_step_tol * (1 + Math.abs(state.now.v[i]))) return false;
    }
    return state.primalInfeasibility(state.now) <= 1e-4;
  }

  /** A step lost in rounding is taken whole; the second in a row says that this barrier problem is done. */
  private takeTinyStep(): i32 {
    const state = this.state;
    const alpha = state.primalFraction(state.dv, state.tau);
    state.trials = 0;
    state.moveTo(alpha, state.dv);
    if (!state.evaluate(state.next)) return NO_STEP;
    state.tinyStep = this.tinyBefore;
    let most: f64 = 0;
    for (let i: i32 = 0; i < state.nlp.m; i++) most = Math.max(most, Math.abs(state.dy[i]));
    this.tinyBefore = most < state.settings.tiny_step_y_tol;
    this.usedSoc = false;
    this.letter = 116;
    this.acceptStep(alpha);
    return STEPPED;
  }

  private startWatchdog(): void {
    const state = this.state;
    this.inWatchdog = true;
    this.watchdogs++;
    this.watchdogTrials = 0;
    this.watchdogAlpha = state.primalFraction(state.dv, state.tau);
    this.watchdogTheta = this.theta;
    this.watchdogPhi = this.phi;
    this.watchdogSlope = this.slope;
    this.watchdogPoint.assign(state.now, state.nlp.size, state.nlp.m);
    this.keepStep(this.watchdogStep, true);
  }

  private keepStep(held: Point, save: boolean): void {
    const state = this.state;
    const size = state.nlp.size;
    copy(size, save ? state.dv : held.v, save ? held.v : state.dv);
    copy(state.nlp.m, save ? state.dy : held.y, save ? held.y : state.dy);
    copy(size, save ? state.dzL : held.zL, save ? held.zL : state.dzL);
    copy(size, save ? state.dzU : held.zU, save ? held.zU : state.dzU);
  }

  private stopWatchdog(): void {
    const state = this.state;
    this.inWatchdog = false;
    this.shortened = 0;
    state.now.assign(this.watchdogPoint, state.nlp.size, state.nlp.m);
    // As IPOPT has it the least step is that of the direction that is given up: from here restoration is near.
    state.nlp.gradient(state.now.v, state.mu, state.gradient);
    this.leastSlope = state.slope();
    this.keepStep(this.watchdogStep, false);
    this.theta = this.watchdogTheta;
    this.phi = this.watchdogPhi;
    this.slope = this.watchdogSlope;
    this.movedBack = true;
  }

  /** One step of the soft restoration, to be tried after a failed search (section 3.3 of the paper, last paragraph). */
  beginSoftRestoration(): boolean {
    if (this.state.settings.soft_resto_pderror_reduction_factor === 0) return false;
    if (this.inSoftRestoration || !this.softStep()) return false;
    this.inSoftRestoration = !this.originalCriterion;
    this.softSteps = 0;
    this.letter = this.originalCriterion ? 83 : 115;
    return true;
  }

  afterRestoration(): void {
    this.shortened = 0;
    this.tinyBefore = false;
    this.rejectedByFilter = false;
    this.filterRejections = 0;
  }

  inSoft(): boolean {
    return this.inSoftRestoration;
  }

  endSoft(): void {
    this.inSoftRestoration = false;
  }

  private continueSoftRestoration(): i32 {
    this.softSteps++;
    if (this.softSteps > this.state.settings.max_soft_resto_iters || !this.softStep()) return NO_STEP;
    this.letter = 115;
    if (this.originalCriterion) {
      this.inSoftRestoration = false;
      this.letter = 83;
    }
    return STEPPED;
  }

  /** Primal and dual step of one length: taken where the filter accepts it, or the primal-dual error falls. */
  private softStep(): boolean {
    const state = this.state;
    const alpha = Math.min(
      state.primalFraction(state.dv, state.tau),
      state.dualFraction(state.dzL, state.dzU, state.tau),
    );
    state.moveTo(alpha, state.dv);
    if (!state.evaluate(state.next)) return false;
    const trials = state.trials;
    const tried = state.alphaPrimal;
    state.trials = 1;
    this.originalCriterion = this.acceptable(0);
    if (this.originalCriterion) {
      state.accept(alpha, alpha);
      return true;
    }
    const mu: f64 = state.free ? 0 : state.mu;
    const before = state.meanError(mu);
    this.soc.assign(state.now, state.nlp.size, state.nlp.m);
    state.accept(alpha, alpha);
    if (
      state.refresh() &&
      state.meanError(mu) <= state.settings.soft_resto_pderror_reduction_factor * before
    ) return true;
    state.now.assign(this.soc, state.nlp.size, state.nlp.m);
    state.refresh();
    state.trials = trials;
    state.alphaPrimal = tried;
    return false;
  }
}
