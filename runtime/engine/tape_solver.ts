/** The solver that shares its memory with a tape. */
import { LiftedNlp } from "../graph/lifted_nlp.ts";
import { DenseModel } from "../solver/dense_model.ts";
import { createSolver } from "../solver/dense_solver.ts";
import { applyOptions, type SolveOptions } from "../solver/options.ts";
import type { SolveResult } from "../solver/result.ts";
import { Settings } from "../solver/core/settings.ts";
import { SettingWriter } from "../solver/setting_names.ts";
import { askedOf, resultOf } from "../solver/solver_result.ts";
import { isWant, WasmMachine } from "./wasm_machine.ts";

/** Solves one lifted problem. */
export interface LiftedSolver {
  /**
   * From where `nlp.begin` has put the start, for the present parameters and switches. The arrays of the result are
   * overwritten by the next solve on the same tape.
   */
  solve(options?: SolveOptions): SolveResult;
}

/**
 * A solver of `nlp`. Where its tape is in WebAssembly the solve is too, in the same memory, and leaves it once an iteration
 * only, for clock and cancel; and for foreign code.
 */
export function createLiftedSolver(nlp: LiftedNlp): LiftedSolver {
  const { machine } = nlp.lifted.tape;
  if (machine instanceof WasmMachine) {
    try {
      const shared = solverIn(machine, nlp);
      return { solve: (options) => shared.solve(nlp, options) };
    } catch (error) {
      if (!isWant(error)) throw error;
    }
  }
  const solver = createSolver(nlp.n, nlp.m);
  return { solve: (options) => solver.solve(nlp, options) };
}

const FIGURES = 6;
const PROGRESS_SIZE = 12;

/** One a tape: memory that was taken in an instance goes with the instance alone. */
const solvers = new WeakMap<WasmMachine, TapeSolver>();

function solverIn(machine: WasmMachine, nlp: LiftedNlp): TapeSolver {
  let solver = solvers.get(machine);
  if (solver === undefined) solvers.set(machine, solver = new TapeSolver(machine, nlp.n, nlp.m));
  return solver;
}

class TapeSolver {
  readonly #machine: WasmMachine;
  readonly #model: DenseModel;
  readonly #settings = new Settings();
  readonly #writer: SettingWriter;
  /** Where the parts lie, and how long they are. */
  readonly #places: readonly { readonly at: number; readonly length: number }[];
  #parts: readonly Float64Array[] = [];

  constructor(machine: WasmMachine, n: number, m: number) {
    this.#machine = machine;
    const model = this.#model = new DenseModel(n, m);
    const { exports } = machine;
    exports.createSolver(m);
    this.#writer = new SettingWriter(exports.setOption);
    // x0, xl, xu, gl, gu, multipliers to begin with, units; then the answer, and its figures
    const lengths = [n, n, n, m, m, m, n, n, n, n, m, m, n, n, FIGURES];
    this.#places = lengths.map((length, k) => ({ at: exports.solverPlaceOf(k), length }));
    machine.solverHost = {
      cancelled: () => model.cancelled(),
      report: (at) => model.report(new Float64Array(exports.memory.buffer, at, PROGRESS_SIZE)),
    };
  }

  solve(nlp: LiftedNlp, options: SolveOptions = {}): SolveResult {
    const model = this.#model;
    const { exports } = this.#machine;
    model.begin(nlp, options);
    const complaint = applyOptions(options, this.#settings, nlp.hessian !== undefined, true);
    const asked = askedOf(nlp, options, model, complaint);
    const { x0, xl, xu, gl, gu, startG, startL, startU, unit } = model;
    [x0, xl, xu, gl, gu, startG, startL, startU, unit].forEach((part, k) => this.#part(k).set(part));
    this.#writer.write(this.#settings);
    const reporting = options.intermediate !== undefined || options.print !== undefined;
    const status = exports.solve(complaint === undefined ? 1 : 0, reporting ? 1 : 0);
    model.end();
    const [objective, iterations, evaluations, dual, violation, complementarity] = this.#part(14);
    const [x, g, multG, multL, multU] = [9, 10, 11, 12, 13].map((k) => this.#part(k));
    const figures = { objective, iterations, evaluations, dual, violation, complementarity };
    return resultOf(status, { x, g, multG, multL, multU }, figures, asked);
  }

  #part(k: number): Float64Array {
    const { buffer } = this.#machine.exports.memory;
    if (this.#parts[0]?.buffer !== buffer) {
      this.#parts = this.#places.map(({ at, length }) => new Float64Array(buffer, at, length));
    }
    return this.#parts[k];
  }
}
