import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Expression, Graph, GraphError } from "../../runtime/graph/expr.ts";
import { decodeExpression, encodeExpression } from "../../runtime/graph/expression.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { seeded } from "./random_graph.ts";

function sample(): Expression {
  const g = new Graph();
  const p = [g.parameter(0), g.parameter(1), g.parameter(2)];
  g.unary("sin", p[0]); // nothing reads it
  const hidden = g.unary("gelu", g.linear([1, -2, 0.5, 3, 0, 1], g.concat(p), [0.1, -0.2]));
  const first = g.sum(g.binary("max", hidden, g.constant([0, -1])));
  const second = g.select(g.binary("lt", p[0], p[1]), g.slice(hidden, 1, 1), g.unary("exp", p[2]));
  return { graph: g, sources: 3, outputs: [first, second, p[1]] };
}

function evaluate({ graph, sources, outputs }: Expression, p: number[]): number[] {
  const tape = compileTape(graph, { variables: 0, parameters: sources, outputs });
  const out = new Float64Array(outputs.length);
  tape.setParameters(p);
  tape.value(new Float64Array(0), out);
  return [...out];
}

Deno.test("decodeExpression() gives back what encodeExpression() wrote, without what nothing reads", () => {
  const bytes = encodeExpression(sample());
  const decoded = decodeExpression(bytes);
  assertEquals(decoded.sources, 3);
  assert(decoded.graph.nodes.every((node) => node.op !== "sin"));
  for (const p of [[1, 2, 3], [2, 1, -1], [0, 0, 0]]) {
    assertEquals(evaluate(decoded, p), evaluate(sample(), p));
  }
  assertEquals(encodeExpression(decoded), bytes);
});

Deno.test("decodeExpression() reads a buffer at any offset", () => {
  const bytes = encodeExpression(sample());
  const shifted = new Uint8Array(bytes.length + 3);
  shifted.set(bytes, 3);
  assertEquals(decodeExpression(shifted.subarray(3)).outputs.length, 3);
});

Deno.test("decodeExpression() names what is wrong", () => {
  const bytes = encodeExpression(sample());
  const changed = (word: number, value: number) => {
    const copy = bytes.slice();
    new Int32Array(copy.buffer)[word] = value;
    return copy;
  };
  assertThrows(() => decodeExpression(new Uint8Array(4)), GraphError, "less than a header");
  assertThrows(() => decodeExpression(bytes, { maxBytes: 100 }), GraphError, "more than 100");
  assertThrows(() => decodeExpression(bytes, { maxElements: 5 }), GraphError, "more than 5 elements");
  assertThrows(() => decodeExpression(changed(0, 1)), GraphError, "begin");
  assertThrows(() => decodeExpression(changed(1, 9)), GraphError, "Got expression v9, expected v1");
  assertThrows(() => decodeExpression(changed(3, 2 ** 30)), GraphError, "counts");
  assertThrows(() => decodeExpression(changed(8, 2)), GraphError, '"variable"');
  assertThrows(() => decodeExpression(changed(8, 3)), GraphError, '"opaque"');
  assertThrows(() => decodeExpression(changed(8, 999)), GraphError, "unknown operation 999");
  assertThrows(() => decodeExpression(changed(9, 1 << 30)), GraphError, "length");
  assertThrows(() => decodeExpression(changed(10, 3)), GraphError, "source 3 of 3");
  const nan = bytes.slice();
  new Float64Array(nan.buffer).fill(NaN, -1);
  assertThrows(() => decodeExpression(nan), GraphError, "NaN");
});

Deno.test("decodeExpression() ends with an expression or a GraphError on 20,000 mutants", () => {
  const bytes = encodeExpression(sample());
  const random = seeded(2);
  let read = 0;
  for (let k = 0; k < 20_000; k++) {
    const mutant = bytes.slice(0, random() < 0.05 ? Math.floor(random() * bytes.length) : bytes.length);
    const words = new Int32Array(mutant.buffer, 0, mutant.length >> 2);
    for (let times = 1 + Math.floor(random() * 3); times > 0; times--) {
      const at = Math.floor((random() < 0.1 ? random() : 0.05 + 0.95 * random()) * words.length);
      words[at] = random() < 0.5 ? Math.floor(random() * 70) - 2 : words[at] ^ 1 << Math.floor(random() * 32);
    }
    try {
      const decoded = decodeExpression(mutant);
      evaluate(decoded, new Array(decoded.sources).fill(0.5));
      read++;
    } catch (error) {
      assert(error instanceof GraphError, String(error));
    }
  }
  assert(read > 1000, `${read} mutants were read`);
});

Deno.test("decodeExpression() does not take quadratic time for slices of a wide concat", () => {
  const g = new Graph();
  const wide = g.concat(
    Array.from({ length: 40_000 }, (_, k) => k % 2 === 0 ? g.parameter(0) : g.parameter(1)),
  );
  const parts = Array.from({ length: 40_000 }, (_, k) => g.slice(wide, k, 1));
  const bytes = encodeExpression({ graph: g, sources: 2, outputs: [g.sum(g.concat(parts))] });
  assertEquals(decodeExpression(bytes).outputs.length, 1);
});
