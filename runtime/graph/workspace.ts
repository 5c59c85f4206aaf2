/** The memory of one tape: allocated once, and scratch between the passes. */
import { type Directions, findDirections } from "./directions.ts";
import { newPartials, type Partials } from "./partials.ts";
import { GraphError } from "./graph_error.ts";
import type { Program } from "./program.ts";

/** 256 MiB. */
const MAX_TANGENTS = 1 << 25;

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
  if (directions.size > MAX_TANGENTS) {
    throw new GraphError(
      "TAPE",
      `Cannot hold ${directions.size} derivatives of a tape: expected at most ${MAX_TANGENTS}`,
    );
  }
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
