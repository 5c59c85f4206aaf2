/** Random graphs with an evaluation in plain closures beside them, which shares nothing with runtime/graph but the ops' names. */
import { Graph, type NodeId } from "../../runtime/graph/expr.ts";

export interface Point {
  readonly x: readonly number[];
  readonly p: readonly number[];
  /** Every decision of the evaluation (branch taken, side of a corner, integer part), in order. */
  readonly trace: string[];
}

interface Term {
  readonly id: NodeId;
  readonly length: number;
  readonly value: (point: Point) => number[];
}

export interface RandomGraph {
  readonly graph: Graph;
  readonly variables: number;
  readonly parameters: number;
  readonly outputs: NodeId[];
  evaluate(x: readonly number[], p: readonly number[]): { values: number[]; trace: string };
}

/** A small linear congruential generator (Numerical Recipes' constants); values in [0, 1). */
export function seeded(seed: number): () => number {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state >>> 8) + 0.5) / 2 ** 24;
  };
}

/** erf by the series with positive terms 2/√π·e^(−x²)·Σ 2^k x^(2k+1)/(2k+1)!!. */
export function plainErf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = 0;
  for (let k = 0; Math.abs(term) > 1e-20; k++) {
    total += term;
    term *= 2 * x * x / (2 * k + 3);
  }
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * total;
}

export const plainUnary: Record<string, (x: number) => number> = {
  neg: (x) => -x,
  exp: (x) => Math.exp(x),
  log: (x) => Math.log(x),
  log10: (x) => Math.log(x) / Math.log(10),
  sqrt: (x) => x ** 0.5,
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  tan: (x) => Math.sin(x) / Math.cos(x),
  tanh: (x) => 1 - 2 / (Math.exp(2 * x) + 1),
  erf: plainErf,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  gelu: (x) => x * (1 + plainErf(x / Math.sqrt(2))) / 2,
  softplus: (x) => Math.log1p(Math.exp(x)),
};

