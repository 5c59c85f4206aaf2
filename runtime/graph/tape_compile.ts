/** Graph → program: dead code dropped, what depends on parameters only first, a place in the arena for every value. */
import { type Graph, GraphError, type Node, type NodeId, reachable, reachableBeyond } from "./expr.ts";
import { type Forest, forestOf } from "./forest.ts";
import { CODE } from "./opcodes.ts";
import { encodeProgram, type OpaqueCall, type Program, WIDTH } from "./program.ts";
import { Tape } from "./tape.ts";

export interface TapeSpec {
  readonly variables: number;
  readonly parameters: number;
  /** Scalar nodes. */
  readonly outputs: readonly NodeId[];
}

/** @throws {GraphError} SHAPE where an output is no scalar, INDEX where a variable or parameter is beyond the counts. */
export function compileTape(graph: Graph, spec: TapeSpec): Tape {
  return Tape.decode(encodeProgram(layOut(graph, spec).program));
}

/** A program and where each node's value lies in its arena. */
export interface Layout {
  readonly program: Program;
  /** Slot of the first element; −1 for a node that no output needs. */
  readonly slotOf: Int32Array;
}

export function layOut(graph: Graph, spec: TapeSpec): Layout {
  const { nodes } = graph;
  const needed = reachable(graph, spec.outputs);
  checkSpec(nodes, needed, spec);
  const active = dependsOnVariables(nodes, needed);
  const slotOf = new Int32Array(nodes.length).fill(-1);
  const constants: number[] = [];
  let free = spec.variables + spec.parameters;
  for (const id of needed) {
    const { op, index, data } = nodes[id];
    if (op === "variable") slotOf[id] = index!;
    if (op === "parameter") slotOf[id] = spec.variables + index!;
    if (op !== "constant") continue;
    slotOf[id] = free + constants.length;
    for (const value of data!) constants.push(value);
  }
  free += constants.length;

  const code: number[] = [];
  const opaques: OpaqueCall[] = [];
  const weights: Float64Array[] = [];
  const forests: Forest[] = [];
  let weightCount = 0;
  const place = (id: NodeId) => {
    if (slotOf[id] >= 0) return;
    const node = nodes[id];
    const args = node.args.map((arg) => ({ slot: slotOf[arg], length: nodes[arg].length }));
    if (node.op === "slice") {
      slotOf[id] = args[0].slot + node.index!;
      return;
    }
    if (node.op === "concat") {
      const runs = runsOf(args);
      // what lies in a row already is no instruction either
      slotOf[id] = runs.length === 1 ? runs[0].slot : free;
      if (runs.length === 1) return;
      for (const { slot, length } of runs) {
        code.push(CODE.concat, free, length, slot, 1, 0, 0, 0, 0, 0);
        free += length;
      }
      return;
    }
    slotOf[id] = free;
    const [a, b, c] = args;
    const stride = (arg: { length: number } | undefined) => arg === undefined || arg.length === 1 ? 0 : 1;
    if (node.op === "linear") {
      code.push(CODE.linear, free, node.length, a.slot, 1, a.length, 0, weightCount, 0, 0);
      weights.push(node.data!);
      weightCount += node.data!.length;
    } else if (node.op === "trees") {
      const size = node.data!.length;
      code.push(CODE.trees, free, node.length, a.slot, 1, a.length, 0, forests.length, weightCount, size);
      forests.push(forestOf(node.data!, a.length, node.length));
      weights.push(node.data!);
      weightCount += size;
    } else if (node.op === "opaque") {
      code.push(CODE.opaque, free, node.length, a.slot, 1, a.length, 0, opaques.length, 0, 0);
      opaques.push({ skill: node.index!, inputs: a.length, outputs: node.length });
    } else if (node.op === "sum") {
      code.push(CODE.sum, free, 1, a.slot, 1, a.length, 0, 0, 0, 0);
    } else {
      code.push(
        CODE[node.op],
        free,
        node.length,
        a.slot,
        stride(a),
        b?.slot ?? 0,
        stride(b),
        c?.slot ?? 0,
        stride(c),
        0,
      );
    }
    free += node.length;
  };
  for (const id of needed) if (active[id] === 0) place(id);
  const fixed = code.length / WIDTH;
  const outputEnds = new Int32Array(spec.outputs.length);
  spec.outputs.forEach((output, k) => {
    for (const id of reachableBeyond(graph, output, (id) => slotOf[id] >= 0)) place(id);
    outputEnds[k] = code.length / WIDTH;
  });

  const data = new Float64Array(weightCount);
  let at = 0;
  for (const part of weights) {
    data.set(part, at);
    at += part.length;
  }
  const program = {
    variables: spec.variables,
    parameters: spec.parameters,
    slots: free,
    fixed,
    code: Int32Array.from(code),
    outputSlots: Int32Array.from(spec.outputs, (id) => slotOf[id]),
    outputEnds,
    opaques,
    constants: Float64Array.from(constants),
    data,
    forests,
  };
  return { program, slotOf };
}

interface Run {
  readonly slot: number;
  readonly length: number;
}

/** Parts that follow each other in the arena as one. */
function runsOf(parts: readonly Run[]): Run[] {
  const runs: Run[] = [];
  for (const { slot, length } of parts) {
    const last = runs.at(-1);
    if (last !== undefined && last.slot + last.length === slot) {
      runs[runs.length - 1] = { slot: last.slot, length: last.length + length };
    } else {
      runs.push({ slot, length });
    }
  }
  return runs;
}

/** 1 for a node whose value depends on a variable, or on foreign code, which may only be asked while a run evaluates. */
export function dependsOnVariables(nodes: readonly Node[], needed: readonly NodeId[]): Uint8Array {
  const active = new Uint8Array(nodes.length);
  for (const id of needed) {
    const { op, args } = nodes[id];
    active[id] = op === "variable" || op === "opaque" || args.some((arg) => active[arg] === 1) ? 1 : 0;
  }
  return active;
}

function checkSpec(nodes: readonly Node[], needed: readonly NodeId[], spec: TapeSpec): void {
  for (const id of spec.outputs) {
    if (nodes[id].length !== 1) {
      throw new GraphError(
        "SHAPE",
        `Cannot output node ${id} of length ${nodes[id].length}: expected a scalar`,
      );
    }
  }
  for (const id of needed) {
    const { op, index } = nodes[id];
    const count = op === "variable" ? spec.variables : op === "parameter" ? spec.parameters : Infinity;
    if (count !== Infinity && index! >= count) {
      throw new GraphError("INDEX", `Cannot compile ${op} ${index}: the tape has ${count}`);
    }
  }
}
