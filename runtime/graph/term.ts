/**
 * Expressions as one writes them: terms are values that are described, not computed. {@linkcode describe} turns those of
 * a skill into the graph that the runtime evaluates and differentiates; operators.ts makes terms of terms.
 */
import { Graph, type NodeId } from "./expr.ts";
import type { BinaryOp, UnaryOp } from "./ops.ts";
import type { Lowered, SkillSpec, Source } from "./skill.ts";

/** A number, or a term. */
export type Operand = Term | number;

type Make = (graph: Graph, args: readonly NodeId[]) => NodeId;

/** One scalar that is described: immutable, of no graph, usable in any number of others. */
export class Term {
  /** Made by {@linkcode source} and {@linkcode combined} only. */
  constructor(readonly args: readonly Operand[], readonly what: Source | Make) {}
}

/** What a skill reads of a variable. */
export function source(variable: string, role: Source["role"]): Term {
  return new Term([], { variable, role });
}

/** @param name For the message. @throws {TypeError} If an argument is neither. */
export function combined(name: string, args: readonly Operand[], make: Make): Term {
  args.forEach((arg, k) => {
    if (typeof arg === "number" || arg instanceof Term) return;
    throw new TypeError(
      `Cannot apply "${name}": argument ${k + 1} is ${typeof arg}, expected a term or a number`,
    );
  });
  return new Term([...args], make);
}

export function unary(op: UnaryOp): (x: Operand) => Term {
  return (x) => combined(op, [x], (graph, [node]) => graph.unary(op, node));
}

export function binary(op: BinaryOp): (a: Operand, b: Operand) => Term {
  return (a, b) => combined(op, [a, b], (graph, [left, right]) => graph.binary(op, left, right));
}

/**
 * Describes a skill. Units are those of the variables: nothing is converted.
 *
 * ```ts
 * import { describe, op, type SkillSpec } from "setpoint";
 *
 * const { div, mul, square, sub } = op;
 *
 * function lower(skill: SkillSpec) {
 *   return describe(skill, ([flow, head]) => {
 *     const efficiency = sub(0.82, square(sub(div(flow, 120), 1)));
 *     return div(mul(flow, head), efficiency);
 *   });
 * }
 * ```
 * @param build Gets the latest value of each input, in the order of the skill's; gives what the outputs become, in the
 *   order of theirs: one term, or a list.
 * @throws {TypeError} If it gives another number of terms than there are outputs.
 */
export function describe(
  skill: SkillSpec,
  build: (inputs: readonly Term[]) => Operand | readonly Operand[],
): Lowered {
  const given = build(skill.inputs.map((variable) => source(variable, "value")));
  const terms = Array.isArray(given) ? given as readonly Operand[] : [given as Operand];
  if (terms.length !== skill.outputs.length) {
    throw new TypeError(
      `Cannot describe skill "${skill.name}": it has ${skill.outputs.length} as outputs, got ${terms.length} as terms`,
    );
  }
  const graph = new Graph();
  const sources: Source[] = [];
  const places = new Map<string, NodeId>();
  const outputs = nodesOf(terms, graph, (read) => {
    const key = `${read.role} ${read.variable}`;
    if (!places.has(key)) places.set(key, graph.parameter(sources.push(read) - 1));
    return places.get(key)!;
  });
  return { expression: { graph, sources: sources.length, outputs }, sources };
}

/** Without recursion: a sum that was built in a loop may be many thousand terms deep. */
function nodesOf(roots: readonly Operand[], graph: Graph, read: (what: Source) => NodeId): NodeId[] {
  const done = new Map<Term, NodeId>();
  const nodeOf = (operand: Operand) =>
    typeof operand === "number" ? graph.constant(operand) : done.get(operand);
  const { args } = combined("describe", roots, () => 0);
  const left: Term[] = args.filter((root) => typeof root !== "number");
  for (let term = left.at(-1); term !== undefined; term = left.at(-1)) {
    const missing = done.has(term) ? [] : term.args.filter((arg) => nodeOf(arg) === undefined) as Term[];
    if (missing.length > 0) {
      for (const arg of missing.reverse()) left.push(arg);
      continue;
    }
    left.pop();
    if (done.has(term)) continue;
    const { what } = term;
    done.set(
      term,
      typeof what === "function" ? what(graph, term.args.map((arg) => nodeOf(arg)!)) : read(what),
    );
  }
  return args.map((root) => nodeOf(root)!);
}
