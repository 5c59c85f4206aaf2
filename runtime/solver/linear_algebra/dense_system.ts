/// <reference types="../core/portable.d.ts" />
import { DenseLdlt } from "./ldlt.ts";
import { LinearSystem, Reduction } from "./linear_system.ts";

/** A pivot of the equilibrated matrix below this is zero. Not larger: the inertia decides, and tiny Σ are legitimate. */
const TINY: f64 = 1e-40;

/** Rows whose largest entries are within this factor of each other are left as they are. */
const WELL_SCALED: f64 = 1e4;

export class DenseSystem extends LinearSystem {
  /** Row-major m × n. */
  private readonly jacobian: Float64Array;
  /** Row-major n × n, lower triangle. */
  readonly hessian: Float64Array;
  private readonly ldlt: DenseLdlt;
  private readonly scale: Float64Array;
  private readonly most: Float64Array;
  private scaled: boolean = false;

  constructor(reduction: Reduction) {
    const n = reduction.fullN;
    const m = reduction.fullM;
    super(reduction, true, m * n, n * n);
    this.jacobian = new Float64Array(m * n);
    this.hessian = new Float64Array(n * n);
    this.ldlt = new DenseLdlt(n + m);
    this.scale = new Float64Array(n + m);
    this.most = new Float64Array(n + m);
  }

  override shape(): void {
    this.clearHessian();
  }

  override takeJacobian(): boolean {
    const reduction = this.reduction;
    const n = reduction.n;
    let sum: f64 = 0;
    for (let i: i32 = 0; i < reduction.m; i++) {
      const from = reduction.row[i] * reduction.fullN;
      const weight = reduction.weight[i];
      for (let j: i32 = 0; j < n; j++) {
        const value = this.rawJacobian[from + reduction.variable[j]] * weight * reduction.unit[j];
        this.jacobian[i * n + j] = value;
        sum += value - value;
      }
    }
    return sum === 0;
  }

  override takeHessian(): boolean {
    const reduction = this.reduction;
    const n = reduction.n;
    let sum: f64 = 0;
    for (let i: i32 = 0; i < n; i++) {
      const from = reduction.variable[i] * reduction.fullN;
      for (let j: i32 = 0; j <= i; j++) {
        const value = this.rawHessian[from + reduction.variable[j]] * reduction.unit[i] * reduction.unit[j];
        this.hessian[i * n + j] = value;
        sum += value - value;
      }
    }
    return sum === 0;
  }

  override clearHessian(): void {
    const size = this.reduction.n * this.reduction.n;
    for (let i: i32 = 0; i < size; i++) this.hessian[i] = 0;
  }

  override setHessian(b: Float64Array): void {
    const size = this.reduction.n * this.reduction.n;
    for (let i: i32 = 0; i < size; i++) this.hessian[i] = b[i];
  }

  override rowSizes(out: Float64Array): void {
    const n = this.reduction.n;
    for (let i: i32 = 0; i < this.reduction.m; i++) {
      let most: f64 = 0;
      for (let j: i32 = 0; j < n; j++) most = Math.max(most, Math.abs(this.jacobian[i * n + j]));
      out[i] = most;
    }
  }

  override jacobianTimes(x: Float64Array, out: Float64Array): void {
    const n = this.reduction.n;
    for (let i: i32 = 0; i < this.reduction.m; i++) {
      let sum: f64 = 0;
      for (let j: i32 = 0; j < n; j++) sum += this.jacobian[i * n + j] * x[j];
      out[i] = sum;
    }
  }

  override addTransposed(y: Float64Array, out: Float64Array): void {
    const n = this.reduction.n;
    for (let i: i32 = 0; i < this.reduction.m; i++) {
      const value = y[i];
      if (value === 0) continue;
      for (let j: i32 = 0; j < n; j++) out[j] += this.jacobian[i * n + j] * value;
    }
  }

  override addRawTransposed(y: Float64Array, out: Float64Array): void {
    const n = this.reduction.fullN;
    for (let i: i32 = 0; i < this.reduction.fullM; i++) {
      const value = y[i];
      if (value === 0) continue;
      for (let j: i32 = 0; j < n; j++) out[j] += this.rawJacobian[i * n + j] * value;
    }
  }

