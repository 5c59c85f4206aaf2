/// <reference types="../solver/core/portable.d.ts" />
import { runAdjoints } from "./adjoints.ts";
import { WIDTH } from "./codes.ts";
import { addCurvature } from "./curvature.ts";
import { clearRange } from "./dense.ts";
import { runForward } from "./forward.ts";
import { runPartials } from "./partials.ts";
import { Plan } from "./plan.ts";
import { runTangents } from "./tangents.ts";
import { Workspace } from "./workspace.ts";

/**
 * Runs a plan, and knows what is up to date: each pass over the arena is made once a point, and as far as the outputs
 * that were asked for need it. Portable AssemblyScript, as all that it imports: the same files run as TypeScript and as
 * WebAssembly, and give the same bits.
 */
export abstract class Machine extends Workspace {
  /** By opaque call: whether its Jacobian is that of the present point. */
  readonly differenced: Int32Array;
  /** Whether a Hessian was asked for: then tangents are needed anyway, and rows come from them. */
  private secondOrder: boolean = false;
  /** How much is up to date for the variables in the arena: instructions, curved, live. */
  private valued: i32 = 0;
  private bent: i32 = 0;
  private tangent: i32 = 0;

  constructor(plan: Plan) {
    super(plan);
    this.differenced = new Int32Array(plan.opaqueAt.length);
  }

  /** Makes the Jacobian of opaque call `call`, whose inputs are in the arena. */
  abstract difference(call: i32): void;

  /** Computes what depends on the parameters only; called when these have changed in the arena. */
  begin(): void {
    runForward(this, 0, this.plan.fixed);
    this.forget();
  }

  /** The variables in the arena may be others now. */
  forget(): void {
    this.valued = this.plan.fixed;
    this.bent = this.tangent = 0;
    for (let k: i32 = 0; k < this.differenced.length; k++) this.differenced[k] = 0;
  }

  /** Runs what depends on variables, up to instruction `to`, from the values in the arena. */
  forward(to: i32): void {
    this.forget();
    runForward(this, this.plan.fixed, to);
  }

  /** Brings outputs 0 … count − 1 up to date at `x`. */
  run(x: Float64Array, count: i32): void {
    const plan = this.plan;
    const values = this.values;
    let same = true;
    for (let i: i32 = 0; i < plan.variables; i++) {
      if (values[i] === x[i]) continue;
      values[i] = x[i];
      same = false;
    }
    if (!same) this.forget();
    const end = endOf(plan.outputEnds, count);
    if (this.valued >= end) return;
    runForward(this, this.valued, end);
    this.valued = end;
  }

  /** Output k, once it is up to date. */
  output(k: i32): f64 {
    return this.values[this.plan.outputSlots[k]];
  }

  /** Gradient of Σ w_k·output_k into `g`. @param weights At least `count`; the last is not 0. */
  gradient(x: Float64Array, weights: Float64Array, count: i32, g: Float64Array): void {
    this.run(x, count);
    this.bend(count);
    this.reverse(weights, count);
    for (let i: i32 = 0; i < this.plan.variables; i++) g[i] = this.adjoints[i];
  }

  /** Gradients of outputs first … first + count − 1, row-major. */
  jacobian(x: Float64Array, first: i32, count: i32, jac: Float64Array): void {
    const plan = this.plan;
    const n = plan.variables;
    const needed = first + count;
    const adjoints = this.adjoints;
    this.run(x, needed);
    this.bend(needed);
    if (!this.secondOrder && count * 3 < n && this.tangent < endOf(plan.liveEnds, needed)) {
      for (let k: i32 = 0; k < count; k++) {
        this.clearAdjoints(first + k + 1);
        adjoints[plan.outputSlots[first + k]] = 1;
        runAdjoints(this, endOf(plan.liveEnds, first + k + 1));
        for (let i: i32 = 0; i < n; i++) jac[k * n + i] = adjoints[i];
      }
      return;
    }
    this.advanceTangents(needed);
    clearRange(jac, 0, count * n);
    for (let k: i32 = 0; k < count; k++) {
      const slot = plan.outputSlots[first + k];
      const high = plan.high[slot];
      let t = plan.place[slot];
      for (let i = plan.low[slot]; i < high; i++) jac[k * n + i] = this.tangents[t++];
    }
  }

  /** Hessian of Σ w_k·output_k, row-major, symmetric. */
  hessian(x: Float64Array, weights: Float64Array, count: i32, h: Float64Array): void {
    const n = this.plan.variables;
    this.lowerHessian(x, weights, count, h);
    for (let i: i32 = 0; i < n; i++) {
      for (let j: i32 = 0; j < i; j++) h[j * n + i] = h[i * n + j];
    }
  }

  /** The same, with zeros above the diagonal. */
  lowerHessian(x: Float64Array, weights: Float64Array, count: i32, h: Float64Array): void {
    this.secondOrder = true;
    this.run(x, count);
    this.bend(count);
    this.advanceTangents(count);
    this.reverse(weights, count);
    clearRange(h, 0, this.plan.variables * this.plan.variables);
    addCurvature(this, endOf(this.plan.curvedEnds, count), h);
  }

  private bend(count: i32): void {
    const plan = this.plan;
    const end = endOf(plan.curvedEnds, count);
    if (this.bent < end) {
      runPartials(this, this.bent, end);
      this.bent = end;
    }
    const done = endOf(plan.outputEnds, count) * WIDTH;
    for (let k: i32 = 0; k < plan.opaqueAt.length; k++) {
      if (plan.opaqueAt[k] < done && this.differenced[k] === 0) this.difference(k);
    }
  }

  private advanceTangents(count: i32): void {
    const end = endOf(this.plan.liveEnds, count);
    if (this.tangent >= end) return;
    runTangents(this, this.tangent, end);
    this.tangent = end;
  }

  private reverse(weights: Float64Array, count: i32): void {
    this.clearAdjoints(count);
    for (let k: i32 = 0; k < count; k++) this.adjoints[this.plan.outputSlots[k]] += weights[k];
    runAdjoints(this, endOf(this.plan.liveEnds, count));
  }

  /** As far as outputs 0 … count − 1 reach. */
  private clearAdjoints(count: i32): void {
    const plan = this.plan;
    const end = endOf(plan.outputEnds, count) * WIDTH;
    clearRange(this.adjoints, 0, end < plan.code.length ? plan.code[end + 1] : plan.slots);
  }
}

/** How many outputs have to be computed: up to the last weight that is not 0. */
export function weighted(weights: Float64Array, count: i32): i32 {
  while (count > 0 && weights[count - 1] === 0) count--;
  return count;
}

function endOf(ends: Int32Array, outputs: i32): i32 {
  return outputs === 0 ? 0 : ends[outputs - 1];
}
