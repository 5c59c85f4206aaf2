/// <reference types="../../solver/core/portable.d.ts" />
import { Machine, weighted } from "../../graph/machine.ts";
import { Model } from "../../solver/core/model.ts";
import { allFinite } from "../../solver/core/vector.ts";

declare function cancelled(): i32;
declare function report(progress: usize): i32;

/** A tape as a problem: output 0 is the objective, outputs 1 … m are the constraints. As `LiftedNlp` of the graph. */
export class TapeModel extends Model {
  readonly machine: Machine;
  /** Whether somebody wants to hear of every iterate. */
  reporting: boolean = false;
  private stopping: boolean = false;
  /** Whether `stopping` was looked up in this iteration. */
  private asked: boolean = false;
  private readonly weights: Float64Array;

  constructor(machine: Machine, m: i32) {
    super(machine.plan.variables, m);
    this.machine = machine;
    this.weights = new Float64Array(1 + m);
  }

  begin(): void {
    this.stopping = this.asked = false;
  }

  override objective(x: Float64Array): f64 {
    this.machine.run(x, 1);
    return this.machine.output(0);
  }

  override gradient(x: Float64Array, g: Float64Array): boolean {
    this.weights[0] = 1;
    this.machine.gradient(x, this.weights, 1, g);
    return allFinite(this.n, g);
  }

  override constraints(x: Float64Array, c: Float64Array): boolean {
    this.machine.run(x, 1 + this.m);
    for (let i: i32 = 0; i < this.m; i++) c[i] = this.machine.output(1 + i);
    return allFinite(this.m, c);
  }

  override jacobian(x: Float64Array, values: Float64Array): boolean {
    this.machine.jacobian(x, 1, this.m, values);
    return allFinite(this.m * this.n, values);
  }

  override hessian(x: Float64Array, sigma: f64, lambda: Float64Array, values: Float64Array): boolean {
    const weights = this.weights;
    weights[0] = sigma;
    for (let i: i32 = 0; i < this.m; i++) weights[1 + i] = lambda[i];
    this.machine.lowerHessian(x, weights, weighted(weights, 1 + this.m), values);
    return allFinite(this.n * this.n, values);
  }

  /** The host, which has the clock too, is asked once an iteration; where foreign code is called, before every evaluation. */
  override cancelled(): boolean {
    if (this.stopping) return true;
    if (!this.asked || this.machine.plan.opaqueAt.length > 0) this.stopping = cancelled() !== 0;
    this.asked = true;
    return this.stopping;
  }

  /** The limit of time is the host's. */
  override elapsed(): f64 {
    return 0;
  }

  override report(progress: Float64Array): boolean {
    this.asked = false;
    return !this.reporting || report(progress.dataStart) !== 0;
  }
}
