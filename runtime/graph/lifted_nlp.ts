/** A lifted problem in the form that an interior-point solver takes, with its memory: nothing is allocated in a solve. */
import type { LiftedProblem } from "./lifted.ts";

/** Weight of Σ z² in the search for the least violation: which of several points it is. */
const NEARNESS = 1e-8;

export class LiftedNlp {
  readonly n: number;
  readonly m: number;
  readonly x0: Float64Array;
  readonly xl: Float64Array;
  readonly xu: Float64Array;
  readonly gl: Float64Array;
  readonly gu: Float64Array;
  /** Absent where foreign code is called, which has no second derivatives. */
  readonly hessian?: (v: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array) => boolean;
  readonly lifted: LiftedProblem;
  readonly #cost = new Float64Array(1);
  readonly #outputs: Float64Array;
  readonly #weights: Float64Array;

  constructor(lifted: LiftedProblem) {
    const { size, rows, tape } = lifted;
    this.lifted = lifted;
    this.n = size;
    this.m = rows.length;
    [this.x0, this.xl, this.xu] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)];
    this.gl = Float64Array.from(rows, ({ lower }) => lower);
    this.gu = Float64Array.from(rows, ({ upper }) => upper);
    this.#outputs = new Float64Array(1 + rows.length);
    this.#weights = new Float64Array(1 + rows.length);
    if (tape.opaques.length > 0) return;
    this.hessian = (v, sigma, lambda, values) => {
      this.#weights[0] = sigma;
      this.#weights.set(lambda, 1);
      tape.hessian(v, this.#weights, values);
      return values.every(Number.isFinite);
    };
  }

  /** Sets start and bounds for the present switches. @param lo Bounds of z. @param from Start of z. */
  begin(lo: ArrayLike<number>, hi: ArrayLike<number>, from: ArrayLike<number>): void {
    for (let i = 0; i < from.length; i++) this.x0[i] = from[i];
    this.lifted.start(this.x0);
    this.lifted.bounds(lo, hi, this.x0, this.xl, this.xu);
  }

  objective(v: Float64Array): number {
    this.lifted.tape.value(v, this.#cost);
    return this.#cost[0];
  }

  gradient(v: Float64Array, g: Float64Array): boolean {
    this.lifted.tape.gradient(v, ONE, g);
    return g.every(Number.isFinite);
  }

  constraints(v: Float64Array, c: Float64Array): boolean {
    this.lifted.tape.value(v, this.#outputs);
    c.set(this.#outputs.subarray(1));
    return c.every(Number.isFinite);
  }

  jacobian(v: Float64Array, values: Float64Array): boolean {
    this.lifted.tape.jacobian(v, 1, this.m, values);
    return values.every(Number.isFinite);
  }
}

const ONE = Float64Array.of(1);

/** A row of a lifted problem, or one side of it: `sign` is how s relieves it, 0 where it does not. */
interface ElasticRow {
  readonly row: number;
  readonly limit: number;
  readonly sign: number;
  readonly bound: number;
  readonly unit: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * The search for the point of least violation: min s, where every hard limit may be exceeded by s·max(least, |limit|). The
 * variables are those of the lifted problem, then s. A limit with two sides is two rows.
 */
export class ElasticNlp {
  readonly n: number;
  readonly m: number;
  readonly x0: Float64Array;
  readonly xl: Float64Array;
  readonly xu: Float64Array;
  readonly gl: Float64Array;
  readonly gu: Float64Array;
  readonly hessian?: LiftedNlp["hessian"];
  readonly #inner: LiftedNlp;
  readonly #variables: number;
  readonly #of: readonly ElasticRow[];
  /** The factors of s in this search. */
  readonly #slacks: Float64Array;
  readonly #values: Float64Array;
  readonly #jacobian: Float64Array;

  constructor(lifted: LiftedProblem) {
    const inner = new LiftedNlp(lifted);
    const rows = lifted.rows.flatMap(({ lower, upper, limit, unit = 1 }, row) => {
      if (limit < 0) return [{ row, limit, sign: 0, bound: 0, unit, lower, upper }];
      return [
        { row, limit, sign: -1, bound: upper, unit, lower: -Infinity, upper },
        { row, limit, sign: 1, bound: lower, unit, lower, upper: Infinity },
      ].filter((side) => side.lower > -Infinity || side.upper < Infinity);
    });
    this.#inner = inner;
    this.#variables = lifted.variables;
    this.#of = rows;
    this.#slacks = new Float64Array(rows.length);
    this.#values = new Float64Array(inner.m);
    this.#jacobian = new Float64Array(inner.m * inner.n);
    this.n = inner.n + 1;
    this.m = rows.length;
    [this.x0, this.xl, this.xu] = [
      new Float64Array(this.n),
      new Float64Array(this.n),
      new Float64Array(this.n),
    ];
    [this.gl, this.gu] = [new Float64Array(this.m), new Float64Array(this.m)];
    if (inner.hessian === undefined) return;
    const lambdas = new Float64Array(inner.m);
    const bent = new Float64Array(inner.n * inner.n);
    this.hessian = (v, sigma, lambda, values) => {
      lambdas.fill(0);
      rows.forEach(({ row }, k) => lambdas[row] += lambda[k]);
      inner.hessian!(v.subarray(0, inner.n), 0, lambdas, bent);
      values.fill(0);
      for (let i = 0; i < inner.n; i++) values.set(bent.subarray(i * inner.n, (i + 1) * inner.n), i * this.n);
      for (let i = 0; i < this.#variables; i++) values[i * this.n + i] += 2 * NEARNESS * sigma;
      return values.every(Number.isFinite);
    };
  }

  /**
   * @param violation The largest relative excess at `from`, ≥ 0.
   * @param least By limit: a miss is measured in max(least, |limit|).
   * @param allowed By limit: the relative excess that it may have, or NaN where that is to be least. Default: all NaN.
   */
  begin(
    lo: ArrayLike<number>,
    hi: ArrayLike<number>,
    from: ArrayLike<number>,
    violation: number,
    least: ArrayLike<number>,
    allowed?: ArrayLike<number>,
  ): void {
    this.#of.forEach(({ limit, sign, bound, unit, lower, upper }, k) => {
      const miss = sign === 0 ? 0 : Math.max(least[limit] / unit, Math.abs(bound));
      const excess = sign === 0 ? 0 : allowed?.[limit] ?? NaN;
      const gives = Number.isNaN(excess);
      this.#slacks[k] = gives ? sign * miss : 0;
      this.gl[k] = gives ? lower : lower - excess * miss;
      this.gu[k] = gives ? upper : upper + excess * miss;
    });
    const inner = this.#inner;
    inner.begin(lo, hi, from);
    this.x0.set(inner.x0);
    this.xl.set(inner.xl);
    this.xu.set(inner.xu);
    this.x0[inner.n] = violation + 1e-2;
    this.xl[inner.n] = 0;
    this.xu[inner.n] = Infinity;
  }

  objective(v: Float64Array): number {
    let squares = 0;
    for (let i = 0; i < this.#variables; i++) squares += v[i] * v[i];
    return v[this.n - 1] + NEARNESS * squares;
  }

  gradient(v: Float64Array, g: Float64Array): boolean {
    g.fill(0);
    for (let i = 0; i < this.#variables; i++) g[i] = 2 * NEARNESS * v[i];
    g[this.n - 1] = 1;
    return true;
  }

  constraints(v: Float64Array, c: Float64Array): boolean {
    const { n } = this.#inner;
    const good = this.#inner.constraints(v.subarray(0, n), this.#values);
    this.#of.forEach(({ row }, k) => c[k] = this.#values[row] + this.#slacks[k] * v[n]);
    return good;
  }

  jacobian(v: Float64Array, values: Float64Array): boolean {
    const { n } = this.#inner;
    const good = this.#inner.jacobian(v.subarray(0, n), this.#jacobian);
    this.#of.forEach(({ row }, k) => {
      values.set(this.#jacobian.subarray(row * n, (row + 1) * n), k * this.n);
      values[k * this.n + n] = this.#slacks[k];
    });
    return good;
  }

  /** 1 for each hard limit that s does not depend on. @param price The multiplier from which on it does. */
  idle(multipliers: Float64Array, limits: number, price: number): Uint8Array {
    const idle = new Uint8Array(limits).fill(1);
    this.#of.forEach(({ limit }, k) => {
      if (limit >= 0 && Math.abs(multipliers[k] * this.#slacks[k]) > price) idle[limit] = 0;
    });
    return idle;
  }
}
