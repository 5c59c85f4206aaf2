/** Random costs and limits of two variables with steps of all kinds, with the exact values in plain closures beside them. */
import { Graph, type NodeId } from "../../runtime/graph/expr.ts";
import { roundHalfEven } from "../../runtime/graph/scalar.ts";
import { randomForest } from "./random_forest.ts";
import { seeded } from "./random_graph.ts";

interface Term {
  readonly id: NodeId;
  readonly value: (x: readonly number[]) => number;
}

export interface StepProblem {
  readonly graph: Graph;
  readonly cost: Term;
  readonly limit: Term;
}

export function randomSteps(seed: number): StepProblem {
  const random = seeded(seed);
  const int = (n: number) => Math.floor(random() * n);
  const graph = new Graph();
  const number = () => Math.round((random() * 4 - 2) * 100) / 100;
  const constant = (value: number): Term => ({ id: graph.constant(value), value: () => value });
  const variable = (i: number): Term => ({ id: graph.variable(i), value: (x) => x[i] });
  const parameter: Term = { id: graph.parameter(0), value: (x) => x[2] };
  const pair = (op: "add" | "sub" | "mul", a: Term, b: Term): Term => ({
    id: graph.binary(op, a.id, b.id),
    value: (x) => {
      const [u, v] = [a.value(x), b.value(x)];
      return op === "add" ? u + v : op === "sub" ? u - v : u * v;
    },
  });
  const map = (op: "tanh" | "floor" | "ceil" | "round" | "abs", a: Term, f: (u: number) => number): Term => ({
    id: graph.unary(op, a.id),
    value: (x) => f(a.value(x)),
  });
  const smooth = (): Term => {
    const linear = pair("add", pair("mul", constant(number()), variable(int(2))), constant(number()));
    switch (int(5)) {
      case 0:
        return linear;
      case 1:
        return pair("add", linear, pair("mul", constant(number()), variable(int(2))));
      case 2:
        return map("tanh", linear, Math.tanh);
      case 3:
        return pair("mul", linear, variable(int(2)));
      default:
        return pair("add", pair("mul", parameter, linear), constant(number()));
    }
  };
  const step = (): Term => {
    const a = smooth();
    switch (int(8)) {
      case 0:
        return map("floor", a, Math.floor);
      case 1:
        return map("ceil", a, Math.ceil);
      case 2:
        return map("round", a, roundHalfEven);
      case 3: {
        const by = 0.5 + random();
        return {
          id: graph.binary("mod", a.id, graph.constant(by)),
          value: (x) => a.value(x) - by * Math.floor(a.value(x) / by),
        };
      }
      case 4: {
        const by = 0.5 + random();
        return {
          id: graph.binary("floordiv", a.id, graph.constant(by)),
          value: (x) => Math.floor(a.value(x) / by),
        };
      }
      case 5: {
        const b = smooth();
        return { id: graph.binary("lt", a.id, b.id), value: (x) => (a.value(x) < b.value(x) ? 1 : 0) };
      }
      case 6: {
        const [b, c, d] = [smooth(), smooth(), smooth()];
        return {
          id: graph.select(graph.binary("le", a.id, b.id), c.id, d.id),
          value: (x) => (a.value(x) <= b.value(x) ? c : d).value(x),
        };
      }
      default: {
        const forest = randomForest(2, 3, 3, random);
        const half = (i: number) => pair("add", pair("mul", constant(0.25), variable(i)), constant(0.5));
        const inputs = [half(0), int(2) ? half(1) : map("tanh", a, Math.tanh)];
        const id = graph.trees(forest.data, graph.concat(inputs.map((input) => input.id)), 1);
        return { id, value: (x) => forest.value(inputs.map((input) => input.value(x))) };
      }
    }
  };
  const bowl = [0, 1].map((i) => {
    const away = pair("sub", variable(i), constant(number()));
    return pair("mul", constant(0.3), pair("mul", away, away));
  }).reduce((a, b) => pair("add", a, b));
  let cost = pair("add", bowl, step());
  for (let k = int(3); k > 0; k--) cost = pair("add", cost, int(2) ? pair("mul", smooth(), step()) : step());
  if (int(3) === 0) cost = pair("add", cost, map("abs", smooth(), Math.abs));
  const limit = pair("add", step(), smooth());
  return { graph, cost, limit };
}
