/// <reference types="../core/portable.d.ts" />
import { Driver } from "../core/driver.ts";
import { Model } from "../core/model.ts";
import { Settings } from "../core/settings.ts";
import { DenseSystem } from "../linear_algebra/dense_system.ts";
import { Reduction } from "../linear_algebra/linear_system.ts";

/*
 * The module's edge: the callbacks come in as functions of addresses, the solver goes out as functions of addresses. All
 * memory of a solver is taken in `create`.
 */

declare function objective(x: usize): f64;
declare function gradient(x: usize, out: usize): i32;
declare function constraints(x: usize, out: usize): i32;
declare function jacobian(x: usize, out: usize): i32;
declare function hessian(x: usize, sigma: f64, lambda: usize, out: usize): i32;
declare function cancelled(): i32;
declare function elapsed(): f64;
declare function report(progress: usize): i32;

class CallbackModel extends Model {
  override objective(x: Float64Array): f64 {
    return objective(x.dataStart);
  }
  override gradient(x: Float64Array, g: Float64Array): boolean {
    return gradient(x.dataStart, g.dataStart) !== 0;
  }
  override constraints(x: Float64Array, c: Float64Array): boolean {
    return constraints(x.dataStart, c.dataStart) !== 0;
  }
  override jacobian(x: Float64Array, values: Float64Array): boolean {
    return jacobian(x.dataStart, values.dataStart) !== 0;
  }
  override hessian(x: Float64Array, sigma: f64, lambda: Float64Array, values: Float64Array): boolean {
    return hessian(x.dataStart, sigma, lambda.dataStart, values.dataStart) !== 0;
  }
  override cancelled(): boolean {
    return cancelled() !== 0;
  }
  override elapsed(): f64 {
    return elapsed();
  }
  override report(progress: Float64Array): boolean {
    return report(progress.dataStart) !== 0;
  }
}

/** What the host reads and writes, by address; each is written once, in `create`. */
const ADDRESSES: i32 = 17;

class Solver {
  readonly model: CallbackModel;
  readonly settings: Settings;
  readonly driver: Driver;
  readonly addresses: Uint32Array = new Uint32Array(ADDRESSES);
  readonly numbers: Float64Array = new Float64Array(6);

  constructor(n: i32, m: i32) {
    const settings = new Settings();
    const model = new CallbackModel(n, m);
    const driver = new Driver(model, settings, new DenseSystem(new Reduction(n, m)));
    this.settings = settings;
    this.model = model;
    this.driver = driver;
    const at = this.addresses;
    at[0] = model.x0.dataStart as u32;
    at[1] = model.xl.dataStart as u32;
    at[2] = model.xu.dataStart as u32;
    at[3] = model.gl.dataStart as u32;
    at[4] = model.gu.dataStart as u32;
    at[5] = model.startG.dataStart as u32;
    at[6] = model.startL.dataStart as u32;
    at[7] = model.startU.dataStart as u32;
    at[8] = model.unit.dataStart as u32;
    at[9] = driver.x.dataStart as u32;
    at[10] = driver.g.dataStart as u32;
    at[11] = driver.multG.dataStart as u32;
    at[12] = driver.multL.dataStart as u32;
    at[13] = driver.multU.dataStart as u32;
    at[14] = this.numbers.dataStart as u32;
    at[15] = driver.base.system.rawJacobian.dataStart as u32;
    at[16] = driver.base.system.rawHessian.dataStart as u32;
  }
}

/** One instance of the module is one solver: with the instance goes all its memory. */
let only: Solver | null = null;

/** Takes all memory. @returns Where the addresses begin. */
export function create(n: i32, m: i32): usize {
  const solver = new Solver(n, m);
  only = solver;
  return solver.addresses.dataStart;
}

export function setOption(index: i32, value: f64): void {
  only!.settings.set(index, value);
}

/** Leaves the start as the answer. */
export function reject(): void {
  const solver = only!;
  solver.driver.reject();
  tell(solver);
}

/** Solves, and writes objective, iterations, evaluations and residuals into the numbers. @returns IPOPT's return code. */
export function solve(): i32 {
  const solver = only!;
  const status = solver.driver.solve();
  tell(solver);
  return status;
}

function tell(solver: Solver): void {
  const driver = solver.driver;
  solver.numbers[0] = driver.objective;
  solver.numbers[1] = driver.main.iterations as f64;
  solver.numbers[2] = driver.base.functionCalls as f64;
  solver.numbers[3] = driver.dualInfeasibility;
  solver.numbers[4] = driver.violation;
  solver.numbers[5] = driver.complementarity;
}
