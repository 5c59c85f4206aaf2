/// <reference types="./portable.d.ts" />
import { power } from "./elementary.ts";
import { State } from "./state.ts";
import { copy, largest } from "./vector.ts";

const ROUNDING: f64 = 1e-14;

/** Whether the Hessian, or the rows, are singular by structure: as long as it is not known, δw and δc are tried alone. */
const UNKNOWN: i32 = 0;
const REGULAR: i32 = 1;
const DEGENERATE: i32 = 2;

/** Which of the two the system at hand has been tried with. */
const NO_TEST: i32 = 0;
const NEITHER: i32 = 1;
const ROWS_ALONE: i32 = 2;
const HESSIAN_ALONE: i32 = 3;
const BOTH: i32 = 4;

/** So many trials that only a perturbation made solvable say that it is needed always. */
const DEGENERATE_TRIALS: i32 = 3;

/**
 * Steps of Newton's method on the primal-dual equations: the condensed system with its inertia corrected by δw and δc
 * (Algorithm IC of the paper), solved with iterative refinement.
 */
export class Newton {
  private readonly state: State;
  /** Σ = zL/sL + zU/sU and what the objective adds, length size. */
  private readonly sigma: Float64Array;
  private readonly dx: Float64Array;
  private readonly dr: Float64Array;
  private readonly bx: Float64Array;
  private readonly bc: Float64Array;
  private readonly rx: Float64Array;
  private readonly stacked: Float64Array;
  private readonly ex: Float64Array;
  private readonly ec: Float64Array;
  /** Perturbations of the present and of the last perturbed factorisation. */
  deltaW: f64 = 0;
  deltaC: f64 = 0;
  private lastDeltaW: f64 = 0;
  private useHessian: boolean = true;
  private hessianKind: i32 = UNKNOWN;
  private rowsKind: i32 = UNKNOWN;
  private test: i32 = NO_TEST;
  private degenerateTrials: i32 = 0;
  factorizations: i32 = 0;

  constructor(state: State, size: i32, n: i32, m: i32) {
    this.state = state;
    this.sigma = new Float64Array(size);
    this.dx = new Float64Array(size);
    this.dr = new Float64Array(m);
    this.bx = new Float64Array(size);
    this.bc = new Float64Array(m);
    this.rx = new Float64Array(size);
    this.ex = new Float64Array(size);
    this.ec = new Float64Array(m);
    this.stacked = new Float64Array(n + m);
  }

  begin(): void {
    this.deltaW = this.lastDeltaW = 0;
    this.factorizations = 0;
    this.hessianKind = UNKNOWN;
    this.rowsKind = UNKNOWN;
    this.test = NO_TEST;
    this.degenerateTrials = 0;
  }

  /** Factorises at `now` with the least perturbation that gives the right inertia. @returns False where none does. */
  factorize(): boolean {
    this.useHessian = true;
    this.setSigma();
    this.conclude();
    this.test = this.isKnown() ? NO_TEST : NEITHER;
    this.deltaW = 0;
    this.deltaC = 0;
    if (this.rowsKind === DEGENERATE) this.perturbRows();
    if (this.hessianKind === DEGENERATE && !this.raise()) return false;
    return this.correct();
  }

  private setSigma(): void {
    const nlp = this.state.nlp;
    const now = this.state.now;
    const sigma = this.sigma;
    for (let i: i32 = 0; i < nlp.size; i++) {
      let sum: f64 = 0;
      if (nlp.lower[i] > -Infinity) sum += now.zL[i] / (now.v[i] - nlp.lower[i]);
      if (nlp.upper[i] < Infinity) sum += now.zU[i] / (nlp.upper[i] - now.v[i]);
      sigma[i] = sum;
    }
    // A quasi-Newton matrix is one of the whole objective.
    if (!this.state.settings.limited_memory) nlp.addDiagonal(this.state.hessianMu, sigma);
  }

  private isKnown(): boolean {
    return this.hessianKind !== UNKNOWN && this.rowsKind !== UNKNOWN;
  }

  private correct(): boolean {
    const nlp = this.state.nlp;
    while (true) {
      const regular = this.attempt();
      if (regular && nlp.system.negatives === nlp.m) {
        if (this.deltaW > 0) this.lastDeltaW = this.deltaW;
        return true;
      }
      const singular = nlp.m > 0 && (!regular || nlp.system.negatives < nlp.m);
      if (!(singular ? this.answerSingular() : this.answerInertia())) return false;
    }
  }

  /** The next perturbation for a singular system. @returns False where there is none. */
  private answerSingular(): boolean {
    if (this.isKnown() || this.test === NO_TEST) {
      if (this.deltaC > 0) return this.raise();
      this.perturbRows();
      return true;
    }
    if (this.test === NEITHER && this.rowsKind === UNKNOWN) {
      this.perturbRows();
      this.test = ROWS_ALONE;
      return true;
    }
    if (this.test === NEITHER || this.test === ROWS_ALONE) {
      this.deltaC = 0;
      this.test = HESSIAN_ALONE;
    } else if (this.test === HESSIAN_ALONE) {
      this.perturbRows();
      this.test = BOTH;
    }
    return this.raise();
  }

