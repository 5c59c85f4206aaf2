import { Settings } from "./core/settings.ts";
import { DenseModel } from "./dense_model.ts";
import type { DenseProblem } from "./dense_problem.ts";
import { applyOptions } from "./options.ts";
import { reducedHessian } from "./reduced_hessian.ts";
import { SettingWriter } from "./setting_names.ts";
import type { Solver } from "./solver.ts";
import { checkParameter, checkSizes } from "./solver_input.ts";
import { askedOf, resultOf } from "./solver_result.ts";
import { checkStructure, NOTHING, type SparseProblem, type Structure } from "./sparse_problem.ts";

/** A {@linkcode Solver} in a WebAssembly memory of its own, of at most 1 GB. */
export interface WasmSolver<P extends DenseProblem = DenseProblem> extends Solver<P> {
  /** Size of its memory; it grows at the first solve of a kind, if at all. */
  readonly memoryBytes: number;
}

/** What wasm/entry.ts exports. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  create(n: number, m: number): number;
  createPlaces(jacobians: number, hessians: number): number;
  createSparse(n: number, m: number): number;
  setOption(index: number, value: number): void;
  reject(): void;
  solve(): number;
  linearize(): number;
  solveLinear(): number;
}

/** As in wasm/entry.ts and core/interior_point.ts. */
const ADDRESSES = 21;
const FIGURES = 6;
const PROGRESS_SIZE = 12;

/**
 * {@linkcode createSolver} on solver.wasm: the same steps to the last bit.
 * @param module solver.wasm, compiled once; it may be posted to workers.
 * @throws {RangeError} If a size is not a whole number in its range, or the memory would be larger than 1 GB.
 */
export function createWasmSolver(module: WebAssembly.Module, n: number, m: number): WasmSolver {
  checkSizes(n, m);
  return solverIn(module, n, m, undefined);
}

/**
 * {@linkcode createSparseSolver} on solver.wasm: the same steps to the last bit.
 * @param hessian One triangle; none where the problems have no Hessian: L-BFGS takes its place.
 * @throws {RangeError} If a place is outside of the matrices, or the memory would be larger than 1 GB.
 */
export function createSparseWasmSolver(
  module: WebAssembly.Module,
  n: number,
  m: number,
  jacobian: Structure,
  hessian: Structure = NOTHING,
): WasmSolver<SparseProblem> {
  checkSizes(n, m);
  checkStructure("Jacobian", jacobian, m, n);
  checkStructure("Hessian", hessian, n, n);
  return solverIn(module, n, m, [jacobian, hessian]);
}

