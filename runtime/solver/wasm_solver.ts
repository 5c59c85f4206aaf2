import { DenseModel } from "./dense_model.ts";
import type { DenseSolver } from "./dense_solver.ts";
import { applyOptions } from "./options.ts";
import { Settings } from "./core/settings.ts";
import { SETTING_NAMES } from "./setting_names.ts";
import { askedOf, resultOf } from "./solver_result.ts";

/** A solver in a module's memory, until it is disposed of. It has no sensitivity. */
export interface WasmSolver extends Pick<DenseSolver, "n" | "m" | "solve">, Disposable {}

/** What wasm/entry.ts exports. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  create(n: number, m: number): number;
  dispose(id: number): void;
  addresses(id: number): number;
  setOption(id: number, index: number, value: number): void;
  reject(id: number): void;
  solve(id: number): number;
  __collect(): void;
}

/** An instance of solver.wasm; its solvers share one memory. */
export class WasmSolvers {
  readonly #exports: Exports;
  #model: DenseModel | undefined;
  /** Views by address; worthless once the memory has grown. */
  #views = new Map<number, Float64Array>();
  #buffer: ArrayBufferLike;

  /** @param module solver.wasm, compiled once; it may be posted to workers. */
  constructor(module: WebAssembly.Module) {
    const at = (address: number, length: number) => this.#view(address, length);
    const model = () => this.#model!;
    const entry: Record<string, WebAssembly.ImportValue> = {
      objective: (x: number) => model().objective(at(x, model().n)),
      gradient: (x: number, g: number) => +model().gradient(at(x, model().n), at(g, model().n)),
      constraints: (x: number, c: number) => +model().constraints(at(x, model().n), at(c, model().m)),
      jacobian: (x: number, values: number) =>
        +model().jacobian(at(x, model().n), at(values, model().m * model().n)),
      hessian: (x: number, sigma: number, lambda: number, values: number) =>
        +model().hessian(at(x, model().n), sigma, at(lambda, model().m), at(values, model().n ** 2)),
      cancelled: () => +model().cancelled(),
      elapsed: () => model().elapsed(),
      report: (progress: number) => +model().report(at(progress, PROGRESS_SIZE)),
    };
    const instance = new WebAssembly.Instance(module, { entry });
    this.#exports = instance.exports as unknown as Exports;
    this.#buffer = this.#exports.memory.buffer;
  }

  /** Size of the memory that all solvers share. */
  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  /**
   * A solver with the memory for problems of one size.
   * @throws {RangeError} If a size is not a whole number in its range.
   */
  createSolver(n: number, m: number): WasmSolver {
    if (!Number.isInteger(n) || n < 1 || !Number.isInteger(m) || m < 0) {
      throw new RangeError(
        `Cannot make a solver for ${n} variables and ${m} constraints: expected whole numbers`,
      );
    }
    const wasm = this.#exports;
    const id = wasm.create(n, m);
    const model = new DenseModel(n, m);
    const settings = new Settings();
    const given = new Float64Array(SETTING_NAMES.length).fill(NaN);
    const places = new Uint32Array(wasm.memory.buffer, wasm.addresses(id), ADDRESSES).slice();
    const lengths = [n, n, n, m, m, m, n, n, n, n, m, m, n, n, FIGURES];
    const view = (k: number) => this.#view(places[k], lengths[k]);
    return {
      n,
      m,
      solve: (problem, options = {}) => {
        model.begin(problem, options);
        const complaint = applyOptions(options, settings, problem.hessian !== undefined);
        const inputs = [model.x0, model.xl, model.xu, model.gl, model.gu];
        inputs.push(model.startG, model.startL, model.startU, model.unit);
        inputs.forEach((input, k) => view(k).set(input));
        const values = settings as unknown as Readonly<Record<string, number | boolean>>;
        SETTING_NAMES.forEach((name, index) => {
          const value = Number(values[name]);
          if (value === given[index]) return;
          wasm.setOption(id, index, value);
          given[index] = value;
        });
        const asked = askedOf(problem, options, model, complaint);
        const before = this.#model;
        this.#model = model;
        let status = -12;
        try {
          if (complaint === undefined) status = wasm.solve(id);
          else wasm.reject(id);
        } finally {
          this.#model = before;
          model.end();
        }
        const [objective, iterations, evaluations, dual, violation, complementarity] = view(14);
        const [x, g, multG, multL, multU] = [9, 10, 11, 12, 13].map(view);
        const figures = { objective, iterations, evaluations, dual, violation, complementarity };
        return resultOf(status, { x, g, multG, multL, multU }, figures, asked);
      },
      [Symbol.dispose]() {
        wasm.dispose(id);
        wasm.__collect();
      },
    };
  }

  #view(address: number, length: number): Float64Array {
    const { buffer } = this.#exports.memory;
    if (buffer !== this.#buffer) {
      this.#buffer = buffer;
      this.#views.clear();
    }
    let view = this.#views.get(address);
    // An array of no entries may share its address with the next.
    if (view === undefined || view.length !== length) {
      view = new Float64Array(buffer, address, length);
      this.#views.set(address, view);
    }
    return view;
  }
}

/** As in wasm/entry.ts and core/interior_point.ts. */
const ADDRESSES = 17;
const FIGURES = 6;
const PROGRESS_SIZE = 11;
