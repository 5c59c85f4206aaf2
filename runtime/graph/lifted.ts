import type { Lifted, LiftedAuxiliary, LiftedBranch, LiftedRow } from "./nonsmooth.ts";
import { StepTape } from "./step_tape.ts";
import { Tape } from "./tape.ts";
import type { MachineMaker } from "./tape_machine.ts";

export interface LiftedRun {
  /** The request's own parameters. */
  readonly parameters: ArrayLike<number>;
  /** Where z = 0 is; length of z. */
  readonly x0: ArrayLike<number>;
  /** Weight of Σ z². Default 0. */
  readonly rho?: number;
  /** Margin of a condition on the side where equality would flip it, relative to max(1, its numbers at x0). Default 1e-9. */
  readonly strictMargin?: number;
  /** The same on the side that equality belongs to. 0 keeps x0 itself allowed, where it lies on the corner. Default 1e-9. */
  readonly looseMargin?: number;
  /** Width of rounded corners, in the units of what meets there. Default 1e-3. */
  readonly width?: number;
}

/** One cell of the steps. */
export interface Held {
  /** One a held element. */
  readonly values: ArrayLike<number>;
  /** By quantity: bounds of the smooth number behind it; ∓∞ where there are none, and where it has no row. */
  readonly lower: ArrayLike<number>;
  readonly upper: ArrayLike<number>;
}

/** What is known of a branch in a box. */
export type Side = "true" | "false" | "undecided";

/** A lifted problem in use: v = (z, t), parameters in their places, one setting of the switches at a time. */
export class LiftedProblem {
  readonly tape: Tape;
  /** Number of z, and of z and t together. */
  readonly variables: number;
  readonly size: number;
  readonly rows: readonly LiftedRow[];
  readonly auxiliaries: readonly LiftedAuxiliary[];
  readonly branches: readonly LiftedBranch[];
  /** What the steps look at; none where nothing is to be held. */
  readonly steps: StepTape | undefined;
  /** Corners rounded off and left as steps: where there are any, the form is not exact. */
  readonly inexact: number;

  readonly #lifted: Lifted;
  readonly #parameters: Float64Array;
  readonly #out: Float64Array;
  readonly #point: Float64Array;

  /** @param machineOf Where its tape is to run. Default: here. @throws {GraphError} TAPE */
  constructor(lifted: Lifted, machineOf?: MachineMaker) {
    this.#lifted = lifted;
    this.tape = Tape.decode(lifted.tape, machineOf);
    this.variables = lifted.variables;
    this.size = lifted.variables + lifted.auxiliaries.length;
    this.rows = lifted.rows;
    this.auxiliaries = lifted.auxiliaries;
    this.branches = lifted.branches;
    this.steps = lifted.steps && new StepTape(lifted.steps);
    this.inexact = lifted.stepped + lifted.smoothed;
    this.#parameters = new Float64Array(lifted.layout.parameters);
    this.#out = new Float64Array(this.tape.outputs);
    this.#point = new Float64Array(this.size);
  }

