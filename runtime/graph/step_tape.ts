import type { Forest } from "./forest.ts";
import type { BoxBounds } from "./interval.ts";
import { type LiftedQuantity, type LiftedSteps, risingOf } from "./lift_steps.ts";
import { Tape } from "./tape.ts";

/** The steps of a problem in use: what they look at and what they are, at points and in boxes. */
export class StepTape {
  readonly tape: Tape;
  readonly quantities: readonly LiftedQuantity[];
  /** Numbers of the outputs: quantities from 0, the smooth numbers behind them, then the cost, the limits, the held elements. */
  readonly cost: number;
  readonly held: number;
  readonly heldElements: number;
  /** The cost and the limits, of the variables and then the values of `given`. */
  readonly rest: Tape;
  /** Places in `forests`. */
  readonly given: readonly number[];
  /** Forests with the quantity of each element; −1: nothing looks at it. */
  readonly forests: readonly { readonly forest: Forest; readonly quantities: Int32Array }[];
  readonly #out: Float64Array;
  readonly #some: Float64Array;

  /** @throws {GraphError} TAPE */
  constructor({ tape, quantities, limits, held, forests, rest, given }: LiftedSteps) {
    this.tape = Tape.decode(tape);
    this.quantities = quantities;
    this.cost = 2 * quantities.length;
    this.held = this.cost + 1 + limits;
    this.heldElements = held;
    this.forests = this.tape.forests.map((forest, k) => ({ forest, quantities: forests[k] }));
    this.rest = Tape.decode(rest);
    this.given = given;
    this.#out = new Float64Array(this.tape.outputs);
    this.#some = new Float64Array(quantities.length);
  }

  setParameters(values: ArrayLike<number>): void {
    this.tape.setParameters(values);
    this.rest.setParameters(values);
  }

  /** The held elements at `x`, as the exact functions see them. The answer is overwritten by the next call. */
  heldAt(x: Float64Array): Float64Array {
    this.tape.value(x, this.#out);
    return this.#out.subarray(this.held);
  }

  /** Quantity `k` at `x`, not rounded. */
  quantityAt(x: Float64Array, k: number): number {
    const some = this.#some.subarray(0, k + 1);
    this.tape.value(x, some);
    return some[k];
  }

  /** For the present parameters. What is known of the quantities and of the smooth numbers behind them may be told. */
  boxBounds(): BoxBounds {
    return this.tape.boxBounds(this.cost);
  }

  /** Whether quantity `k` rises or falls with its only variable, within the box that `bounds` are for. */
  risesIn(bounds: BoxBounds, k: number): boolean | undefined {
    const { variable, rising } = this.quantities[k];
    if (variable < 0 || rising !== undefined) return rising;
    return risingOf(this.tape.signs(this.quantities.length + k, bounds)[variable]);
  }
}
