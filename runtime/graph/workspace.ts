/// <reference types="../solver/core/portable.d.ts" />
import { Plan } from "./plan.ts";

/** The memory of one tape: allocated once, and scratch between the passes. */
export abstract class Workspace {
  readonly plan: Plan;
  /** The arena: the value of every slot. */
  readonly values: Float64Array;
  /** Local derivatives by slot; see partials.ts. */
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly firstB: Float64Array;
  readonly secondB: Float64Array;
  readonly mixed: Float64Array;
  /** Derivative of every slot to the variables of its range. */
  readonly tangents: Float64Array;
  /** Derivative of the weighted sum of outputs to every slot. */
  readonly adjoints: Float64Array;
  /** Of the opaque calls, each outputs × inputs, row-major. */
  readonly jacobians: Float64Array;

  constructor(plan: Plan) {
    const slots = plan.slots;
    this.plan = plan;
    this.values = new Float64Array(slots);
    this.first = new Float64Array(slots);
    this.second = new Float64Array(slots);
    this.firstB = new Float64Array(slots);
    this.secondB = new Float64Array(slots);
    this.mixed = new Float64Array(slots);
    let tangents: i32 = 0;
    if (slots > 0) tangents = plan.place[slots - 1] + plan.high[slots - 1] - plan.low[slots - 1];
    this.tangents = new Float64Array(tangents);
    this.adjoints = new Float64Array(slots);
    this.jacobians = new Float64Array(plan.jacobianAt[plan.opaqueAt.length]);
    const constants = plan.variables + plan.parameters;
    for (let i: i32 = 0; i < plan.constants.length; i++) this.values[constants + i] = plan.constants[i];
    for (let i: i32 = 0; i < plan.variables; i++) this.tangents[plan.place[i]] = 1;
  }

  /** Fills the results of opaque call `call`, at slots `output` …, from its inputs at slots `input` …. */
  abstract call(call: i32, input: i32, output: i32): void;
}
