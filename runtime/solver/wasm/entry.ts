/// <reference types="../core/portable.d.ts" />
import { Driver } from "../core/driver.ts";
import { Model } from "../core/model.ts";
import { Settings } from "../core/settings.ts";
import { DenseSystem } from "../linear_algebra/dense_system.ts";
import { LinearSystem, Reduction } from "../linear_algebra/linear_system.ts";
import { SparseSystem } from "../linear_algebra/sparse_system.ts";

/*
 * The module's edge: the callbacks come in as functions of addresses, the solver goes out as functions of addresses. All
 * memory of a dense solver is taken in `create`; that of sparse factors grows in the first solves of a structure.
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
const ADDRESSES: i32 = 21;

class Solver {
  readonly model: CallbackModel;
  readonly settings: Settings;
  readonly driver: Driver;
  readonly addresses: Uint32Array = new Uint32Array(ADDRESSES);
  readonly numbers: Float64Array = new Float64Array(6);
  /** Right-hand sides of a linear system at the answer, and its solution. */
  readonly dual: Float64Array;
  readonly rows: Float64Array;
  readonly dx: Float64Array;
  readonly dy: Float64Array;

  constructor(n: i32, m: i32, system: LinearSystem) {
    const settings = new Settings();
    const model = new CallbackModel(n, m);
    const driver = new Driver(model, settings, system);
    this.dual = new Float64Array(n);
    this.rows = new Float64Array(m);
    this.dx = new Float64Array(n);
    this.dy = new Float64Array(m);
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
    at[17] = this.dual.dataStart as u32;
    at[18] = this.rows.dataStart as u32;
    at[19] = this.dx.dataStart as u32;
    at[20] = this.dy.dataStart as u32;
  }
}

/** One instance of the module is one solver: with the instance goes all its memory. */
let only: Solver | null = null;

/** Takes all memory. @returns Where the addresses begin. */
export function create(n: i32, m: i32): usize {
  return keep(new Solver(n, m, new DenseSystem(new Reduction(n, m))));
}

/** Rows and columns of the Jacobian's non-zeros, then of the Hessian's: the host writes them before `createSparse`. */
let jacobianRow: Int32Array = new Int32Array(0);
let jacobianColumn: Int32Array = new Int32Array(0);
let hessianRow: Int32Array = new Int32Array(0);
let hessianColumn: Int32Array = new Int32Array(0);

/** Takes memory for the places of non-zeros. @returns Where the four addresses begin. */
export function createPlaces(jacobians: i32, hessians: i32): usize {
  jacobianRow = new Int32Array(jacobians);
  jacobianColumn = new Int32Array(jacobians);
  hessianRow = new Int32Array(hessians);
  hessianColumn = new Int32Array(hessians);
  const at = new Uint32Array(4);
  at[0] = jacobianRow.dataStart as u32;
  at[1] = jacobianColumn.dataStart as u32;
  at[2] = hessianRow.dataStart as u32;
  at[3] = hessianColumn.dataStart as u32;
  return at.dataStart;
}

export function createSparse(n: i32, m: i32): usize {
  const reduction = new Reduction(n, m);
  const system = new SparseSystem(reduction, jacobianRow, jacobianColumn, hessianRow, hessianColumn);
  return keep(new Solver(n, m, system));
}

function keep(solver: Solver): usize {
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
  const pages = memory.size();
  const analyses = solver.driver.base.system.analyses;
  const status = solver.driver.solve();
  tell(solver);
  // What a new order of elimination has left behind, and what the factors have outgrown, is given back.
  if (memory.size() !== pages || solver.driver.base.system.analyses !== analyses) __collect();
  return status;
}

/** Factorises the optimality conditions at the answer. @returns 0 where they are singular. */
export function linearize(): i32 {
  return only!.driver.linearize() ? 1 : 0;
}

/** Solves with these factors for `dual` and `rows` into `dx` and `dy`. @returns 0 where that fails. */
export function solveLinear(): i32 {
  const solver = only!;
  return solver.driver.sensitivity(solver.dual, solver.rows, solver.dx, solver.dy) ? 1 : 0;
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
