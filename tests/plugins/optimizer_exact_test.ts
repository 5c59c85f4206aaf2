/** What belongs on a corner, on a bound or on the present value is there, and not 1e-6 beside it. */
import { assert, assertEquals } from "@std/assert";
import type { Graph, NodeId } from "../../runtime/graph/expr.ts";
import type { HardLimit } from "../../runtime/graph/nonsmooth.ts";
import optimizer from "../../plugins/optimizer/optimizer.ts";
import { seeded } from "../graph/random_graph.ts";
import { graphProblem, runOf } from "./optimizer_problem.ts";

type Role = "flat" | "corner" | "bound" | "bowl";
const ROLES: readonly Role[] = ["flat", "corner", "bound", "bowl"];

Deno.test("optimize() of 80 random plants puts flat variables, corners and bounds exactly in their place, in every unit", () => {
  const random = seeded(17);
  const counts: Record<Role, number> = { flat: 0, corner: 0, bound: 0, bowl: 0 };
  for (let k = 0; k < 80; k++) {
    const n = 2 + k % 4;
    const roles = Array.from({ length: n }, () => ROLES[Math.floor(4 * random())]);
    const size = 10 ** (8 * random() - 4);
    const scale = roles.map(() => (k % 2 === 0 ? 1 : 10 ** Math.round(8 * random() - 4)));
    const written = (value: number, i: number) => Number((value * scale[i]).toPrecision(3));
    const x0 = roles.map((_, i) => written(8 * random() - 4, i));
    const lo = x0.map((x, i) => x - scale[i] * (0.2 + random()));
    const hi = x0.map((x, i) => x + scale[i] * (0.2 + random()));
    const inside = lo.map((low, i) => written((low + (hi[i] - low) * (0.2 + 0.6 * random())) / scale[i], i));
    const loaded = graphProblem(n, 0, (g) => {
      const apart = (i: number, at: number): NodeId =>
        g.binary("div", g.binary("sub", g.variable(i), g.constant(at)), g.constant(scale[i]));
      const times = (factor: number, node: NodeId) => g.binary("mul", g.constant(factor), node);
      let cost = g.constant(3);
      let coupled = g.constant(0);
      roles.forEach((role, i) => {
        if (role === "flat") return;
        coupled = g.binary("add", coupled, times(random() - 0.5, apart(i, x0[i])));
        const d = apart(i, inside[i]);
        const own = role === "corner"
          ? times(1 + random(), g.unary("abs", d))
          : role === "bound"
          ? times(2, d)
          : g.binary("mul", d, d);
        cost = g.binary("add", cost, own);
      });
      cost = g.binary("add", cost, g.unary("tanh", coupled));
      return { cost: times(size, cost) };
    }, scale);
    const { status, x } = optimizer.optimize(runOf(loaded, { x0, lo, hi, scale }));
    assertEquals(status, "solved");
    roles.forEach((role, i) => {
      counts[role]++;
      const expected = { flat: x0[i], corner: inside[i], bound: lo[i], bowl: x[i] }[role];
      assert(
        x[i] === expected,
        `plant ${k}, variable ${i} (${role}): ${x[i]}, expected ${expected}; unit ${scale[i]}, cost ${size}`,
      );
    });
  }
  assert(Object.values(counts).every((count) => count >= 40), JSON.stringify(counts));
});

const LIMITS: readonly [
  what: string,
  limit: (g: Graph, a: NodeId, b: NodeId) => Omit<HardLimit, "lower" | "upper">,
][] = [
  ["2a", (g, a) => ({ node: g.binary("mul", g.constant(2), a) })],
  ["a⁴", (g, a) => ({ node: g.binary("pow", a, g.constant(4)) })],
  ["exp(a)", (g, a) => ({ node: g.unary("exp", a) })],
  ["sin(a) + a", (g, a) => ({ node: g.binary("add", g.unary("sin", a), a) })],
  ["a·b", (g, a, b) => ({ node: g.binary("mul", a, b) })],
  ["a − b²", (g, a, b) => ({ node: g.binary("sub", a, g.binary("mul", b, b)) })],
];

for (const [what, limit] of LIMITS) {
  Deno.test(`optimize() ends on a hard limit of ${what}, on its inner side`, () => {
    for (
      const [lower, factor, square] of [[6, 1, 1], [2, 1, 0], [1.7, 1e3, 1], [6, 1e-3, 0], [
        81,
        1,
        0,
      ]] as const
    ) {
      const loaded = graphProblem(2, 0, (g) => {
        const [a, b] = [g.variable(0), g.variable(1)];
        const cost = g.binary("add", a, g.binary("mul", g.constant(square), g.binary("mul", b, b)));
        const limits = [{ ...limit(g, a, b), lower, upper: Infinity }];
        return { cost: g.binary("mul", g.constant(factor), cost), limits };
      });
      const { status, x } = optimizer.optimize(runOf(loaded, { x0: [5, 3], lo: [0, 0.1], hi: [90, 9] }));
      assertEquals(status, "solved");
      const outputs = new Float64Array(2);
      loaded.exact.value(x, outputs);
      const tells = `${what} is ${outputs[1]} at ${x}, expected ${lower}`;
      assert(outputs[1] >= lower && outputs[1] <= lower * (1 + 1e-12), tells);
    }
  });
}

Deno.test("optimize() puts the point of least violation on the bounds that it is at", () => {
  const loaded = graphProblem(2, 0, (g) => {
    const [a, b] = [g.variable(0), g.variable(1)];
    const node = g.binary("add", g.binary("mul", g.constant(2), a), g.unary("tanh", b));
    return { cost: a, limits: [{ node, lower: 6, upper: Infinity }] };
  });
  const { status, x } = optimizer.optimize(runOf(loaded, { x0: [1, 0], lo: [0, -1], hi: [2, 1] }));
  assertEquals([status, ...x], ["infeasible", 2, 1]);
});
