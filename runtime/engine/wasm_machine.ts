/** A tape in an instance of engine.wasm. */
import type { Plan } from "../graph/plan.ts";
import { localMachine, type MachineMaker, type OpaqueHost, type TapeMachine } from "../graph/tape_machine.ts";

/** What wasm/entry.ts exports. */
export interface EngineExports {
  readonly memory: WebAssembly.Memory;
  takeInts(which: number, length: number): number;
  takeFloats(which: number, length: number): number;
  create(variables: number, parameters: number, slots: number, fixed: number): void;
  placeOf(which: number): number;
  takeRows(): number;
  takeSquare(): number;
  begin(): void;
  forget(): void;
  forward(to: number): void;
  run(count: number): void;
  gradient(count: number): void;
  jacobian(first: number, count: number): void;
  hessian(count: number): void;
  createSolver(m: number): void;
  solverPlaceOf(which: number): number;
  setOption(index: number, value: number): void;
  solve(wanted: number, reporting: number): number;
}

/** Whom the solver asks in a solve. */
export interface SolverHost {
  cancelled(): boolean;
  /** @param progress Where the numbers of the iterate lie. @returns False to stop. */
  report(progress: number): boolean;
}

/** By field of the plan: its number in `takeInts`. A field that is not named does not compile. */
const INTS: Readonly<Record<FieldOf<Int32Array>, number>> = {
  code: 0,
  outputSlots: 1,
  outputEnds: 2,
  liveEnds: 3,
  curvedEnds: 4,
  low: 5,
  high: 6,
  place: 7,
  live: 8,
  curved: 9,
  uniform: 10,
  opaqueAt: 11,
  jacobianAt: 12,
  trees: 13,
  treesAt: 14,
};
/** The same of `takeFloats`. */
const FLOATS: Readonly<Record<FieldOf<Float64Array>, number>> = { constants: 0, data: 1 };

/** The fields of the plan that are arrays of this kind. */
type FieldOf<A> = { [K in keyof Plan]: Plan[K] extends A ? K : never }[keyof Plan];

/** Taken before a plugin's world is, where it does not stay. */
const { Instance, RuntimeError } = WebAssembly;
const { log, log10, sin, cos, tan, pow } = Math;

/**
 * Machines in instances of `module`; where one cannot be had, for want of memory, a machine in this engine.
 * @param module engine.wasm, compiled once; it may be posted to workers.
 */
export function wasmMachine(module: WebAssembly.Module): MachineMaker {
  return (plan, host) => {
    try {
      return new WasmMachine(module, plan, host);
    } catch (error) {
      if (!isWant(error)) throw error;
      return localMachine(plan, host);
    }
  };
}

/** Whether `error` tells that an instance has no memory, or no more of it. */
export function isWant(error: unknown): boolean {
  return error instanceof RangeError || error instanceof RuntimeError;
}

/** One instance of the module: with it goes all its memory. */
export class WasmMachine implements TapeMachine {
  readonly plan: Plan;
  /** Set by the solver of this instance. */
  solverHost: SolverHost | undefined;
  readonly #wasm: EngineExports;
  readonly #outputSlots: Int32Array;
  readonly #places: readonly number[];
  /** Where Jacobians and Hessians lie; 0: nobody has asked for one. */
  #rowsPlace = 0;
  #squarePlace = 0;
  /** Views of the memory, made anew when that has grown. */
  #buffer: ArrayBufferLike;
  #views!: Views;

  constructor(module: WebAssembly.Module, plan: Plan, host: OpaqueHost) {
    const entry = { call: host.call, difference: host.difference };
    const tape_model = {
      cancelled: () => this.solverHost!.cancelled() ? 1 : 0,
      report: (progress: number) => this.solverHost!.report(progress) ? 1 : 0,
    };
    const instance = new Instance(module, {
      entry,
      tape_model,
      functions: { log, log10, sin, cos, tan, pow },
    });
    const wasm = instance.exports as unknown as EngineExports;
    this.plan = plan;
    this.#wasm = wasm;
    this.#outputSlots = plan.outputSlots;
    for (const [name, which] of Object.entries(INTS) as [FieldOf<Int32Array>, number][]) {
      const at = wasm.takeInts(which, plan[name].length);
      new Int32Array(wasm.memory.buffer, at, plan[name].length).set(plan[name]);
    }
    for (const [name, which] of Object.entries(FLOATS) as [FieldOf<Float64Array>, number][]) {
      const at = wasm.takeFloats(which, plan[name].length);
      new Float64Array(wasm.memory.buffer, at, plan[name].length).set(plan[name]);
    }
    wasm.create(plan.variables, plan.parameters, plan.slots, plan.fixed);
    this.#places = Array.from({ length: 6 }, (_, k) => wasm.placeOf(k));
    this.#buffer = wasm.memory.buffer;
    this.#look();
  }