  override addHessian(x: Float64Array, out: Float64Array): void {
    const n = this.reduction.n;
    for (let i: i32 = 0; i < n; i++) {
      let sum: f64 = 0;
      const value = x[i];
      for (let j: i32 = 0; j < i; j++) {
        const h = this.hessian[i * n + j];
        sum += h * x[j];
        out[j] += h * value;
      }
      out[i] += sum + this.hessian[i * n + i] * value;
    }
  }

  override factor(useHessian: boolean, dx: Float64Array, dr: Float64Array): boolean {
    const n = this.reduction.n;
    const m = this.reduction.m;
    const size = n + m;
    const a = this.ldlt.a;
    for (let j: i32 = 0; j < n; j++) {
      const at = j * size;
      for (let i: i32 = j; i < n; i++) a[at + i] = useHessian ? this.hessian[i * n + j] : 0;
      a[at + j] += dx[j];
      for (let i: i32 = 0; i < m; i++) a[at + n + i] = this.jacobian[i * n + j];
    }
    for (let j: i32 = 0; j < m; j++) {
      const at = (n + j) * size;
      for (let i = n + j; i < size; i++) a[at + i] = 0;
      a[at + n + j] = -dr[j];
    }
    this.equilibrate(size, a);
    const regular = this.ldlt.factor(size, TINY);
    this.negatives = this.ldlt.negatives;
    return regular;
  }

  /**
   * Scales rows and columns until the largest entry of each is near 1 (Ruiz, RAL-TR-2001-034); not where they differ by
   * so little that it would only take time.
   */
  private equilibrate(size: i32, a: Float64Array): void {
    const scale = this.scale;
    const most = this.most;
    for (let i: i32 = 0; i < size; i++) {
      scale[i] = 1;
      most[i] = 0;
    }
    for (let j: i32 = 0; j < size; j++) {
      let here = most[j];
      const at = j * size;
      for (let i = j; i < size; i++) {
        const value = Math.abs(a[at + i]);
        if (value > here) here = value;
        if (value > most[i]) most[i] = value;
      }
      most[j] = here;
    }
    let least: f64 = Infinity;
    let largest: f64 = 0;
    for (let i: i32 = 0; i < size; i++) {
      least = Math.min(least, most[i]);
      largest = Math.max(largest, most[i]);
    }
    this.scaled = !(largest <= WELL_SCALED * least);
    if (!this.scaled) return;
    for (let pass: i32 = 0; pass < 3; pass++) {
      if (pass > 0) this.rowMaxima(size, a);
      let worst: f64 = 0;
      for (let i: i32 = 0; i < size; i++) {
        if (!(most[i] > 0)) continue;
        worst = Math.max(worst, Math.abs(1 - most[i]));
        scale[i] /= Math.sqrt(most[i]);
      }
      if (worst < 0.3) break;
    }
    for (let j: i32 = 0; j < size; j++) {
      const at = j * size;
      const here = scale[j];
      for (let i = j; i < size; i++) a[at + i] *= scale[i] * here;
    }
  }

  /** Largest entry of each row with the present scale. */
  private rowMaxima(size: i32, a: Float64Array): void {
    const scale = this.scale;
    const most = this.most;
    for (let i: i32 = 0; i < size; i++) most[i] = 0;
    for (let j: i32 = 0; j < size; j++) {
      let here = most[j];
      for (let i = j; i < size; i++) {
        const value = Math.abs(a[j * size + i]) * scale[i] * scale[j];
        if (value > here) here = value;
        if (value > most[i]) most[i] = value;
      }
      most[j] = here;
    }
  }

  override solve(b: Float64Array): void {
    const size = this.reduction.n + this.reduction.m;
    if (this.scaled) {
      for (let i: i32 = 0; i < size; i++) b[i] *= this.scale[i];
    }
    this.ldlt.solve(b);
    if (this.scaled) {
      for (let i: i32 = 0; i < size; i++) b[i] *= this.scale[i];
    }
  }
}
