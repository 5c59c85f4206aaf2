/// <reference types="../core/portable.d.ts" />
import { LinearSystem, Reduction } from "./linear_system.ts";
import { LowRank } from "./low_rank.ts";
import { SparseLdlt } from "./sparse_ldlt.ts";

/** A pivot of the equilibrated matrix below this is zero. */
const TINY: f64 = 1e-40;

/** {@linkcode LinearSystem} for matrices given by their non-zeros, factorised with {@linkcode SparseLdlt}. */
export class SparseSystem extends LinearSystem {
  /** Places of the user's non-zeros; lengths of the Jacobian and of the Hessian (one triangle). */
  private readonly jacobianRow: Int32Array;
  private readonly jacobianColumn: Int32Array;
  private readonly hessianRow: Int32Array;
  private readonly hessianColumn: Int32Array;
  /** The same in kept rows and free variables, without those that fell away; `from` is the user's index. */
  private readonly jRow: Int32Array;
  private readonly jColumn: Int32Array;
  private readonly jFrom: Int32Array;
  private readonly jacobian: Float64Array;
  private jCount: i32 = 0;
  private readonly hRow: Int32Array;
  private readonly hColumn: Int32Array;
  private readonly hFrom: Int32Array;
  private readonly hessian: Float64Array;
  private hCount: i32 = 0;
  /** Slots in the factorisation: Hessian, Jacobian, then the diagonal. */
  private readonly places: Int32Array;
  private ldlt: SparseLdlt;
  private shaped: boolean = false;
  /** The quasi-Newton matrix in place of the Hessian: σ, the vectors, and whether the present factors need them. */
  private limited: boolean = false;
  private sigma: f64 = 0;
  private readonly lowRank: LowRank = new LowRank();
  private corrected: boolean = false;
  private n: i32 = 0;
  private m: i32 = 0;
  /** Symmetric scaling in the order of the matrix, and the same by position in the elimination. */
  private readonly scale: Float64Array;
  private readonly scaleAt: Float64Array;
  private readonly most: Float64Array;

  constructor(
    reduction: Reduction,
    jacobianRow: Int32Array,
    jacobianColumn: Int32Array,
    hessianRow: Int32Array,
    hessianColumn: Int32Array,
  ) {
    const jacobians = jacobianRow.length;
    const hessians = hessianRow.length;
    super(reduction, false, jacobians, hessians);
    const order = reduction.fullN + reduction.fullM;
    this.jacobianRow = jacobianRow;
    this.jacobianColumn = jacobianColumn;
    this.hessianRow = hessianRow;
    this.hessianColumn = hessianColumn;
    this.jRow = new Int32Array(jacobians);
    this.jColumn = new Int32Array(jacobians);
    this.jFrom = new Int32Array(jacobians);
    this.jacobian = new Float64Array(jacobians);
    this.hRow = new Int32Array(hessians);
    this.hColumn = new Int32Array(hessians);
    this.hFrom = new Int32Array(hessians);
    this.hessian = new Float64Array(hessians);
    this.places = new Int32Array(jacobians + hessians + order);
    this.scale = new Float64Array(order);
    this.scaleAt = new Float64Array(order);
    this.most = new Float64Array(order);
    this.ldlt = new SparseLdlt(0, 0, new Int32Array(0), new Int32Array(0), new Int32Array(0));
  }

