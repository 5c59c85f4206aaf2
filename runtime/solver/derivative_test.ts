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
  const [first, second] = [derivative_test !== "only-second-order", derivative_test !== "first-order"];
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
  const { jacobianStructure, hessianStructure } = problem as Partial<SparseProblem>;
  const jacobian = new Columns(jacobianStructure, m, n, false);
  const hessian = new Columns(hessianStructure, n, n, true);
  const lambda = Float64Array.from({ length: m }, (_, i) => spread(i));
  const withHessian = second && problem.hessian !== undefined;
  const at = evaluate(problem, x, lambda, jacobian, withHessian);
  if (first && m > 0) problem.jacobian(x, jacobian.values);
  if (withHessian) problem.hessian!(x, 1, lambda, hessian.values);
  const [rows, curvature] = [new Float64Array(m), new Float64Array(n)];
  const slopes = jacobian.values.slice();
  const moved = x.slice();
  for (let j = 0; j < n; j++) {
    moved[j] = x[j] + step * Math.max(1, Math.abs(x[j]));
    const width = moved[j] - x[j];
    const there = evaluate(problem, moved, lambda, jacobian, withHessian);
    moved[j] = x[j];
    if (first) {
      compare("gradient", 0, j, at.gradient[j], (there.objective - at.objective) / width);
      jacobian.read(j, slopes, rows);
      for (let i = 0; i < m; i++) {
        compare("jacobian", i, j, rows[i], (there.constraints[i] - at.constraints[i]) / width);
      }
    }
    if (!withHessian) continue;
    hessian.read(j, hessian.values, curvature);
    for (let i = j; i < n; i++) {
      compare("hessian", i, j, curvature[i], (there.lagrangian[i] - at.lagrangian[i]) / width);
    }
  }
  return errors;
}

/** Numbers in [1, 2) without a pattern. */
function spread(k: number): number {
  return 1 + (k * 0.6180339887498949) % 1;
}

interface Evaluated {
  readonly objective: number;
  readonly gradient: Float64Array;
  readonly constraints: Float64Array;
  /** ∇f + Jᵀλ, where it is asked for. */
  readonly lagrangian: Float64Array;
}

function evaluate(
  problem: DenseProblem,
  x: Float64Array,
  lambda: Float64Array,
  jacobian: Columns,
  withLagrangian: boolean,
): Evaluated {
  const { n, m } = problem;
  const [gradient, constraints] = [new Float64Array(n), new Float64Array(m)];
  const objective = problem.objective(x);
  problem.gradient(x, gradient);
  if (m > 0) problem.constraints(x, constraints);
  const lagrangian = gradient.slice();
  if (withLagrangian && m > 0) {
    problem.jacobian(x, jacobian.values);
    jacobian.addTransposed(lambda, lagrangian);
  }
  return { objective, gradient, constraints, lagrangian };
}

/** A matrix whose values stand row by row, or at the places of a structure, read column by column. */
class Columns {
  readonly values: Float64Array;
  readonly #structure: Structure | undefined;
  readonly #columns: number;
  /** Entries of column j: order[start[j]] …; of a symmetric matrix those of its lower triangle. */
  readonly #start: Int32Array;
  readonly #order: Int32Array;
  readonly #symmetric: boolean;

  constructor(structure: Structure | undefined, rows: number, columns: number, symmetric: boolean) {
    const count = structure?.iRow.length ?? rows * columns;
    this.values = new Float64Array(count);
    this.#structure = structure;
    this.#columns = columns;
    this.#symmetric = symmetric;
    this.#start = new Int32Array(columns + 1);
    this.#order = new Int32Array(structure === undefined ? 0 : count);
    if (structure === undefined) return;
    for (let k = 0; k < count; k++) this.#start[this.#columnOf(k) + 1]++;
    for (let j = 0; j < columns; j++) this.#start[j + 1] += this.#start[j];
    const next = this.#start.slice();
    for (let k = 0; k < count; k++) this.#order[next[this.#columnOf(k)]++] = k;
  }

  #columnOf(k: number): number {
    const { iRow, jCol } = this.#structure!;
    return this.#symmetric ? Math.min(iRow[k], jCol[k]) : jCol[k];
  }

  /** Writes column j. */
  read(j: number, values: Float64Array, out: Float64Array): void {
    if (this.#structure === undefined) {
      for (let i = 0; i < out.length; i++) out[i] = values[i * this.#columns + j];
      return;
    }
    const { iRow, jCol } = this.#structure;
    out.fill(0);
    for (let q = this.#start[j]; q < this.#start[j + 1]; q++) {
      const k = this.#order[q];
      out[this.#symmetric ? Math.max(iRow[k], jCol[k]) : iRow[k]] += values[k];
    }
  }

  /** out += Aᵀ·y, of a matrix that is not symmetric. */
  addTransposed(y: Float64Array, out: Float64Array): void {
    if (this.#structure !== undefined) {
      const { iRow, jCol } = this.#structure;
      for (let k = 0; k < iRow.length; k++) out[jCol[k]] += this.values[k] * y[iRow[k]];
      return;
    }
    for (let i = 0; i < y.length; i++) {
      for (let j = 0; j < out.length; j++) out[j] += this.values[i * this.#columns + j] * y[i];
    }
  }
}
