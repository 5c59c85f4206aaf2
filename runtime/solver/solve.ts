import type { DenseProblem } from "./dense_problem.ts";
import { createSolver } from "./dense_solver.ts";
import type { SolveOptions } from "./options.ts";
import type { SolveResult } from "./result.ts";
import { checkCallbacks, checkLengths, checkSizes } from "./solver_input.ts";
import { checkStructure, isSparse, NOTHING, type SparseProblem, type Structure } from "./sparse_problem.ts";
import { createSparseSolver } from "./sparse_solver.ts";
import { createSparseWasmSolver, createWasmSolver, MemoryError } from "./wasm_solver.ts";

/** A problem as the npm package `ipopt-wasm` takes it. A callback that throws, or gives NaN, cuts the step. */
export interface Problem {
  /** Number of variables. */
  readonly n: number;
  /** Number of constraints. */
  readonly m: number;
  /** Where to begin, length n; it may be outside of the bounds. */
  readonly x0: ArrayLike<number>;
  /** Lower bounds, length n; −1e19 or less: none. */
  readonly xl: ArrayLike<number>;
  /** Upper bounds, length n; 1e19 or more: none. */
  readonly xu: ArrayLike<number>;
  /** Lower bounds of the constraints, length m. */
  readonly gl: ArrayLike<number>;
  /** Upper bounds of the constraints, length m. */
  readonly gu: ArrayLike<number>;
  /** Number of the Jacobian's non-zeros; compared with the structure where it is given. */
  readonly nele_jac?: number;
  /** Number of the Hessian's non-zeros, the same. */
  readonly nele_hess?: number;
  /** The objective; NaN: cannot be evaluated at `x`. */
  eval_f(x: Float64Array): number;
  /** Its gradient, length n. */
  eval_grad_f(x: Float64Array): ArrayLike<number>;
  /** The constraints' values, length m. Needed where m > 0, as is eval_jac_g. */
  eval_g?(x: Float64Array): ArrayLike<number>;
  /** Their Jacobian. @param structure True: answer with {@linkcode Structure}; else with its values, length `nele_jac`. */
  eval_jac_g?(x: Float64Array, structure: boolean): Structure | ArrayLike<number>;
  /**
   * One triangle of the Hessian of obj_factor·f + Σ lambda_i·g_i; entries of one place add up, and which triangle a place
   * is in does not matter. Absent: a quasi-Newton matrix.
   */
  eval_h?(
    x: Float64Array,
    obj_factor: number,
    lambda: Float64Array,
    structure: boolean,
  ): Structure | ArrayLike<number>;
}

/** Without a Hessian the full quasi-Newton matrix is better than the limited one as long as it can be factorised. */
const WHOLE_MATRIX_ORDER = 300;
/** From this order on solver.wasm, where it is given, makes up for being instantiated. */
const WASM_ORDER = 50;

/**
 * Solves a problem given by callbacks. The factorisation is dense or sparse by size and density.
 * @param options `module`, solver.wasm as compiled by the caller, serves problems of 50 and more variables and
 * constraints that fit into its 1 GB; everything else runs in TypeScript, with the same steps.
 * @throws {RangeError} If lengths or places do not agree, {TypeError} if a callback is missing. Numerical outcomes are
 * statuses, not exceptions.
 */
export function solve(problem: Problem, options: SolveOptions = {}): Promise<SolveResult> {
  return new Promise((resolve) => resolve(solveNow(problem, options)));
}

function solveNow(problem: Problem, options: SolveOptions): SolveResult {
  check(problem);
  const { n, m } = problem;
  const { module } = options;
  const wasm = n + m >= WASM_ORDER ? module : undefined;
  const x0 = Float64Array.from(problem.x0);
  const jacobian = m > 0
    ? structureOf(problem.eval_jac_g!(x0, true), "eval_jac_g", m, n, problem.nele_jac)
    : NOTHING;
  const hessian = problem.eval_h === undefined
    ? undefined
    : structureOf(problem.eval_h(x0, 1, new Float64Array(m), true), "eval_h", n, n, problem.nele_hess);
  const nonZeros = jacobian.iRow.length + (hessian?.iRow.length ?? 0);
  if (isSparse(n, m, nonZeros) && (hessian !== undefined || n + m > WHOLE_MATRIX_ORDER)) {
    const sparse = toSparse(problem, x0, jacobian, hessian);
    return either(
      wasm && (() => createSparseWasmSolver(wasm, n, m, jacobian, hessian).solve(sparse, options)),
      () => createSparseSolver(n, m, jacobian, hessian).solve(sparse, options),
    );
  }
  const dense = toDense(problem, x0, jacobian, hessian);
  return either(
    wasm && (() => createWasmSolver(wasm, n, m).solve(dense, options)),
    () => createSolver(n, m).solve(dense, options),
  );
}