  override shape(): void {
    const reduction = this.reduction;
    let same = this.shaped && this.n === reduction.n && this.m === reduction.m;
    let put: i32 = 0;
    for (let k: i32 = 0; k < this.hessianRow.length; k++) {
      const r = reduction.column[this.hessianRow[k]];
      const c = reduction.column[this.hessianColumn[k]];
      if (r < 0 || c < 0) continue;
      if (this.hRow[put] !== r || this.hColumn[put] !== c || this.hFrom[put] !== k) same = false;
      this.hRow[put] = r;
      this.hColumn[put] = c;
      this.hFrom[put++] = k;
    }
    if (this.hCount !== put) same = false;
    this.hCount = put;
    put = 0;
    for (let k: i32 = 0; k < this.jacobianRow.length; k++) {
      const r = reduction.place[this.jacobianRow[k]];
      const c = reduction.column[this.jacobianColumn[k]];
      if (r < 0 || c < 0) continue;
      if (this.jRow[put] !== r || this.jColumn[put] !== c || this.jFrom[put] !== k) same = false;
      this.jRow[put] = r;
      this.jColumn[put] = c;
      this.jFrom[put++] = k;
    }
    if (this.jCount !== put) same = false;
    this.jCount = put;
    this.n = reduction.n;
    this.m = reduction.m;
    // The order of elimination is kept as long as the same variables are free.
    if (!same) this.analyse();
    this.shaped = true;
    this.clearHessian();
  }

  private analyse(): void {
    this.analyses++;
    const order = this.n + this.m;
    const entries = this.hCount + this.jCount + order;
    const rows = new Int32Array(entries);
    const columns = new Int32Array(entries);
    let put: i32 = 0;
    for (let k: i32 = 0; k < this.hCount; k++) {
      rows[put] = this.hRow[k];
      columns[put++] = this.hColumn[k];
    }
    for (let k: i32 = 0; k < this.jCount; k++) {
      rows[put] = this.n + this.jRow[k];
      columns[put++] = this.jColumn[k];
    }
    for (let i: i32 = 0; i < order; i++) {
      rows[put] = i;
      columns[put++] = i;
    }
    this.ldlt = new SparseLdlt(order, entries, rows, columns, this.places);
  }

  override takeJacobian(): boolean {
    const reduction = this.reduction;
    let sum: f64 = 0;
    for (let k: i32 = 0; k < this.jCount; k++) {
      const scale = reduction.weight[this.jRow[k]] * reduction.unit[this.jColumn[k]];
      const value = this.rawJacobian[this.jFrom[k]] * scale;
      this.jacobian[k] = value;
      sum += value - value;
    }
    return sum === 0;
  }

  override takeHessian(): boolean {
    this.limited = false;
    const reduction = this.reduction;
    let sum: f64 = 0;
    for (let k: i32 = 0; k < this.hCount; k++) {
      const value = this.rawHessian[this.hFrom[k]] * reduction.unit[this.hRow[k]] *
        reduction.unit[this.hColumn[k]];
      this.hessian[k] = value;
      sum += value - value;
    }
    return sum === 0;
  }

  override clearHessian(): void {
    this.limited = false;
    for (let k: i32 = 0; k < this.hCount; k++) this.hessian[k] = 0;
  }

  override setLowRank(sigma: f64, count: i32, w: Float64Array, sign: Float64Array): void {
    this.limited = true;
    this.sigma = sigma;
    this.lowRank.set(this.n, count, w, sign);
  }

  override rowSizes(out: Float64Array): void {
    for (let i: i32 = 0; i < this.m; i++) out[i] = 0;
    for (let k: i32 = 0; k < this.jCount; k++) {
      out[this.jRow[k]] = Math.max(out[this.jRow[k]], Math.abs(this.jacobian[k]));
    }
  }

  override jacobianTimes(x: Float64Array, out: Float64Array): void {
    for (let i: i32 = 0; i < this.m; i++) out[i] = 0;
    for (let k: i32 = 0; k < this.jCount; k++) out[this.jRow[k]] += this.jacobian[k] * x[this.jColumn[k]];
  }

  override addTransposed(y: Float64Array, out: Float64Array): void {
    for (let k: i32 = 0; k < this.jCount; k++) out[this.jColumn[k]] += this.jacobian[k] * y[this.jRow[k]];
  }

  override addRawTransposed(y: Float64Array, out: Float64Array): void {
    for (let k: i32 = 0; k < this.jacobianRow.length; k++) {
      out[this.jacobianColumn[k]] += this.rawJacobian[k] * y[this.jacobianRow[k]];
    }
  }