  /** The next perturbation for a system with too many negative eigenvalues. */
  private answerInertia(): boolean {
    this.conclude();
    if (this.raise()) return true;
    if (this.state.nlp.m === 0 || this.deltaC > 0) return false;
    this.perturbRows();
    this.deltaW = 0;
    this.test = NO_TEST;
    if (this.hessianKind === DEGENERATE) this.hessianKind = UNKNOWN;
    return this.raise();
  }

  /** Learns from the perturbations of the last system that was not singular. */
  private conclude(): void {
    const test = this.test;
    if (test === NO_TEST) return;
    if (test === ROWS_ALONE || test === NEITHER) {
      if (this.hessianKind === UNKNOWN) this.hessianKind = REGULAR;
    }
    if (test === HESSIAN_ALONE || test === NEITHER) {
      if (this.rowsKind === UNKNOWN) this.rowsKind = REGULAR;
    }
    const open = (test === ROWS_ALONE && this.rowsKind === UNKNOWN) ||
      (test === HESSIAN_ALONE && this.hessianKind === UNKNOWN) || test === BOTH;
    if (!open) return;
    this.degenerateTrials++;
    if (this.degenerateTrials < DEGENERATE_TRIALS) return;
    if (test !== HESSIAN_ALONE) this.rowsKind = DEGENERATE;
    if (test !== ROWS_ALONE) this.hessianKind = DEGENERATE;
  }

  private perturbRows(): void {
    const settings = this.state.settings;
    this.deltaC = settings.jacobian_regularization_value *
      power(this.state.mu, settings.jacobian_regularization_exponent);
  }

  private raise(): boolean {
    const settings = this.state.settings;
    const last = this.lastDeltaW;
    if (this.deltaW === 0) {
      this.deltaW = last === 0
        ? settings.first_hessian_perturbation
        : Math.max(settings.min_hessian_perturbation, last * settings.perturb_dec_fact);
    } else if (last === 0 || 1e5 * last < this.deltaW) {
      this.deltaW *= settings.perturb_inc_fact_first;
    } else {
      this.deltaW *= settings.perturb_inc_fact;
    }
    if (this.deltaW <= settings.max_hessian_perturbation) return true;
    this.lastDeltaW = 0;
    return false;
  }

  private attempt(): boolean {
    const nlp = this.state.nlp;
    const n = nlp.n;
    for (let i: i32 = 0; i < nlp.size; i++) this.dx[i] = this.sigma[i] + this.deltaW;
    for (let i: i32 = 0; i < nlp.m; i++) this.dr[i] = this.deltaC;
    for (let k: i32 = 0; k < nlp.singles; k++) this.dr[nlp.row[k]] += 1 / this.dx[n + k];
    this.factorizations++;
    return nlp.system.factor(this.useHessian, this.dx, this.dr);
  }

  /**
   * The step from `now` for the barrier parameter `mu` and the residual `c`, written into the given arrays.
   * @returns False where the system could not be solved well enough.
   */
  solve(
    mu: f64,
    c: Float64Array,
    dv: Float64Array,
    dy: Float64Array,
    dzL: Float64Array,
    dzU: Float64Array,
  ): boolean {
    const state = this.state;
    const nlp = state.nlp;
    const now = state.now;
    const damping = state.settings.kappa_d * mu;
    const bx = this.bx;
    for (let i: i32 = 0; i < nlp.size; i++) {
      let g = state.gradient[i];
      const lower = nlp.lower[i];
      const upper = nlp.upper[i];
      if (lower > -Infinity) {
        g -= mu / (now.v[i] - lower);
        if (upper === Infinity) g += damping;
      }
      if (upper < Infinity) {
        g += mu / (upper - now.v[i]);
        if (lower === -Infinity) g -= damping;
      }
      bx[i] = g;
    }
    nlp.addTransposed(now.y, bx);
    for (let i: i32 = 0; i < nlp.size; i++) bx[i] = -bx[i];
    for (let i: i32 = 0; i < nlp.m; i++) this.bc[i] = -c[i];
    let good = this.refined(dv, dy);
    // A system that is solved this badly is as good as singular.
    for (let k: i32 = 0; k < 2 && !good; k++) {
      const perturbed = nlp.m > 0 ? this.answerSingular() : this.answerInertia();
      good = perturbed && this.correct() && this.refined(dv, dy);
    }
    for (let i: i32 = 0; i < nlp.size; i++) {
      dzL[i] = 0;
      dzU[i] = 0;
      if (nlp.lower[i] > -Infinity) {
        dzL[i] = (mu - now.zL[i] * dv[i]) / (now.v[i] - nlp.lower[i]) - now.zL[i];
      }
      if (nlp.upper[i] < Infinity) {
        dzU[i] = (mu + now.zU[i] * dv[i]) / (nlp.upper[i] - now.v[i]) - now.zU[i];
      }
    }
    return good;
  }

