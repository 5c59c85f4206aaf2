import { solverOver } from "./dense_solver.ts";
import { Reduction } from "./linear_algebra/linear_system.ts";
import { SparseSystem } from "./linear_algebra/sparse_system.ts";
import type { Solver } from "./solver.ts";
import { checkSizes } from "./solver_input.ts";
import { checkStructure, NOTHING, type SparseProblem, type Structure } from "./sparse_problem.ts";

/**
 * A solver with the memory for problems of one structure; the order of elimination is found once.
 * @param hessian One triangle; none where the problems have no Hessian: L-BFGS takes its place.
 * @throws {RangeError} If a place is outside of the matrices.
 */
export function createSparseSolver(
  n: number,
  m: number,
  jacobian: Structure,
  hessian: Structure = NOTHING,
): Solver<SparseProblem> {
  checkSizes(n, m);
  checkStructure("Jacobian", jacobian, m, n);
  checkStructure("Hessian", hessian, n, n);
  const reduction = new Reduction(n, m);
  // Copies: the caller's arrays may change, the order of elimination does not.
  const [jacobianRow, jacobianColumn] = [jacobian.iRow.slice(), jacobian.jCol.slice()];
  const [hessianRow, hessianColumn] = [hessian.iRow.slice(), hessian.jCol.slice()];
  const system = new SparseSystem(reduction, jacobianRow, jacobianColumn, hessianRow, hessianColumn);
  return solverOver(n, m, system);
}
