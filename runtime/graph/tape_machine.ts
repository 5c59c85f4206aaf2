/** Where a tape runs. */
import { Machine, weighted } from "./machine.ts";
import type { Plan } from "./plan.ts";

/** Answers opaque calls out of the arena into it. */
export interface OpaqueHost {
  /** Fills the results of `call`, at slots `output` …, from its inputs at slots `input` …. */
  call(call: number, input: number, output: number): void;
  /** Makes the Jacobian of `call`. */
  difference(call: number): void;
}

/** The evaluations of a {@linkcode Machine}, in this engine or in WebAssembly. */
export interface TapeMachine {
  /** The arena. Ask for it whenever it is used: a memory that has grown is another one. */
  readonly values: Float64Array;
  /** Of the opaque calls, each outputs × inputs, row-major. */
  readonly jacobians: Float64Array;
  /** By opaque call: whether its Jacobian is that of the present point. */
  readonly differenced: Int32Array;
  begin(): void;
  forget(): void;
  /** Runs what depends on variables, up to instruction `to`, from the values in the arena. */
  forward(to: number): void;
  value(x: Float64Array, out: Float64Array): void;
  gradient(x: Float64Array, weights: Float64Array, g: Float64Array): void;
  jacobian(x: Float64Array, first: number, count: number, jac: Float64Array): void;
  hessian(x: Float64Array, weights: Float64Array, h: Float64Array): void;
}

export type MachineMaker = (plan: Plan, host: OpaqueHost) => TapeMachine;

/** A machine in this engine. */
export function localMachine(plan: Plan, host: OpaqueHost): TapeMachine {
  const machine = new LocalMachine(plan, host);
  return {
    values: machine.values,
    jacobians: machine.jacobians,
    differenced: machine.differenced,
    begin: () => machine.begin(),
    forget: () => machine.forget(),
    forward: (to) => machine.forward(to),
    value(x, out) {
      machine.run(x, out.length);
      for (let k = 0; k < out.length; k++) out[k] = machine.output(k);
    },
    gradient: (x, weights, g) => machine.gradient(x, weights, weighted(weights, weights.length), g),
    jacobian: (x, first, count, jac) => machine.jacobian(x, first, count, jac),
    hessian: (x, weights, h) => machine.hessian(x, weights, weighted(weights, weights.length), h),
  };
}

class LocalMachine extends Machine {
  readonly #host: OpaqueHost;

  constructor(plan: Plan, host: OpaqueHost) {
    super(plan);
    this.#host = host;
  }

  override call(call: number, input: number, output: number): void {
    this.#host.call(call, input, output);
  }

  override difference(call: number): void {
    this.#host.difference(call);
  }
}
