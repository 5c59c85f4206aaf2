import { findDirections } from "./directions.ts";
import { GraphError } from "./graph_error.ts";
import { CODE, type OpCode } from "./opcodes.ts";
import { Plan } from "./plan.ts";
import { type Program, WIDTH } from "./program.ts";

/** 256 MiB. */
const MAX_TANGENTS = 1 << 25;

/** What the machine needs to know of a program. @throws {GraphError} TAPE where its derivatives need too much memory. */
export function planOf(program: Program): Plan {
  const { code, outputEnds, opaques, forests } = program;
  const { low, high, place, live, curved, uniform, size } = findDirections(program);
  if (size > MAX_TANGENTS) {
    throw new GraphError(
      "TAPE",
      `Cannot hold ${size} derivatives of a tape: expected at most ${MAX_TANGENTS}`,
    );
  }
  const jacobianAt = new Int32Array(opaques.length + 1);
  opaques.forEach(({ inputs, outputs }, k) => jacobianAt[k + 1] = jacobianAt[k] + inputs * outputs);
  const treesAt = new Int32Array(forests.length + 1);
  forests.forEach(({ ints }, k) => treesAt[k + 1] = treesAt[k] + ints.length);
  const trees = new Int32Array(treesAt[forests.length]);
  forests.forEach(({ ints }, k) => trees.set(ints, treesAt[k]));
  return Object.assign(new Plan(), {
    variables: program.variables,
    parameters: program.parameters,
    slots: program.slots,
    fixed: program.fixed,
    code,
    constants: program.constants,
    data: program.data,
    trees,
    treesAt,
    outputSlots: program.outputSlots,
    outputEnds,
    liveEnds: countBefore(live, outputEnds),
    curvedEnds: countBefore(curved, outputEnds),
    low,
    high,
    place,
    live,
    curved,
    uniform,
    opaqueAt: opaquePositions(code),
    jacobianAt,
  });
}

function countBefore(positions: Int32Array, ends: Int32Array): Int32Array {
  let count = 0;
  return ends.map((end) => {
    while (count < positions.length && positions[count] < end * WIDTH) count++;
    return count;
  });
}

function opaquePositions(code: Int32Array): Int32Array {
  const positions: number[] = [];
  for (let at = 0; at < code.length; at += WIDTH) {
    if (code[at] as OpCode === CODE.opaque) positions.push(at);
  }
  return Int32Array.from(positions);
}