function solverIn(
  module: WebAssembly.Module,
  n: number,
  m: number,
  structures: readonly [Structure, Structure] | undefined,
): WasmSolver {
  const model = new DenseModel(n, m);
  const settings = new Settings();
  const jacobians = structures === undefined ? m * n : structures[0].iRow.length;
  const hessians = structures === undefined ? n * n : structures[1].iRow.length;
  const instance = new WebAssembly.Instance(module, { entry: callbacks(model, view, jacobians, hessians) });
  const wasm = instance.exports as unknown as Exports;
  const writer = new SettingWriter(wasm.setOption);
  // The memory may grow while it is taken: only then is its buffer used.
  const listed = inMemory(
    n,
    m,
    () => structures === undefined ? wasm.create(n, m) : createSparse(structures),
  );
  const places = new Uint32Array(wasm.memory.buffer, listed, ADDRESSES).slice();
  const lengths = [n, n, n, m, m, m, n, n, n, n, m, m, n, n, FIGURES, jacobians, hessians, n, m, n, m];
  const inputs = [model.x0, model.xl, model.xu, model.gl, model.gu];
  inputs.push(model.startG, model.startL, model.startU, model.unit);
  /** Views by address; worthless once the memory has grown. */
  const views = new Map<number, Float64Array>();
  let { buffer } = wasm.memory;

  function createSparse([jacobian, hessian]: readonly [Structure, Structure]): number {
    const at = wasm.createPlaces(jacobians, hessians);
    const [jRow, jColumn, hRow, hColumn] = new Uint32Array(wasm.memory.buffer, at, 4);
    new Int32Array(wasm.memory.buffer, jRow, jacobians).set(jacobian.iRow);
    new Int32Array(wasm.memory.buffer, jColumn, jacobians).set(jacobian.jCol);
    new Int32Array(wasm.memory.buffer, hRow, hessians).set(hessian.iRow);
    new Int32Array(wasm.memory.buffer, hColumn, hessians).set(hessian.jCol);
    return wasm.createSparse(n, m);
  }

  function view(address: number, length: number): Float64Array {
    if (wasm.memory.buffer !== buffer) {
      buffer = wasm.memory.buffer;
      views.clear();
    }
    let found = views.get(address);
    // An array of no entries may share its address with the next.
    if (found === undefined || found.length !== length) {
      found = new Float64Array(buffer, address, length);
      views.set(address, found);
    }
    return found;
  }

  const part = (k: number) => view(places[k], lengths[k]);
  /** Solves with the factors of `linearize`. */
  function solveLinear(dual: Float64Array, rows: Float64Array, dx: Float64Array, dy: Float64Array): boolean {
    part(17).set(dual);
    part(18).set(rows);
    if (wasm.solveLinear() === 0) return false;
    dx.set(part(19));
    dy.set(part(20));
    return true;
  }

  return {
    n,
    m,
    get memoryBytes() {
      return wasm.memory.buffer.byteLength;
    },
    solve(problem, options = {}) {
      model.begin(problem, options);
      const dense = structures === undefined;
      const complaint = applyOptions(options, settings, problem.hessian !== undefined, dense);
      const asked = askedOf(problem, options, model, complaint);
      for (let k = 0; k < inputs.length; k++) part(k).set(inputs[k]);
      writer.write(settings);
      let status = -12;
      if (complaint === undefined) status = inMemory(n, m, () => wasm.solve());
      else wasm.reject();
      model.end();
      const [objective, iterations, evaluations, dual, violation, complementarity] = part(14);
      const answer = { x: part(9), g: part(10), multG: part(11), multL: part(12), multU: part(13) };
      const figures = { objective, iterations, evaluations, dual, violation, complementarity };
      return resultOf(status, answer, figures, asked);
    },
    sensitivity(problem, { lagrangian, constraints }) {
      checkParameter(n, m, lagrangian, constraints);
      model.begin(problem, {});
      const x = new Float64Array(n);
      const mult_g = new Float64Array(m);
      const solved = wasm.linearize() !== 0 && solveLinear(lagrangian, constraints, x, mult_g);
      model.end();
      return solved ? { x, mult_g } : undefined;
    },
    reducedHessian(problem, variables) {
      model.begin(problem, {});
      const found = wasm.linearize() !== 0 ? reducedHessian(n, m, variables, solveLinear) : undefined;
      model.end();
      return found;
    },
  };
}

/** More memory was asked for than solver.wasm may take. */
export class MemoryError extends RangeError {}

/** Runs what may need more memory than there is. */
function inMemory<T>(n: number, m: number, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    throw new MemoryError(
      `Cannot solve ${n} variables and ${m} constraints in the 1 GB that solver.wasm may take: ${error.message}`,
    );
  }
}

/** The module's imports. */
function callbacks(
  model: DenseModel,
  at: (address: number, length: number) => Float64Array,
  jacobians: number,
  hessians: number,
): Record<string, WebAssembly.ImportValue> {
  const { n, m } = model;
  return {
    objective: (x: number) => model.objective(at(x, n)),
    gradient: (x: number, g: number) => +model.gradient(at(x, n), at(g, n)),
    constraints: (x: number, c: number) => +model.constraints(at(x, n), at(c, m)),
    jacobian: (x: number, values: number) => +model.jacobian(at(x, n), at(values, jacobians)),
    hessian: (x: number, sigma: number, lambda: number, values: number) =>
      +model.hessian(at(x, n), sigma, at(lambda, m), at(values, hessians)),
    cancelled: () => +model.cancelled(),
    elapsed: () => model.elapsed(),
    report: (progress: number) => +model.report(at(progress, PROGRESS_SIZE)),
  };
}
