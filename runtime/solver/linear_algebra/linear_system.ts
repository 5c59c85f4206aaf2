/// <reference types="../core/portable.d.ts" />
/** Which variables are free and which rows limit something: the problem that is solved is made of these only. */
export class Reduction {
  readonly fullN: i32;
  readonly fullM: i32;
  n: i32 = 0;
  m: i32 = 0;
  /** Index among all variables of each free one; lengths fullN, fullM. */
  readonly variable: Int32Array;
  readonly row: Int32Array;
  /** Index among the free of each variable, −1 where it is fixed; of each row, −1 where it is free. */
  readonly column: Int32Array;
  readonly place: Int32Array;
  /** Scale of each free variable (x = unit·v) and of each kept row (c = weight·g). */
  readonly unit: Float64Array;
  readonly weight: Float64Array;

  constructor(fullN: i32, fullM: i32) {
    this.fullN = fullN;
    this.fullM = fullM;
    this.variable = new Int32Array(fullN);
    this.row = new Int32Array(fullM);
    this.column = new Int32Array(fullN);
    this.place = new Int32Array(fullM);
    this.unit = new Float64Array(fullN);
    this.weight = new Float64Array(fullM);
  }
}

/**
 * Jacobian J (m × n), Hessian W (n × n) and the factors of
 *
 *     [ W + diag(dx)      Jᵀ     ]
 *     [ J             −diag(dr)  ]
 *
 * in one representation, dense or sparse.
 */
export abstract class LinearSystem {
  readonly reduction: Reduction;
  /** Whether W may have an entry at every place. */
  readonly dense: boolean;
  /** Values as the model writes them. */
  readonly rawJacobian: Float64Array;
  readonly rawHessian: Float64Array;
  negatives: i32 = 0;
  /** How often an order of elimination was looked for. */
  analyses: i32 = 0;

  constructor(reduction: Reduction, dense: boolean, jacobianSize: i32, hessianSize: i32) {
    this.reduction = reduction;
    this.dense = dense;
    this.rawJacobian = new Float64Array(jacobianSize);
    this.rawHessian = new Float64Array(hessianSize);
  }

  /** Called once the reduction of this solve is known. */
  abstract shape(): void;
  /** Takes over `rawJacobian` with the scales of the reduction. @returns False where a value is not finite. */
  abstract takeJacobian(): boolean;
  abstract takeHessian(): boolean;
  abstract clearHessian(): void;
  /** W = b where the system is dense. @param b Row-major n × n, symmetric. */
  setHessian(_b: Float64Array): void {}
  /** W = σI + Σ sign_k·w_k·w_kᵀ where it is not; `count` vectors of n entries, which are not copied. */
  setLowRank(_sigma: f64, _count: i32, _w: Float64Array, _sign: Float64Array): void {}
  /** Largest size in each row of the Jacobian as it was taken, length m. */
  abstract rowSizes(out: Float64Array): void;
  /** out = J·x */
  abstract jacobianTimes(x: Float64Array, out: Float64Array): void;
  /** out += Jᵀ·y */
  abstract addTransposed(y: Float64Array, out: Float64Array): void;
  /** out += (the model's own Jacobian)ᵀ·y, all variables and rows, unscaled. */
  abstract addRawTransposed(y: Float64Array, out: Float64Array): void;
  /** out += W·x */
  abstract addHessian(x: Float64Array, out: Float64Array): void;
  /** @param useHessian False: W is taken as 0. @returns False where the matrix is singular. */
  abstract factor(useHessian: boolean, dx: Float64Array, dr: Float64Array): boolean;
  /** In place: first n then m entries. */
  abstract solve(b: Float64Array): void;
}
