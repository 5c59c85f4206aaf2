/** The memory of one tape: allocated once, and scratch between the passes. */
import { type Directions, findDirections } from "./directions.ts";
import { newPartials, type Partials } from "./partials.ts";
import type { Program } from "./program.ts";

export interface Workspace {
  readonly program: Program;
  readonly directions: Directions;
  /** The arena: the value of every slot. */
  readonly values: Float64Array;
  readonly partials: Partials;
  /** Derivative of every slot to the variables of its range. */
  readonly tangents: Float64Array;
  /** Derivative of the weighted sum of outputs to every slot. */
  readonly adjoints: Float64Array;
  /** By opaque call: outputs × inputs, row-major. */
  readonly jacobians: readonly Float64Array[];
}

export function newWorkspace(program: Program): Workspace {
  const directions = findDirections(program);
  const values = new Float64Array(program.slots);
  values.set(program.constants, program.variables + program.parameters);
  const tangents = new Float64Array(directions.size);
  for (let i = 0; i < program.variables; i++) tangents[directions.place[i]] = 1;
  return {
    program,
    directions,
    values,
    partials: newPartials(program.slots),
    tangents,
    adjoints: new Float64Array(program.slots),
    jacobians: program.opaques.map((call) => new Float64Array(call.outputs * call.inputs)),
  };
}
