import { Jet } from "./jet.ts";

/** A problem as a book prints it: formulas, start and best known objective. */
export interface BookProblem {
  readonly name: string;
  readonly x0: readonly number[];
  /** Bounds of the variables, one pair or one for all; none when absent. */
  readonly bounds?: readonly (readonly [number, number])[];
  readonly f: (x: readonly Jet[]) => Jet;
  /** Rows with their bounds. */
  readonly rows?: readonly {
    readonly g: (x: readonly Jet[]) => Jet;
    readonly lower: number;
    readonly upper: number;
  }[];
  readonly best: number;
}

/** The dense form that the solver takes, derivatives by {@linkcode Jet}. */
export interface DenseForm {
  readonly n: number;
  readonly m: number;
  readonly x0: Float64Array;
  readonly xl: Float64Array;
  readonly xu: Float64Array;
  readonly gl: Float64Array;
  readonly gu: Float64Array;
  objective(x: Float64Array): number;
  gradient(x: Float64Array, g: Float64Array): boolean;
  constraints(x: Float64Array, c: Float64Array): boolean;
  jacobian(x: Float64Array, values: Float64Array): boolean;
  hessian(x: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array): boolean;
}

/** ≥ 0 row. */
export function atLeast(g: (x: readonly Jet[]) => Jet, lower = 0) {
  return { g, lower, upper: Infinity };
}

/** = row. */
export function equals(g: (x: readonly Jet[]) => Jet, value = 0) {
  return { g, lower: value, upper: value };
}

export function range(g: (x: readonly Jet[]) => Jet, lower: number, upper: number) {
  return { g, lower, upper };
}

export function denseForm(p: BookProblem): DenseForm {
  const n = p.x0.length;
  const rows = p.rows ?? [];
  const bound = (i: number) => p.bounds ? p.bounds[p.bounds.length === 1 ? 0 : i] : [-Infinity, Infinity];
  const lift = (x: Float64Array) => Array.from(x, (value, i) => Jet.variable(value, i, n));
  return {
    n,
    m: rows.length,
    x0: new Float64Array(p.x0),
    xl: Float64Array.from({ length: n }, (_, i) => bound(i)[0]),
    xu: Float64Array.from({ length: n }, (_, i) => bound(i)[1]),
    gl: Float64Array.from(rows, (row) => row.lower),
    gu: Float64Array.from(rows, (row) => row.upper),
    objective: (x) => p.f(lift(x)).value,
    gradient(x, g) {
      g.set(p.f(lift(x)).first);
      return true;
    },
    constraints(x, c) {
      rows.forEach((row, r) => c[r] = row.g(lift(x)).value);
      return true;
    },
    jacobian(x, values) {
      rows.forEach((row, r) => values.set(row.g(lift(x)).first, r * n));
      return true;
    },
    hessian(x, sigma, lambda, values) {
      const f = p.f(lift(x)).second;
      for (let k = 0; k < n * n; k++) values[k] = sigma * f[k];
      rows.forEach((row, r) => {
        const h = row.g(lift(x)).second;
        for (let k = 0; k < n * n; k++) values[k] += lambda[r] * h[k];
      });
      return true;
    },
  };
}