  /** Solves with the factors of {@linkcode factorize} for another right-hand side. */
  solveFor(x: Float64Array, c: Float64Array, dv: Float64Array, dy: Float64Array): boolean {
    copy(this.state.nlp.size, x, this.bx);
    copy(this.state.nlp.m, c, this.bc);
    return this.refined(dv, dy);
  }

  /** Least-squares multipliers: min ‖∇f − zL + zU + Jᵀy‖₂. @returns False where they could not be computed. */
  leastSquares(y: Float64Array): boolean {
    const state = this.state;
    const nlp = state.nlp;
    for (let i: i32 = 0; i < nlp.size; i++) {
      this.sigma[i] = 1;
      this.bx[i] = -(state.gradient[i] - state.now.zL[i] + state.now.zU[i]);
    }
    for (let i: i32 = 0; i < nlp.m; i++) this.bc[i] = 0;
    this.useHessian = false;
    this.deltaW = 0;
    this.deltaC = 0;
    if (!this.attempt() || nlp.system.negatives !== nlp.m) return false;
    return this.refined(this.rx, y);
  }

  /** Solves for the right-hand side in bx, bc. */
  private refined(dv: Float64Array, dy: Float64Array): boolean {
    const nlp = this.state.nlp;
    const settings = this.state.settings;
    const size = nlp.size;
    const m = nlp.m;
    const scale = Math.max(largest(size, this.bx), largest(m, this.bc));
    for (let i: i32 = 0; i < size; i++) dv[i] = 0;
    for (let i: i32 = 0; i < m; i++) dy[i] = 0;
    if (scale === 0) return true;
    if (!(scale < Infinity)) return false;
    copy(size, this.bx, this.ex);
    copy(m, this.bc, this.ec);
    let ratio: f64 = Infinity;
    for (let round: i32 = 0; round <= settings.max_refinement_steps; round++) {
      this.condensed(this.ex, this.ec);
      for (let i: i32 = 0; i < size; i++) dv[i] += this.ex[i];
      for (let i: i32 = 0; i < m; i++) dy[i] += this.ec[i];
      const before = ratio;
      ratio = this.residual(dv, dy, scale);
      // At rounding's level another step would change nothing; of the rows by themselves: large multipliers hide them.
      if (ratio <= ROUNDING && largest(m, this.ec) <= ROUNDING * (largest(size, dv) + largest(m, this.bc))) {
        return true;
      }
      if (round >= settings.min_refinement_steps && ratio <= settings.residual_ratio_max) return true;
      if (round > settings.min_refinement_steps && ratio > 0.999999999 * before) break;
      if (ratio - ratio !== 0) return false;
    }
    return ratio <= settings.residual_ratio_singular;
  }

  /** ex, ec = right-hand side − matrix·(dv, dy). @returns Its size relative to the solution and the right-hand side. */
  private residual(dv: Float64Array, dy: Float64Array, scale: f64): f64 {
    const nlp = this.state.nlp;
    const n = nlp.n;
    const ex = this.ex;
    const ec = this.ec;
    for (let i: i32 = 0; i < nlp.size; i++) ex[i] = this.dx[i] * dv[i];
    if (this.useHessian) nlp.system.addHessian(dv, ex);
    nlp.addTransposed(dy, ex);
    for (let i: i32 = 0; i < nlp.size; i++) ex[i] = this.bx[i] - ex[i];
    nlp.system.jacobianTimes(dv, ec);
    for (let k: i32 = 0; k < nlp.singles; k++) ec[nlp.row[k]] += nlp.sign[k] * dv[n + k];
    for (let i: i32 = 0; i < nlp.m; i++) ec[i] = this.bc[i] - (ec[i] - this.deltaC * dy[i]);
    const left = Math.max(largest(nlp.size, ex), largest(nlp.m, ec));
    const solution = Math.max(largest(nlp.size, dv), largest(nlp.m, dy));
    return left / (Math.min(solution, 1e6 * scale) + scale);
  }

  /** Solves in place; the linear entries t are eliminated. */
  private condensed(x: Float64Array, c: Float64Array): void {
    const nlp = this.state.nlp;
    const n = nlp.n;
    const b = this.stacked;
    for (let i: i32 = 0; i < n; i++) b[i] = x[i];
    for (let i: i32 = 0; i < nlp.m; i++) b[n + i] = c[i];
    for (let k: i32 = 0; k < nlp.singles; k++) b[n + nlp.row[k]] -= nlp.sign[k] * x[n + k] / this.dx[n + k];
    nlp.system.solve(b);
    for (let i: i32 = 0; i < n; i++) x[i] = b[i];
    for (let i: i32 = 0; i < nlp.m; i++) c[i] = b[n + i];
    for (let k: i32 = 0; k < nlp.singles; k++) {
      x[n + k] = (x[n + k] - nlp.sign[k] * c[nlp.row[k]]) / this.dx[n + k];
    }
  }
}
