import type { DenseProblem } from "./dense_problem.ts";
import { solveDense } from "./dense_solver.ts";
import type { SolveOptions } from "./options.ts";
import type { SolveResult } from "./result.ts";
import { createSparseSolver, isSparse, type SparseProblem, type Structure } from "./sparse_solver.ts";

export type { Structure };

const NOTHING: Structure = { iRow: new Int32Array(0), jCol: new Int32Array(0) };

/** A problem as the npm package `ipopt-wasm` takes it. A callback that throws, or gives NaN, cuts the step. */
export interface Problem {
  readonly n: number;
  readonly m: number;
  readonly x0: ArrayLike<number>;
  readonly xl: ArrayLike<number>;
  readonly xu: ArrayLike<number>;
  readonly gl: ArrayLike<number>;
  readonly gu: ArrayLike<number>;
  readonly nele_jac?: number;
  readonly nele_hess?: number;
  eval_f(x: Float64Array): number;
  eval_grad_f(x: Float64Array): ArrayLike<number>;
  eval_g?(x: Float64Array): ArrayLike<number>;
  /** @param structure True: answer with {@linkcode Structure}; else with its values, length `nele_jac`. */
  eval_jac_g?(x: Float64Array, structure: boolean): Structure | ArrayLike<number>;
  /** The lower triangle of the Hessian of obj_factor·f + Σ lambda_i·g_i; absent: a quasi-Newton matrix. */
  eval_h?(
    x: Float64Array,
    obj_factor: number,
    lambda: Float64Array,
    structure: boolean,
  ): Structure | ArrayLike<number>;
}

/**
 * Solves a problem given by callbacks.
 * @throws {RangeError} If lengths do not agree. Numerical outcomes are statuses, not exceptions.
 */
export function solve(problem: Problem, options: SolveOptions = {}): Promise<SolveResult> {
  return new Promise((resolve) => resolve(solveNow(problem, options)));
}

function solveNow(problem: Problem, options: SolveOptions): SolveResult {
  const sparse = options.hessian_approximation === "limited-memory" ? undefined : toSparse(problem);
  if (sparse === undefined) return solveDense(toDense(problem), options);
  const { n, m, jacobianStructure, hessianStructure } = sparse;
  return createSparseSolver(n, m, jacobianStructure, hessianStructure).solve(sparse, options);
}

/** The problem by its non-zeros, where these are few and there is a Hessian. */
function toSparse(problem: Problem): SparseProblem | undefined {
  const { n, m } = problem;
  if (problem.eval_h === undefined || !isSparse(n, m, 0)) return undefined;
  const x0 = Float64Array.from(problem.x0);
  const jacobianStructure = m > 0 ? structureOf(problem.eval_jac_g?.(x0, true), "eval_jac_g", m, n) : NOTHING;
  const hessianStructure = structureOf(problem.eval_h(x0, 1, new Float64Array(m), true), "eval_h", n, n);
  if (!isSparse(n, m, jacobianStructure.iRow.length + hessianStructure.iRow.length)) return undefined;
  return {
    ...callbacks(problem),
    jacobianStructure,
    hessianStructure,
    jacobian: (x, values) => take(problem.eval_jac_g!(x, false) as ArrayLike<number>, values),
    hessian: (x, sigma, lambda, values) =>
      take(problem.eval_h!(x, sigma, lambda, false) as ArrayLike<number>, values),
  };
}

/** What is the same for both forms. */
function callbacks(problem: Problem): Omit<DenseProblem, "jacobian" | "hessian"> {
  return {
    n: problem.n,
    m: problem.m,
    x0: Float64Array.from(problem.x0),
    xl: Float64Array.from(problem.xl),
    xu: Float64Array.from(problem.xu),
    gl: Float64Array.from(problem.gl),
    gu: Float64Array.from(problem.gu),
    objective: (x) => problem.eval_f(x),
    gradient: (x, g) => take(problem.eval_grad_f(x), g),
    constraints: (x, c) => take(problem.eval_g!(x), c),
  };
}

function toDense(problem: Problem): DenseProblem {
  const { n, m } = problem;
  const x0 = Float64Array.from(problem.x0);
  const jacobian = m > 0 ? structureOf(problem.eval_jac_g?.(x0, true), "eval_jac_g", m, n) : NOTHING;
  const hessian = problem.eval_h === undefined
    ? undefined
    : structureOf(problem.eval_h(x0, 1, new Float64Array(m), true), "eval_h", n, n);
  return {
    ...callbacks(problem),
    jacobian(x, values) {
      return scatter(problem.eval_jac_g!(x, false) as ArrayLike<number>, jacobian, n, values, false);
    },
    ...(hessian && {
      hessian(x: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array) {
        const given = problem.eval_h!(x, sigma, lambda, false) as ArrayLike<number>;
        return scatter(given, hessian, n, values, true);
      },
    }),
  };
}

function take(from: ArrayLike<number>, to: Float64Array): boolean {
  if (from.length !== to.length) {
    throw new RangeError(`Got ${from.length} values, expected ${to.length}`);
  }
  to.set(from);
  return to.every(Number.isFinite);
}

function scatter(
  from: ArrayLike<number>,
  { iRow, jCol }: Structure,
  n: number,
  to: Float64Array,
  symmetric: boolean,
): boolean {
  to.fill(0);
  for (let k = 0; k < iRow.length; k++) {
    // Some callers give the upper triangle; both mean the same matrix.
    const swap = symmetric && jCol[k] > iRow[k];
    to[swap ? jCol[k] * n + iRow[k] : iRow[k] * n + jCol[k]] += from[k];
  }
  return true;
}

function structureOf(
  given: Structure | ArrayLike<number> | undefined,
  name: string,
  rows: number,
  columns: number,
): Structure {
  const structure = given as Structure | undefined;
  if (structure?.iRow === undefined || structure.iRow.length !== structure.jCol.length) {
    throw new RangeError(`Cannot use ${name}: with structure set it must give iRow and jCol of one length`);
  }
  const inside = structure.iRow.every((row, k) =>
    row >= 0 && row < rows && structure.jCol[k] >= 0 && structure.jCol[k] < columns
  );
  if (!inside) throw new RangeError(`Cannot use ${name}: a place is outside ${rows} × ${columns}`);
  return structure;
}
