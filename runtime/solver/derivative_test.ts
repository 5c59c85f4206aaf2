import type { DenseProblem } from "./dense_problem.ts";
import type { SolveOptions } from "./options.ts";
import type { SparseProblem, Structure } from "./sparse_problem.ts";

/** A derivative that differs from the difference quotient. */
export interface DerivativeError {
  /** Which derivative is off. */
  readonly kind: "gradient" | "jacobian" | "hessian";
  /** Constraint of a Jacobian's entry, first variable of a Hessian's; 0 for the gradient. */
  readonly row: number;
  /** Variable by which is derived. */
  readonly column: number;
  /** What the callback says. */
  readonly given: number;
  /** What the difference quotient says. */
  readonly difference: number;
}

/**
 * Compares the derivatives of a problem with forward differences at a point near x0, as IPOPT's `derivative_test` does.
 * The Hessian is that of f + Σ λ_i·g_i with λ_i between 1 and 2, so that no two terms can hide each other's error.
 * @returns Those that are off by more than `derivative_test_tol`, relative to the larger of 1 and the difference.
 */
export function testDerivatives(problem: DenseProblem, options: SolveOptions): readonly DerivativeError[] {
  const { derivative_test = "none" } = options;
  if (derivative_test === "none") return [];
  const { n, m } = problem;
  const step = (options.derivative_test_perturbation as number | undefined) ?? 1e-8;
  const tolerance = (options.derivative_test_tol as number | undefined) ?? 1e-4;
  const x = problem.x0.map((value, j) =>
    Math.min(problem.xu[j], Math.max(problem.xl[j], value)) + spread(j) * 1e-3
  );
  const errors: DerivativeError[] = [];
  const compare = (
    kind: DerivativeError["kind"],
    row: number,
    column: number,
    given: number,
    difference: number,
  ) => {
    const off = Math.abs(given - difference) / Math.max(1, Math.abs(difference));
    if (!(off <= tolerance)) errors.push({ kind, row, column, given, difference });
  };
  const at = new Evaluation(problem, x);
  for (let j = 0; j < n; j++) {
    const moved = x.slice();
    const h = step * Math.max(1, Math.abs(x[j]));
    moved[j] += h;
    const there = new Evaluation(problem, moved);
    const width = moved[j] - x[j];
    if (derivative_test !== "only-second-order") {
      compare("gradient", 0, j, at.gradient[j], (there.objective - at.objective) / width);
      for (let i = 0; i < m; i++) {
        compare("jacobian", i, j, at.jacobian[i * n + j], (there.constraints[i] - at.constraints[i]) / width);
      }
    }
    if (derivative_test === "first-order" || problem.hessian === undefined) continue;
    const hessian = at.hessian();
    for (let i = j; i < n; i++) {
      compare("hessian", i, j, hessian[i * n + j], (there.lagrangian[i] - at.lagrangian[i]) / width);
    }
  }
  return errors;
}

/** Numbers in [1, 2) without a pattern. */
function spread(k: number): number {
  return 1 + (k * 0.6180339887498949) % 1;
}

/** Everything at one point, matrices written out. */
class Evaluation {
  readonly objective: number;
  readonly gradient: Float64Array;
  readonly constraints: Float64Array;
  /** Row-major m × n. */
  readonly jacobian: Float64Array;
  /** ∇f + Jᵀλ */
  readonly lagrangian: Float64Array;
  readonly #problem: DenseProblem;
  readonly #x: Float64Array;
  readonly #lambda: Float64Array;
  #hessian: Float64Array | undefined;

  constructor(problem: DenseProblem, x: Float64Array) {
    const { n, m } = problem;
    this.#problem = problem;
    this.#x = x;
    this.#lambda = Float64Array.from({ length: m }, (_, i) => spread(i));
    this.objective = problem.objective(x);
    this.gradient = new Float64Array(n);
    problem.gradient(x, this.gradient);
    this.constraints = new Float64Array(m);
    if (m > 0) problem.constraints(x, this.constraints);
    this.jacobian = new Float64Array(m * n);
    if (m > 0) {
      const structure = (problem as Partial<SparseProblem>).jacobianStructure;
      const values = structure === undefined ? this.jacobian : new Float64Array(structure.iRow.length);
      problem.jacobian(x, values);
      if (structure !== undefined) writeOut(structure, values, n, this.jacobian, false);
    }
    this.lagrangian = this.gradient.map((value, j) =>
      this.#lambda.reduce((sum, lambda, i) => sum + lambda * this.jacobian[i * n + j], value)
    );
  }

  /** Row-major n × n, lower triangle. */
  hessian(): Float64Array {
    if (this.#hessian !== undefined) return this.#hessian;
    const { n } = this.#problem;
    const full = new Float64Array(n * n);
    const structure = (this.#problem as Partial<SparseProblem>).hessianStructure;
    const values = structure === undefined ? full : new Float64Array(structure.iRow.length);
    this.#problem.hessian!(this.#x, 1, this.#lambda, values);
    if (structure !== undefined) writeOut(structure, values, n, full, true);
    return this.#hessian = full;
  }
}

function writeOut(
  { iRow, jCol }: Structure,
  values: Float64Array,
  n: number,
  to: Float64Array,
  symmetric: boolean,
): void {
  iRow.forEach((row, k) => {
    const column = jCol[k];
    const [i, j] = symmetric && column > row ? [column, row] : [row, column];
    to[i * n + j] += values[k];
  });
}
