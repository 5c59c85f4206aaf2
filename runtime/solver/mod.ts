/**
 * Interior-point solver for min f(x) with gl ≤ g(x) ≤ gu and xl ≤ x ≤ xu, after Wächter and Biegler (Math. Program.
 * 106, 2006). It depends on nothing: no clock, no file, no package.
 * @module
 */
export {
  createSolver,
  type DenseSolver,
  type ParameterDerivative,
  type Sensitivity,
  solveDense,
} from "./dense_solver.ts";
export { type DerivativeError, testDerivatives } from "./derivative_test.ts";
export type { DenseProblem } from "./dense_problem.ts";
export { type OptionInfo, options, type SolveOptions } from "./options.ts";
export type { Iteration } from "./iteration.ts";
export type { KktError, SolveResult } from "./result.ts";
export { describeStatus } from "./status.ts";
export { type Problem, solve, type Structure } from "./solve.ts";
export { createWasmSolver, type WasmSolver } from "./wasm_solver.ts";
export type { Violation } from "./violation.ts";