export function randomGraph(seed: number, smooth = false): RandomGraph {
  const random = seeded(seed);
  const int = (n: number) => Math.floor(random() * n);
  const graph = new Graph();
  const variables = 2 + int(5);
  const parameters = int(3);
  const pool: Term[] = [];
  const any = () => pool[Math.floor(pool.length * (1 - random() * random()) * 0.9999)];
  const add = (id: NodeId, length: number, value: (point: Point) => number[]): Term => {
    const term = { id, length, value };
    pool.push(term);
    return term;
  };
  const unary = (op: string, a: Term): Term =>
    add(graph.unary(op as "neg", a.id), a.length, (point) => a.value(point).map(plainUnary[op]));
  const at = (values: number[], i: number) => values[values.length === 1 ? 0 : i];
  const pair = (op: string, a: Term, b: Term, f: (x: number, y: number, trace: string[]) => number): Term => {
    const length = Math.max(a.length, b.length);
    return add(graph.binary(op as "add", a.id, b.id), length, (point) => {
      const [u, v] = [a.value(point), b.value(point)];
      return Array.from({ length }, (_, i) => f(at(u, i), at(v, i), point.trace));
    });
  };
  const constant = (value: number): Term => ({ id: graph.constant(value), length: 1, value: () => [value] });
  const number = () => random() * 4 - 2;
  const sum = (a: Term, b: Term) => pair("add", a, b, (x, y) => x + y);
  const product = (a: Term, b: Term) => pair("mul", a, b, (x, y) => x * y);
  const positive = (a: Term) => sum(constant(0.7 + random()), product(a, a));
  const partner = (a: Term) => {
    const fitting = pool.filter((b) => b.length === a.length || b.length === 1 || a.length === 1);
    return fitting[int(fitting.length)];
  };

  for (let i = 0; i < variables; i++) add(graph.variable(i), 1, ({ x }) => [x[i]]);
  for (let i = 0; i < parameters; i++) add(graph.parameter(i), 1, ({ p }) => [p[i]]);
  add(graph.constant([number(), number(), number()]), 3, () => []);
  pool.pop();

  const steps: (() => void)[] = [
    () => sum(any(), constant(number())),
    () => {
      const a = any();
      sum(a, partner(a));
    },
    () => {
      const a = any();
      pair("sub", a, partner(a), (x, y) => x - y);
    },
    () => {
      const a = unary("tanh", any());
      product(a, partner(a));
    },
    () => product(any(), constant(number())),
    () => void unary("neg", any()),
    () => void unary(["sin", "cos", "tanh", "erf", "sigmoid", "gelu", "softplus"][int(7)], any()),
    () => void unary("exp", unary("tanh", any())),
    () => void unary("tan", product(unary("tanh", any()), constant(0.9))),
    () => void unary(["log", "log10", "sqrt"][int(3)], positive(any())),
    () => {
      const a = any();
      pair("div", a, positive(partner(a)), (x, y) => x / y);
    },
    () => void pair("pow", any(), constant([2, 3][int(2)]), (x, y) => y === 2 ? x * x : x * x * x),
    () => void pair("pow", positive(any()), constant(number()), (x, y) => Math.exp(y * Math.log(x))),
    () => {
      const a = positive(any());
      pair("pow", a, unary("tanh", partner(a)), (x, y) => Math.exp(y * Math.log(x)));
    },
    () => {
      const parts = [any(), any(), any()].slice(0, 2 + int(2));
      const length = parts.reduce((total, part) => total + part.length, 0);
      if (length <= 8) {
        add(
          graph.concat(parts.map((part) => part.id)),
          length,
          (point) => parts.flatMap((part) => part.value(point)),
        );
      }
    },
    () => {
      const a = any();
      const start = int(a.length);
      const length = 1 + int(a.length - start);
      add(graph.slice(a.id, start, length), length, (point) => a.value(point).slice(start, start + length));
    },
    () => {
      const a = any();
      add(graph.sum(a.id), 1, (point) => [a.value(point).reduce((total, value) => total + value, 0)]);
    },
    () => {
      const a = any();
      const rows = 1 + int(5);
      const weight = Array.from({ length: rows }, () => Array.from({ length: a.length }, number));
      const bias = Array.from({ length: rows }, number);
      add(graph.linear(weight.flat(), a.id, bias), rows, (point) => {
        const v = a.value(point);
        return weight.map((row, i) => row.reduce((total, w, j) => total + w * v[j], bias[i]));
      });
    },
  ];
  const decide = <T>(trace: string[], decision: T): T => {
    trace.push(String(decision));
    return decision;
  };
  const corners: (() => void)[] = [
    () => {
      const a = any();
      pair("min", a, partner(a), (x, y, trace) => decide(trace, x <= y) ? x : y);
    },
    () => {
      const a = any();
      pair("max", a, partner(a), (x, y, trace) => decide(trace, x >= y) ? x : y);
    },
    () => {
      const a = any();
      add(
        graph.unary("abs", a.id),
        a.length,
        (point) => a.value(point).map((x) => decide(point.trace, x >= 0) ? x : -x),
      );
    },
    () => {
      const a = any();
      add(
        graph.unary("floor", a.id),
        a.length,
        (point) => a.value(point).map((x) => decide(point.trace, Math.floor(x))),
      );
    },
    () => {
      const a = any();
      pair("mod", a, constant(1.5), (x, y, trace) => x - y * decide(trace, Math.floor(x / y)));
    },
    () => {
      const a = any();
      const b = partner(a);
      const condition = pair("lt", a, b, (x, y, trace) => decide(trace, x < y) ? 1 : 0);
      const other = pair(
        "le",
        unary("sin", a),
        constant(0.3),
        (x, y, trace) => decide(trace, x <= y) ? 1 : 0,
      );
      const both = pair(random() < 0.5 ? "and" : "or", condition, other, () => 0);
      pool.pop();
      const isAnd = graph.nodes[both.id].op === "and";
      const u = any(), v = any();
      const lengths = [both.length, u.length, v.length];
      const length = Math.max(...lengths);
      if (lengths.some((l) => l !== 1 && l !== length)) return;
      add(graph.select(both.id, u.id, v.id), length, (point) => {
        const [c, d, e, f] = [condition, other, u, v].map((term) => term.value(point));
        return Array.from({ length }, (_, i) => {
          const chosen = isAnd ? at(c, i) * at(d, i) !== 0 : at(c, i) + at(d, i) !== 0;
          return chosen ? at(e, i) : at(f, i);
        });
      });
    },
  ];
  const rules = smooth ? steps : [...steps, ...corners];
  for (let k = 0; k < 12 + int(25); k++) rules[int(rules.length)]();

  const scalars = Array.from({ length: 1 + int(4) }, () => {
    const a = any();
    const squashed = unary("tanh", product(a, constant(0.3)));
    return add(
      graph.sum(squashed.id),
      1,
      (point) => [squashed.value(point).reduce((total, value) => total + value, 0)],
    );
  });
  return {
    graph,
    variables,
    parameters,
    outputs: scalars.map((term) => term.id),
    evaluate: (x, p) => {
      const trace: string[] = [];
      const values = scalars.map((term) => term.value({ x, p, trace })[0]);
      return { values, trace: trace.join() };
    },
  };
}