  /** What the instance exports, for its solver. */
  get exports(): EngineExports {
    return this.#wasm;
  }

  /** Size of its memory. */
  get memoryBytes(): number {
    return this.#wasm.memory.buffer.byteLength;
  }

  get values(): Float64Array {
    return this.#now().values;
  }

  get jacobians(): Float64Array {
    return this.#now().jacobians;
  }

  get differenced(): Int32Array {
    return this.#now().differenced;
  }

  begin(): void {
    this.#wasm.begin();
  }

  forget(): void {
    this.#wasm.forget();
  }

  forward(to: number): void {
    this.#wasm.forward(to);
  }

  value(x: Float64Array, out: Float64Array): void {
    const { x: into, values } = this.#now();
    for (let i = 0; i < into.length; i++) into[i] = x[i];
    this.#wasm.run(out.length);
    for (let k = 0; k < out.length; k++) out[k] = values[this.#outputSlots[k]];
  }

  gradient(x: Float64Array, weights: Float64Array, g: Float64Array): void {
    const { x: into, weights: factors, gradient } = this.#now();
    for (let i = 0; i < into.length; i++) into[i] = x[i];
    for (let k = 0; k < weights.length; k++) factors[k] = weights[k];
    this.#wasm.gradient(weights.length);
    for (let i = 0; i < into.length; i++) g[i] = gradient[i];
  }

  jacobian(x: Float64Array, first: number, count: number, jac: Float64Array): void {
    if (this.#rowsPlace === 0) {
      this.#rowsPlace = this.#wasm.takeRows();
      this.#look();
    }
    const { x: into, rows } = this.#now();
    for (let i = 0; i < into.length; i++) into[i] = x[i];
    this.#wasm.jacobian(first, count);
    for (let i = 0; i < count * into.length; i++) jac[i] = rows[i];
  }

  hessian(x: Float64Array, weights: Float64Array, h: Float64Array): void {
    if (this.#squarePlace === 0) {
      this.#squarePlace = this.#wasm.takeSquare();
      this.#look();
    }
    const { x: into, weights: factors, square } = this.#now();
    for (let i = 0; i < into.length; i++) into[i] = x[i];
    for (let k = 0; k < weights.length; k++) factors[k] = weights[k];
    this.#wasm.hessian(weights.length);
    for (let i = 0; i < square.length; i++) h[i] = square[i];
  }

  #now(): Views {
    if (this.#wasm.memory.buffer !== this.#buffer) this.#look();
    return this.#views;
  }

  #look(): void {
    const { plan } = this;
    const { buffer } = this.#wasm.memory;
    const [values, jacobians, differenced, x, weights, gradient] = this.#places;
    const { variables: n, outputSlots: { length: outputs } } = plan;
    this.#buffer = buffer;
    this.#views = {
      values: new Float64Array(buffer, values, plan.slots),
      jacobians: new Float64Array(buffer, jacobians, plan.jacobianAt[plan.opaqueAt.length]),
      differenced: new Int32Array(buffer, differenced, plan.opaqueAt.length),
      x: new Float64Array(buffer, x, n),
      weights: new Float64Array(buffer, weights, outputs),
      gradient: new Float64Array(buffer, gradient, n),
      rows: new Float64Array(buffer, this.#rowsPlace, this.#rowsPlace === 0 ? 0 : outputs * n),
      square: new Float64Array(buffer, this.#squarePlace, this.#squarePlace === 0 ? 0 : n * n),
    };
  }
}

interface Views {
  readonly values: Float64Array;
  readonly jacobians: Float64Array;
  readonly differenced: Int32Array;
  readonly x: Float64Array;
  readonly weights: Float64Array;
  readonly gradient: Float64Array;
  readonly rows: Float64Array;
  readonly square: Float64Array;
}
