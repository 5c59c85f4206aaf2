import type { DenseProblem } from "./dense_problem.ts";

/** Positions of non-zeros, 0-based; entries of one place add up. */
export interface Structure {
  /** Rows, one a non-zero. */
  readonly iRow: Int32Array;
  /** Columns, as many. */
  readonly jCol: Int32Array;
}

/** A problem by its non-zeros: `jacobian` and `hessian` write their values in the order of the structures. */
export interface SparseProblem extends DenseProblem {
  /** Of m × n. */
  readonly jacobianStructure: Structure;
  /** One triangle. Absent where there is no Hessian. */
  readonly hessianStructure?: Structure;
}

export const NOTHING: Structure = { iRow: new Int32Array(0), jCol: new Int32Array(0) };

/** Below this order the dense factorisation is faster whatever the structure. */
const DENSE_ORDER = 50;
/** Above this share of non-zeros in the triangle, too. */
const DENSE_SHARE = 0.2;

/**
 * Whether the sparse form serves a problem better.
 * @param n Variables. @param m Rows. @param nonZeros Those of Jacobian and Hessian together.
 */
export function isSparse(n: number, m: number, nonZeros: number): boolean {
  const order = n + m;
  return order > DENSE_ORDER && nonZeros + order < DENSE_SHARE * order * (order + 1) / 2;
}

/** @throws {RangeError} If a place is outside of the matrix, or the lengths differ. */
export function checkStructure(name: string, { iRow, jCol }: Structure, rows: number, columns: number): void {
  if (iRow.length !== jCol.length) {
    throw new RangeError(`Cannot use the ${name}: ${iRow.length} rows for ${jCol.length} columns`);
  }
  for (let k = 0; k < iRow.length; k++) {
    const [row, column] = [iRow[k], jCol[k]];
    const inside = Number.isInteger(row) && row >= 0 && row < rows && Number.isInteger(column) &&
      column >= 0 &&
      column < columns;
    if (inside) continue;
    throw new RangeError(
      `Cannot use the ${name}: place ${k} is (${row}, ${column}), outside ${rows} × ${columns} (0-based)`,
    );
  }
}