/** A result that does not hold on to the memory of its instance. */
function ownArrays(result: SolveResult): SolveResult {
  const { x, constraints, mult_g, mult_x_L, mult_x_U } = result;
  return {
    ...result,
    x: x.slice(),
    constraints: constraints.slice(),
    mult_g: mult_g.slice(),
    mult_x_L: mult_x_L.slice(),
    mult_x_U: mult_x_U.slice(),
  };
}

/** What does not fit into the memory of WebAssembly is solved in that of the engine. */
function either(inWasm: (() => SolveResult) | undefined, inScript: () => SolveResult): SolveResult {
  if (inWasm === undefined) return inScript();
  try {
    return ownArrays(inWasm());
  } catch (error) {
    if (!(error instanceof MemoryError)) throw error;
    return inScript();
  }
}

function check(problem: Problem): void {
  const { n, m } = problem;
  checkSizes(n, m);
  checkLengths(problem, n, m);
  const callbacks = m > 0 ? ["eval_f", "eval_grad_f", "eval_g", "eval_jac_g"] : ["eval_f", "eval_grad_f"];
  checkCallbacks(problem, problem.eval_h === undefined ? callbacks : [...callbacks, "eval_h"]);
}

function toSparse(
  problem: Problem,
  x0: Float64Array,
  jacobianStructure: Structure,
  hessianStructure: Structure | undefined,
): SparseProblem {
  return {
    ...callbacks(problem, x0),
    jacobianStructure,
    jacobian: (x, values) => take("eval_jac_g", problem.eval_jac_g!(x, false), values),
    ...(hessianStructure && {
      hessianStructure,
      hessian: (x: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array) =>
        take("eval_h", problem.eval_h!(x, sigma, lambda, false), values),
    }),
  };
}

function toDense(
  problem: Problem,
  x0: Float64Array,
  jacobian: Structure,
  hessian: Structure | undefined,
): DenseProblem {
  const { n } = problem;
  return {
    ...callbacks(problem, x0),
    jacobian: (x, values) => scatter("eval_jac_g", problem.eval_jac_g!(x, false), jacobian, n, values, false),
    ...(hessian && {
      hessian: (x: Float64Array, sigma: number, lambda: Float64Array, values: Float64Array) =>
        scatter("eval_h", problem.eval_h!(x, sigma, lambda, false), hessian, n, values, true),
    }),
  };
}

/** What is the same for both forms. */
function callbacks(problem: Problem, x0: Float64Array): Omit<DenseProblem, "jacobian" | "hessian"> {
  return {
    n: problem.n,
    m: problem.m,
    x0,
    xl: Float64Array.from(problem.xl),
    xu: Float64Array.from(problem.xu),
    gl: Float64Array.from(problem.gl),
    gu: Float64Array.from(problem.gu),
    objective: (x) => problem.eval_f(x),
    gradient: (x, g) => take("eval_grad_f", problem.eval_grad_f(x), g),
    constraints: (x, c) => take("eval_g", problem.eval_g!(x), c),
  };
}

/** The values that a callback gave. @throws {RangeError} If they are not as many as expected. */
function valuesOf(name: string, given: Structure | ArrayLike<number>, expected: number): ArrayLike<number> {
  const { length } = given as ArrayLike<number>;
  if (length !== expected) {
    throw new RangeError(`${name} gave ${length ?? "no"} values, expected ${expected}`);
  }
  return given as ArrayLike<number>;
}

function take(name: string, given: Structure | ArrayLike<number>, to: Float64Array): boolean {
  to.set(valuesOf(name, given, to.length));
  return to.every(Number.isFinite);
}

function scatter(
  name: string,
  given: Structure | ArrayLike<number>,
  { iRow, jCol }: Structure,
  n: number,
  to: Float64Array,
  symmetric: boolean,
): boolean {
  const from = valuesOf(name, given, iRow.length);
  to.fill(0);
  for (let k = 0; k < iRow.length; k++) {
    // Some callers give the upper triangle; both mean the same matrix.
    const swap = symmetric && jCol[k] > iRow[k];
    to[swap ? jCol[k] * n + iRow[k] : iRow[k] * n + jCol[k]] += from[k];
  }
  return true;
}

function structureOf(
  given: Structure | ArrayLike<number>,
  name: string,
  rows: number,
  columns: number,
  expected: number | undefined,
): Structure {
  const { iRow, jCol } = (given ?? {}) as Partial<Structure>;
  if (iRow === undefined || jCol === undefined) {
    throw new RangeError(`Cannot use ${name}: with structure set it must give iRow and jCol`);
  }
  checkStructure(name, { iRow, jCol }, rows, columns);
  if (expected !== undefined && expected !== iRow.length) {
    throw new RangeError(`Cannot use ${name}: its structure has ${iRow.length} places, expected ${expected}`);
  }
  return { iRow: Int32Array.from(iRow), jCol: Int32Array.from(jCol) };
}