  override addHessian(x: Float64Array, out: Float64Array): void {
    if (this.limited) {
      for (let i: i32 = 0; i < this.n; i++) out[i] += this.sigma * x[i];
      this.lowRank.addTimes(x, out);
      return;
    }
    for (let k: i32 = 0; k < this.hCount; k++) {
      const r = this.hRow[k];
      const c = this.hColumn[k];
      out[r] += this.hessian[k] * x[c];
      if (r !== c) out[c] += this.hessian[k] * x[r];
    }
  }

  override factor(useHessian: boolean, dx: Float64Array, dr: Float64Array): boolean {
    const n = this.n;
    const m = this.m;
    const ldlt = this.ldlt;
    const a = ldlt.values;
    const places = this.places;
    for (let k: i32 = 0; k < a.length; k++) a[k] = 0;
    const limited = useHessian && this.limited;
    if (useHessian && !limited) {
      for (let k: i32 = 0; k < this.hCount; k++) a[places[k]] += this.hessian[k];
    }
    for (let k: i32 = 0; k < this.jCount; k++) a[places[this.hCount + k]] += this.jacobian[k];
    const diagonal = this.hCount + this.jCount;
    const sigma: f64 = limited ? this.sigma : 0;
    for (let i: i32 = 0; i < n; i++) a[places[diagonal + i]] += dx[i] + sigma;
    for (let i: i32 = 0; i < m; i++) a[places[diagonal + n + i]] -= dr[i];
    this.equilibrate();
    const regular = ldlt.factor(TINY);
    this.negatives = ldlt.negatives;
    this.corrected = limited && this.lowRank.count > 0;
    if (!regular || !this.corrected) return regular;
    this.lowRank.begin(n + m);
    for (let k: i32 = 0; k < this.lowRank.count; k++) {
      this.lowRank.load(k);
      this.solveBase(this.lowRank.column);
      this.lowRank.take(k);
    }
    this.negatives = this.lowRank.factor(ldlt.negatives);
    return this.negatives >= 0;
  }

  /** Scales rows and columns until the largest entry of each is near 1 (Ruiz, RAL-TR-2001-034). */
  private equilibrate(): void {
    const tree = this.ldlt.tree;
    const a = this.ldlt.values;
    const order = this.n + this.m;
    const scale = this.scaleAt;
    const most = this.most;
    for (let j: i32 = 0; j < order; j++) scale[j] = 1;
    for (let pass: i32 = 0; pass < 3; pass++) {
      for (let j: i32 = 0; j < order; j++) most[j] = 0;
      for (let j: i32 = 0; j < order; j++) {
        for (let k = tree.start[j]; k < tree.start[j + 1]; k++) {
          const i = tree.rows[k];
          const size = Math.abs(a[k]) * scale[i] * scale[j];
          if (size > most[i]) most[i] = size;
          if (size > most[j]) most[j] = size;
        }
      }
      let worst: f64 = 0;
      for (let j: i32 = 0; j < order; j++) {
        if (!(most[j] > 0)) continue;
        worst = Math.max(worst, Math.abs(1 - most[j]));
        scale[j] /= Math.sqrt(most[j]);
      }
      if (worst < 0.3) break;
    }
    for (let j: i32 = 0; j < order; j++) {
      for (let k = tree.start[j]; k < tree.start[j + 1]; k++) a[k] *= scale[tree.rows[k]] * scale[j];
    }
    for (let i: i32 = 0; i < order; i++) this.scale[i] = scale[tree.position[i]];
  }

  override solve(b: Float64Array): void {
    this.solveBase(b);
    if (this.corrected) this.lowRank.correct(b);
  }

  /** Without the vectors of the quasi-Newton matrix. */
  private solveBase(b: Float64Array): void {
    const order = this.n + this.m;
    for (let i: i32 = 0; i < order; i++) b[i] *= this.scale[i];
    this.ldlt.solve(b);
    for (let i: i32 = 0; i < order; i++) b[i] *= this.scale[i];
  }
}
