import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Graph, type NodeId } from "../../runtime/graph/expr.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { seeded } from "./random_graph.ts";

Deno.test("Graph.linear() takes scalers before it into its weights: the same values to rounding, fewer nodes", () => {
  const random = seeded(12);
  for (let round = 0; round < 200; round++) {
    const g = new Graph();
    const n = 1 + Math.floor(random() * 5);
    const number = () => random() * 4 - 2;
    const step = (x: NodeId, value: (at: number[]) => number): [NodeId, (at: number[]) => number] => {
      const c = number();
      switch (Math.floor(random() * 7)) {
        case 0:
          return [g.binary("add", x, g.constant(c)), (at) => value(at) + c];
        case 1:
          return [g.binary("sub", x, g.constant(c)), (at) => value(at) - c];
        case 2:
          return [g.binary("sub", g.constant(c), x), (at) => c - value(at)];
        case 3:
          return [g.binary("mul", g.constant(c), x), (at) => c * value(at)];
        case 4:
          return [g.binary("div", x, g.constant(c)), (at) => value(at) / c];
        case 5:
          return [g.unary("neg", x), (at) => -value(at)];
        default:
          return [g.unary("tanh", x), (at) => Math.tanh(value(at))];
      }
    };
    const inputs = Array.from({ length: n }, (_, i): [NodeId, (at: number[]) => number] => {
      if (i > 0 && random() < 0.2) return [g.constant(0.7), () => 0.7];
      let made: [NodeId, (at: number[]) => number] = [g.variable(i), (at) => at[i]];
      for (let k = Math.floor(random() * 4); k > 0; k--) made = step(...made);
      return made;
    });
    const weight = Array.from({ length: 3 * n }, number);
    const bias = Array.from({ length: 3 }, number);
    const layer = g.linear(weight, g.concat(inputs.map(([id]) => id)), bias);
    const outputs = [0, 1, 2].map((k) => g.slice(layer, k, 1));
    const tape = compileTape(g, { variables: n, parameters: 0, outputs });
    const at = Array.from({ length: n }, number);
    const out = new Float64Array(3);
    tape.value(Float64Array.from(at), out);
    const values = inputs.map(([, value]) => value(at));
    out.forEach((found, i) => {
      const terms = values.map((value, j) => weight[i * n + j] * value);
      const size = terms.reduce((sum, term) => sum + Math.abs(term), 10);
      assertAlmostEquals(found, terms.reduce((sum, term) => sum + term, bias[i]), 1e-13 * size);
    });
  }
});

Deno.test("A scaler of vectors is taken in; one with a large offset, and a spread number, stay", () => {
  const g = new Graph();
  const x = g.concat([g.variable(0), g.variable(1)]);
  const scaled = g.binary("div", g.binary("sub", x, g.constant([1, 2])), g.constant([4, 5]));
  const layer = g.nodes[g.linear([1, 1], scaled)];
  assertEquals([layer.args, [...layer.data!]], [[x], [0.25, 0.2, -0.65]]);
  const far = g.binary("sub", x, g.constant([1e6, 0]));
  assertEquals(g.nodes[g.linear([1, 1], far)].args, [far]);
  const spread = g.binary("add", g.variable(0), g.constant([1, 2]));
  assertEquals(g.nodes[g.linear([1, 1], spread)].args, [spread]);
  assert(g.nodes[g.linear([1, 1], g.binary("mul", x, g.constant(0)))].op === "linear");
});
