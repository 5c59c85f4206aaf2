/** Random scalar costs full of corners and jumps, with the exact cost in plain closures beside the graph. */
import { Graph, type NodeId } from "../../runtime/graph/expr.ts";
import { seeded } from "./random_graph.ts";

interface Term {
  readonly id: NodeId;
  readonly value: (x: readonly number[]) => number;
}

export interface CornerCost {
  readonly graph: Graph;
  readonly variables: number;
  readonly cost: NodeId;
  readonly exact: (x: readonly number[]) => number;
}

export function randomCorners(seed: number): CornerCost {
  const random = seeded(seed);
  const int = (n: number) => Math.floor(random() * n);
  const graph = new Graph();
  const variables = 2 + int(2);
  const number = () => Math.round((random() * 4 - 2) * 100) / 100;
  const constant = (value: number): Term => ({ id: graph.constant(value), value: () => value });
  const pair = (
    op: "add" | "sub" | "mul" | "min" | "max" | "div",
    a: Term,
    b: Term,
    f: (u: number, v: number) => number,
  ): Term => ({
    id: graph.binary(op, a.id, b.id),
    value: (x) => f(a.value(x), b.value(x)),
  });
  const sum = (a: Term, b: Term) => pair("add", a, b, (u, v) => u + v);
  const times = (a: Term, b: Term) => pair("mul", a, b, (u, v) => u * v);
  const less = (a: Term, b: Term, c: Term, d: Term): Term => ({
    id: graph.select(graph.binary("lt", a.id, b.id), c.id, d.id),
    value: (x) => a.value(x) < b.value(x) ? c.value(x) : d.value(x),
  });
  const smooth = (): Term => {
    const i = int(variables);
    const linear = sum(
      times(constant(number()), { id: graph.variable(i), value: (x) => x[i] }),
      constant(number()),
    );
    if (random() < 0.5) return linear;
    const j = int(variables);
    const other = {
      id: graph.unary("tanh", graph.variable(j)),
      value: (x: readonly number[]) => Math.tanh(x[j]),
    };
    return sum(linear, times(constant(number()), other));
  };
  const term = (depth: number): Term => {
    if (depth === 0) return smooth();
    switch (int(11)) {
      case 0:
        return pair("min", term(depth - 1), term(depth - 1), Math.min);
      case 1:
        return pair("max", term(depth - 1), term(depth - 1), Math.max);
      case 2: {
        const a = term(depth - 1);
        return { id: graph.unary("abs", a.id), value: (x) => Math.abs(a.value(x)) };
      }
      case 3: {
        // the score of a constraint with a jump below and a ramp above
        const v = term(depth - 1);
        const ramp = pair(
          "div",
          pair("sub", constant(2), v, (a, b) => a - b),
          constant(1.3),
          (a, b) => a / b,
        );
        return less(v, constant(-0.5), constant(0), pair("min", constant(1), ramp, Math.min));
      }
      case 4: {
        const v = term(depth - 1);
        const low = sum(times(constant(0.8), v), constant(0.3));
        const high = sum(times(constant(-1.1), v), constant(1.9));
        return pair("min", constant(1), pair("min", low, high, Math.min), Math.min);
      }
      case 5:
        return less(term(depth - 1), smooth(), term(depth - 1), term(depth - 1));
      case 6:
        return times(constant(number()), term(depth - 1));
      case 7:
        return times(term(depth - 1), term(depth - 1));
      case 8:
        return sum(term(depth - 1), term(depth - 1));
      case 9: {
        const [a, b] = [smooth(), smooth()];
        const both = graph.binary(
          "and",
          graph.binary("lt", graph.constant(0), a.id),
          graph.binary("le", b.id, graph.constant(0)),
        );
        return {
          id: graph.binary("mul", both, graph.constant(3)),
          value: (x) => a.value(x) > 0 && b.value(x) <= 0 ? 3 : 0,
        };
      }
      default: {
        const a = term(depth - 1);
        return { id: graph.unary("exp", graph.unary("neg", a.id)), value: (x) => Math.exp(-a.value(x)) };
      }
    }
  };
  const cost = sum(term(3), term(2));
  return { graph, variables, cost: cost.id, exact: cost.value };
}
