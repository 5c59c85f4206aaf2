import { assert, assertEquals, assertThrows } from "@std/assert";
import { Graph, GraphError } from "../../runtime/graph/expr.ts";

Deno.test("Graph gives one node to what was written twice", () => {
  const g = new Graph();
  const [x, y] = [g.variable(0), g.variable(1)];
  assertEquals(g.binary("add", x, y), g.binary("add", y, x));
  assert(g.binary("sub", x, y) !== g.binary("sub", y, x));
  const weight = [1, 2, 3, 4];
  const v = g.concat([x, y]);
  assertEquals(g.linear(weight, v), g.linear(Float32Array.from(weight), v, [0, 0]));
  assert(g.linear(weight, v) !== g.linear([1, 2, 3, 5], v));
  assert(g.constant(0) !== g.constant(-0));
});

Deno.test("Graph folds constants with the exact scalar rules", () => {
  const g = new Graph();
  const value = (id: number) => [...g.nodes[id].data!];
  assertEquals(value(g.binary("mod", g.constant([-7, 7, -7]), g.constant([3, -3, -3]))), [2, -2, -1]);
  assertEquals(value(g.binary("floordiv", g.constant([-7, 7, 7]), g.constant([2, -2, 0.1]))), [-4, -4, 69]);
  assertEquals(value(g.unary("round", g.constant([0.5, 1.5, 2.5, -0.6, -2.5]))), [0, 2, 2, -1, -2]);
  assertEquals(value(g.linear([1, 2, 3, 4], g.constant([10, 100]), [1, 2])), [211, 432]);
  assertEquals(value(g.sum(g.concat([g.constant([1, 2]), g.constant(3)]))), [6]);
  assertEquals(value(g.binary("and", g.constant(0), g.constant(NaN))), [0]);
  assertEquals(value(g.binary("lt", g.constant(NaN), g.constant(1))), [NaN]);
  assertEquals(value(g.select(g.constant([0, 1]), g.constant(5), g.constant([6, 7]))), [6, 5]);
});

Deno.test("Graph removes what changes nothing", () => {
  const g = new Graph();
  const x = g.variable(0);
  const v = g.concat([x, g.variable(1), g.parameter(0)]);
  assertEquals(g.binary("add", x, g.constant(0)), x);
  assertEquals(g.binary("mul", g.constant(1), x), x);
  assertEquals(g.unary("neg", g.unary("neg", x)), x);
  assertEquals(g.slice(v, 0, 1), x);
  assertEquals(g.slice(g.slice(g.unary("exp", v), 1, 2), 1, 1), g.slice(g.unary("exp", v), 2, 1));
  assertEquals(g.select(g.constant(0), g.variable(1), x), x);
  assertEquals(g.nodes[g.binary("mul", x, g.constant([1, 1]))].length, 2);
});

Deno.test("Graph refuses wrong shapes, indices and nodes", () => {
  const g = new Graph();
  const v = g.constant([1, 2, 3]);
  assertEquals(
    assertThrows(() => g.binary("add", v, g.constant([1, 2])), GraphError, "3 and 2").code,
    "SHAPE",
  );
  assertThrows(() => g.linear([1, 2], v), GraphError, "rows × 3");
  assertThrows(() => g.linear([1, 2, 3], v, [1, 2]), GraphError, "bias of length 2");
  assertThrows(() => g.slice(v, 2, 2), GraphError, "length 3");
  assertThrows(() => g.slice(v, 0.5, 1), GraphError);
  assertThrows(() => g.concat([]), GraphError, "length 0");
  assertThrows(() => g.unary("neg", 99), GraphError, "node 99");
  const mixedUp = [1, 2, 3] as unknown as number;
  assertThrows(
    () => g.linear(mixedUp as unknown as number[], mixedUp),
    GraphError,
    "Cannot use an object as a node",
  );
  assertThrows(() => g.variable(-1), GraphError, "index -1");
});

Deno.test("Graph.inline() puts sources in the place of parameters and copies only what is needed", () => {
  const inner = new Graph();
  const p = [inner.parameter(0), inner.parameter(1)];
  inner.unary("exp", p[0]);
  const out = inner.binary("mul", inner.linear([2, 3], inner.concat(p)), p[1]);
  const g = new Graph();
  const x = g.variable(0);
  const [copied] = g.inline({ graph: inner, sources: 2, outputs: [out] }, [x, g.constant(4)]);
  assert(g.nodes.every((node) => node.op !== "exp"));
  assertEquals(g.nodes[copied].op, "mul");
  const [folded] = g.inline({ graph: inner, sources: 2, outputs: [out] }, [g.constant(1), g.constant(4)]);
  assertEquals([...g.nodes[folded].data!], [56]);
  assertThrows(
    () => g.inline({ graph: inner, sources: 2, outputs: [out] }, [x]),
    GraphError,
    "2 sources with 1",
  );
  assertThrows(() => g.inline({ graph: inner, sources: 1, outputs: [out] }, [x]), GraphError, "source 1");
});
