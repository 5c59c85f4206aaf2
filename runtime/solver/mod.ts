/**
 * Interior-point solver for min f(x) with gl ≤ g(x) ≤ gu and xl ≤ x ≤ xu, after Wächter and Biegler (Math. Program.
 * 106, 2006). It depends on nothing: no clock, no file, no package.
 * @module
 */
export { createSolver, solveDense } from "./dense_solver.ts";
export { createSparseSolver } from "./sparse_solver.ts";
export type { ParameterDerivative, Sensitivity, Solver } from "./solver.ts";
export { isSparse, type SparseProblem, type Structure } from "./sparse_problem.ts";
export { type DerivativeError, testDerivatives } from "./derivative_test.ts";
export type { DenseProblem } from "./dense_problem.ts";
export { type OptionInfo, options, type SolveOptions } from "./options.ts";
export type { Iteration } from "./iteration.ts";
export type { KktError, SolveResult } from "./result.ts";
export { describeStatus } from "./status.ts";
export { type Problem, solve } from "./solve.ts";
export { createSparseWasmSolver, createWasmSolver, type WasmSolver } from "./wasm_solver.ts";
export type { Violation } from "./violation.ts";
