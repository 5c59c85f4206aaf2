import type { DenseProblem } from "./dense_problem.ts";
import { type DenseSolver, solverOver } from "./dense_solver.ts";
import { Reduction } from "./linear_algebra/linear_system.ts";
import { SparseSystem } from "./linear_algebra/sparse_system.ts";

/** Positions of non-zeros, 0-based; entries of one place add up. */
export interface Structure {
  readonly iRow: Int32Array;
  readonly jCol: Int32Array;
}

/**
 * A problem by its non-zeros: `jacobian` and `hessian` write their values in the order of the structures, and there must
 * be a Hessian.
 */
export interface SparseProblem extends DenseProblem {
  readonly jacobianStructure: Structure;
  /** One triangle. */
  readonly hessianStructure: Structure;
}

/** Below this order the dense factorisation is faster whatever the structure. */
const DENSE_ORDER = 50;
/** Above this share of non-zeros in the triangle, too. */
const DENSE_SHARE = 0.2;

/** Whether a problem of n variables and m rows with this many non-zeros is better served sparse. */
export function isSparse(n: number, m: number, nonZeros: number): boolean {
  const order = n + m;
  return order > DENSE_ORDER && nonZeros + order < DENSE_SHARE * order * (order + 1) / 2;
}

/**
 * A solver with the memory for problems of one structure; the order of elimination is found once.
 * @throws {RangeError} If a place is outside of the matrices.
 */
export function createSparseSolver(
  n: number,
  m: number,
  jacobian: Structure,
  hessian: Structure,
): DenseSolver {
  check("Jacobian", jacobian, m, n);
  check("Hessian", hessian, n, n);
  const reduction = new Reduction(n, m);
  const system = new SparseSystem(reduction, jacobian.iRow, jacobian.jCol, hessian.iRow, hessian.jCol);
  return solverOver(n, m, system, false);
}

function check(name: string, { iRow, jCol }: Structure, rows: number, columns: number): void {
  if (iRow.length !== jCol.length) {
    throw new RangeError(`Cannot use the ${name}: ${iRow.length} rows for ${jCol.length} columns`);
  }
  const inside = iRow.every((row, k) => row >= 0 && row < rows && jCol[k] >= 0 && jCol[k] < columns);
  if (!inside) throw new RangeError(`Cannot use the ${name}: a place is outside ${rows} × ${columns}`);
}
