import { Settings } from "./core/settings.ts";
import { DenseModel } from "./dense_model.ts";
import type { DenseSolver } from "./dense_solver.ts";
import { applyOptions } from "./options.ts";
import { SETTING_NAMES } from "./setting_names.ts";
import { askedOf, resultOf } from "./solver_result.ts";

/** A solver in a WebAssembly memory of its own. It has no sensitivity. */
export interface WasmSolver extends Pick<DenseSolver, "n" | "m" | "solve"> {
  /** Size of its memory; it grows at the first solve of a kind, if at all. */
  readonly memoryBytes: number;
}

/** What wasm/entry.ts exports. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  create(n: number, m: number): number;
  setOption(index: number, value: number): void;
  reject(): void;
  solve(): number;
}

/** As in wasm/entry.ts and core/interior_point.ts. */
const ADDRESSES = 17;
const FIGURES = 6;
const PROGRESS_SIZE = 11;

/**
 * {@linkcode createSolver} on solver.wasm: the same steps to the last bit.
 * @param module solver.wasm, compiled once; it may be posted to workers.
 * @throws {RangeError} If a size is not a whole number in its range.
 */
export function createWasmSolver(module: WebAssembly.Module, n: number, m: number): WasmSolver {
  if (!Number.isInteger(n) || n < 1 || !Number.isInteger(m) || m < 0) {
    throw new RangeError(
      `Cannot make a solver for ${n} variables and ${m} constraints: expected whole numbers`,
    );
  }
  const model = new DenseModel(n, m);
  const settings = new Settings();
  const values = settings as unknown as Readonly<Record<string, number | boolean>>;
  const given = new Float64Array(SETTING_NAMES.length).fill(NaN);
  const instance = new WebAssembly.Instance(module, { entry: callbacks(model, view) });
  const wasm = instance.exports as unknown as Exports;
  // The memory may grow in `create`: only then is its buffer taken.
  const listed = wasm.create(n, m);
  const places = new Uint32Array(wasm.memory.buffer, listed, ADDRESSES).slice();
  const lengths = [n, n, n, m, m, m, n, n, n, n, m, m, n, n, FIGURES];
  const inputs = [model.x0, model.xl, model.xu, model.gl, model.gu];
  inputs.push(model.startG, model.startL, model.startU, model.unit);
  /** Views by address; worthless once the memory has grown. */
  const views = new Map<number, Float64Array>();
  let { buffer } = wasm.memory;

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
  return {
    n,
    m,
    get memoryBytes() {
      return wasm.memory.buffer.byteLength;
    },
    solve(problem, options = {}) {
      model.begin(problem, options);
      const complaint = applyOptions(options, settings, problem.hessian !== undefined);
      const asked = askedOf(problem, options, model, complaint);
      for (let k = 0; k < inputs.length; k++) part(k).set(inputs[k]);
      for (let k = 0; k < given.length; k++) {
        const value = Number(values[SETTING_NAMES[k]]);
        if (value === given[k]) continue;
        wasm.setOption(k, value);
        given[k] = value;
      }
      let status = -12;
      if (complaint === undefined) status = wasm.solve();
      else wasm.reject();
      model.end();
      const [objective, iterations, evaluations, dual, violation, complementarity] = part(14);
      const answer = { x: part(9), g: part(10), multG: part(11), multL: part(12), multU: part(13) };
      const figures = { objective, iterations, evaluations, dual, violation, complementarity };
      return resultOf(status, answer, figures, asked);
    },
  };
}

/** The module's imports. */
function callbacks(
  model: DenseModel,
  at: (address: number, length: number) => Float64Array,
): Record<string, WebAssembly.ImportValue> {
  const { n, m } = model;
  return {
    objective: (x: number) => model.objective(at(x, n)),
    gradient: (x: number, g: number) => +model.gradient(at(x, n), at(g, n)),
    constraints: (x: number, c: number) => +model.constraints(at(x, n), at(c, m)),
    jacobian: (x: number, values: number) => +model.jacobian(at(x, n), at(values, m * n)),
    hessian: (x: number, sigma: number, lambda: number, values: number) =>
      +model.hessian(at(x, n), sigma, at(lambda, m), at(values, n * n)),
    cancelled: () => +model.cancelled(),
    elapsed: () => model.elapsed(),
    report: (progress: number) => +model.report(at(progress, PROGRESS_SIZE)),
  };
}
