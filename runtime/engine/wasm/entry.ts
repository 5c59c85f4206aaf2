/// <reference types="../../solver/core/portable.d.ts" />
import { Machine, weighted } from "../../graph/machine.ts";
import { Plan } from "../../graph/plan.ts";
import { Driver } from "../../solver/core/driver.ts";
import { Settings } from "../../solver/core/settings.ts";
import { DenseSystem } from "../../solver/linear_algebra/dense_system.ts";
import { Reduction } from "../../solver/linear_algebra/linear_system.ts";
import { TapeModel } from "./tape_model.ts";

/*
 * The module's edge. One instance is one tape, and the solver of the problem that the tape describes where one is asked
 * for: with the instance goes all its memory. The host sizes the arrays of the plan, fills them, and calls `create`.
 */

declare function call(call: i32, input: i32, output: i32): void;
declare function difference(call: i32): void;

class ImportedMachine extends Machine {
  override call(at: i32, input: i32, output: i32): void {
    call(at, input, output);
  }
  override difference(at: i32): void {
    difference(at);
  }
}

const plan = new Plan();
let machine: ImportedMachine | null = null;
let solver: Solver | null = null;
/** What the host writes before a call, and what it reads after: the latter is taken when it is asked for first. */
let x: Float64Array = new Float64Array(0);
let weights: Float64Array = new Float64Array(0);
let g: Float64Array = new Float64Array(0);
let rows: Float64Array = new Float64Array(0);
let square: Float64Array = new Float64Array(0);

/** Numbered as in wasm_machine.ts. @returns Where its entries begin. */
export function takeInts(which: i32, length: i32): usize {
  const a = new Int32Array(length);
  switch (which) {
    case 0:
      plan.code = a;
      break;
    case 1:
      plan.outputSlots = a;
      break;
    case 2:
      plan.outputEnds = a;
      break;
    case 3:
      plan.liveEnds = a;
      break;
    case 4:
      plan.curvedEnds = a;
      break;
    case 5:
      plan.low = a;
      break;
    case 6:
      plan.high = a;
      break;
    case 7:
      plan.place = a;
      break;
    case 8:
      plan.live = a;
      break;
    case 9:
      plan.curved = a;
      break;
    case 10:
      plan.uniform = a;
      break;
    case 11:
      plan.opaqueAt = a;
      break;
    case 12:
      plan.jacobianAt = a;
      break;
    case 13:
      plan.trees = a;
      break;
    default:
      plan.treesAt = a;
  }
  return a.dataStart;
}

export function takeFloats(which: i32, length: i32): usize {
  const a = new Float64Array(length);
  if (which === 0) plan.constants = a;
  else plan.data = a;
  return a.dataStart;
}

/** Takes the memory of the tape. */
export function create(variables: i32, parameters: i32, slots: i32, fixed: i32): void {
  plan.variables = variables;
  plan.parameters = parameters;
  plan.slots = slots;
  plan.fixed = fixed;
  machine = new ImportedMachine(plan);
  x = new Float64Array(variables);
  weights = new Float64Array(plan.outputSlots.length);
  g = new Float64Array(variables);
}

/** In the order of `PLACES` in wasm_machine.ts. */
export function placeOf(which: i32): usize {
  const tape = machine!;
  if (which === 0) return tape.values.dataStart;
  if (which === 1) return tape.jacobians.dataStart;
  if (which === 2) return tape.differenced.dataStart;
  if (which === 3) return x.dataStart;
  if (which === 4) return weights.dataStart;
  return g.dataStart;
}

/** Takes the memory of Jacobians. @returns Where they lie. */
export function takeRows(): usize {
  rows = new Float64Array(plan.outputSlots.length * plan.variables);
  return rows.dataStart;
}

/** Takes the memory of Hessians. @returns Where they lie. */
export function takeSquare(): usize {
  square = new Float64Array(plan.variables * plan.variables);
  return square.dataStart;
}

export function begin(): void {
  machine!.begin();
}

export function forget(): void {
  machine!.forget();
}

export function forward(to: i32): void {
  machine!.forward(to);
}

export function run(count: i32): void {
  machine!.run(x, count);
}

export function gradient(count: i32): void {
  machine!.gradient(x, weights, weighted(weights, count), g);
}

export function jacobian(first: i32, count: i32): void {
  machine!.jacobian(x, first, count, rows);
}

export function hessian(count: i32): void {
  machine!.hessian(x, weights, weighted(weights, count), square);
}

/** The solver of min output 0 with bounds on the variables and on all other outputs. */
class Solver {
  readonly model: TapeModel;
  readonly settings: Settings;
  readonly driver: Driver;
  readonly figures: Float64Array = new Float64Array(6);

  constructor(tape: Machine, m: i32) {
    const settings = new Settings();
    const model = new TapeModel(tape, m);
    this.settings = settings;
    this.model = model;
    this.driver = new Driver(model, settings, new DenseSystem(new Reduction(model.n, m)));
  }
}

/** Takes the memory of the solver. @param m Constraints: outputs 1 … m. */
export function createSolver(m: i32): void {
  solver = new Solver(machine!, m);
}

/** In the order of `SOLVER_PLACES` in tape_solver.ts. */
export function solverPlaceOf(which: i32): usize {
  const model = solver!.model;
  const driver = solver!.driver;
  switch (which) {
    case 0:
      return model.x0.dataStart;
    case 1:
      return model.xl.dataStart;
    case 2:
      return model.xu.dataStart;
    case 3:
      return model.gl.dataStart;
    case 4:
      return model.gu.dataStart;
    case 5:
      return model.startG.dataStart;
    case 6:
      return model.startL.dataStart;
    case 7:
      return model.startU.dataStart;
    case 8:
      return model.unit.dataStart;
    case 9:
      return driver.x.dataStart;
    case 10:
      return driver.g.dataStart;
    case 11:
      return driver.multG.dataStart;
    case 12:
      return driver.multL.dataStart;
    case 13:
      return driver.multU.dataStart;
    default:
      return solver!.figures.dataStart;
  }
}

export function setOption(index: i32, value: f64): void {
  solver!.settings.set(index, value);
}

/** @param wanted 0: leaves the start as the answer. @returns IPOPT's return code. */
export function solve(wanted: i32, reporting: i32): i32 {
  const driver = solver!.driver;
  solver!.model.begin();
  solver!.model.reporting = reporting !== 0;
  let status: i32 = -12;
  if (wanted !== 0) status = driver.solve();
  else driver.reject();
  const figures = solver!.figures;
  figures[0] = driver.objective;
  figures[1] = driver.main.iterations as f64;
  figures[2] = driver.base.functionCalls as f64;
  figures[3] = driver.dualInfeasibility;
  figures[4] = driver.violation;
  figures[5] = driver.complementarity;
  return status;
}