  /** Sets everything but the switches, which are 0 at first. */
  setRun(run: LiftedRun): void {
    const { layout } = this.#lifted;
    const { parameters, x0, rho = 0, strictMargin = 1e-9, looseMargin = 1e-9, width = 1e-3 } = run;
    if (parameters.length !== layout.x0 || x0.length !== this.variables) {
      throw new RangeError(
        `Got ${parameters.length} parameters and ${x0.length} variables, expected ${layout.x0} and ${this.variables}`,
      );
    }
    this.#parameters.set(parameters);
    this.#parameters.set(x0, layout.x0);
    this.#parameters[layout.rho] = rho;
    this.#parameters[layout.strictMargin] = strictMargin;
    this.#parameters[layout.looseMargin] = looseMargin;
    this.#parameters[layout.width] = width;
    this.tape.setParameters(this.#parameters);
    if (this.steps === undefined) return;
    this.steps.setParameters(parameters);
    this.holdAt(Float64Array.from(x0));
  }

  /** Holds the steps at what they are at `x`; `setRun` does so at x0. */
  holdAt(x: Float64Array): void {
    if (this.steps === undefined) return;
    const open = new Float64Array(this.steps.quantities.length).fill(Infinity);
    this.hold({ values: this.steps.heldAt(x), lower: open.map((bound) => -bound), upper: open });
  }

  /** @param sides One 0 or 1 a branch. */
  setSides(sides: ArrayLike<number>): void {
    for (let k = 0; k < this.branches.length; k++) {
      this.#parameters[this.#lifted.layout.switches + k] = sides[k];
    }
    this.tape.setParameters(this.#parameters);
  }

  /** Holds the steps, and what has a row between bounds. */
  hold({ values, lower, upper }: Held): void {
    const { layout: { held, ranges }, ranged } = this.#lifted;
    this.#parameters.set(values, held);
    ranged.forEach((quantity, k) => {
      this.#parameters[ranges + 2 * k] = lower[quantity];
      this.#parameters[ranges + 2 * k + 1] = upper[quantity];
    });
    this.tape.setParameters(this.#parameters);
  }

  /** The side of every branch on which the exact functions see z. @param z Longer is fine: the rest is not read. */
  sidesAt(z: ArrayLike<number>, sides: Uint8Array = new Uint8Array(this.branches.length)): Uint8Array {
    this.#evaluateAll(z);
    const { tests } = this.#lifted.layout;
    for (let k = 0; k < sides.length; k++) {
      sides[k] = onTrueSide(this.branches[k].kind, this.#out[tests + k]) ? 1 : 0;
    }
    return sides;
  }

  /** What intervals say of every branch over the box lower ≤ z ≤ upper, for the parameters of the run. */
  branchSides(lower: ArrayLike<number>, upper: ArrayLike<number>): Side[] {
    const [lo, hi] = [
      new Float64Array(this.size).fill(-Infinity),
      new Float64Array(this.size).fill(Infinity),
    ];
    for (let i = 0; i < this.variables; i++) {
      lo[i] = lower[i];
      hi[i] = upper[i];
    }
    const bounds = this.tape.intervals(lo, hi, this.#lifted.layout.tests, this.branches.length);
    return this.branches.map(({ kind }, k) => sideWithin(kind, bounds.lower[k], bounds.upper[k]));
  }

  /** Which branches can matter with the present switches: the other switches may be anything. 1 or 0 each. */
  relevant(flags: Uint8Array = new Uint8Array(this.branches.length)): Uint8Array {
    const { branchGuards } = this.#lifted.layout;
    for (let k = 0; k < flags.length; k++) flags[k] = this.tape.fixedOutput(branchGuards + k) !== 0 ? 1 : 0;
    return flags;
  }

  /** Whether the auxiliary variable `k` matters for the present switches. */
  matters(k: number): boolean {
    return this.tape.fixedOutput(this.#lifted.layout.auxiliaryGuards + k) !== 0;
  }

  /** Sets t in v = (z, t) to the exact values at z, where these can be computed within the bounds. */
  start(v: Float64Array): void {
    this.#evaluateAll(v);
    const { starts } = this.#lifted.layout;
    this.auxiliaries.forEach(({ lower, upper }, k) => {
      const t = this.#out[starts + k];
      v[this.variables + k] = Math.min(upper, Math.max(lower, Number.isFinite(t) ? t : 0));
    });
  }

  /**
   * Bounds of v from those of z: a t that does not matter for the present switches is fixed where `start` puts it.
   * @param v With t as `start` gives it. @param xl Length `size`; overwritten. @param xu Length `size`; overwritten.
   */
  bounds(
    lower: ArrayLike<number>,
    upper: ArrayLike<number>,
    v: Float64Array,
    xl: Float64Array,
    xu: Float64Array,
  ): void {
    for (let i = 0; i < this.variables; i++) {
      xl[i] = lower[i];
      xu[i] = upper[i];
    }
    this.auxiliaries.forEach((auxiliary, k) => {
      const i = this.variables + k;
      const matters = this.matters(k);
      xl[i] = matters ? auxiliary.lower : v[i];
      xu[i] = matters ? auxiliary.upper : v[i];
    });
  }

  #evaluateAll(z: ArrayLike<number>): void {
    for (let i = 0; i < this.variables; i++) this.#point[i] = z[i];
    this.tape.value(this.#point, this.#out);
  }
}

function onTrueSide(kind: LiftedBranch["kind"], difference: number): boolean {
  return kind === "lt" ? difference < 0 : kind === "eq" ? difference === 0 : difference <= 0;
}

function sideWithin(kind: LiftedBranch["kind"], lower: number, upper: number): Side {
  if (kind === "eq") {
    return lower === 0 && upper === 0 ? "true" : lower > 0 || upper < 0 ? "false" : "undecided";
  }
  const [always, never] = kind === "lt" ? [upper < 0, lower >= 0] : [upper <= 0, lower > 0];
  return always ? "true" : never ? "false" : "undecided";
}
