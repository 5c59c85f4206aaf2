import { assert, assertEquals } from "@std/assert";
import optimizer from "../../plugins/optimizer/optimizer.ts";
import type { Graph, NodeId } from "../../runtime/graph/expr.ts";
import type { HardLimit } from "../../runtime/graph/nonsmooth.ts";
import { isConvexQuadratic } from "../../runtime/graph/quadratic.ts";
import { graphProblem, runOf } from "../plugins/optimizer_problem.ts";

const SETTING = { x0: [0, 0, 0], lo: [-2, -2, -2], hi: [2, 2, 2] };
const POINTS = [[0.1, 0.2, -1], [1, -0.5, 0.3], [-1.5, 1.2, 0.7], [0.4, 0.9, -0.2]].map((x) =>
  Float64Array.from(x)
);

type Build = (g: Graph) => { readonly cost: NodeId; readonly limits?: readonly HardLimit[] };

const square = (g: Graph, x: NodeId) => g.binary("mul", x, x);
const squares = (g: Graph) =>
  [0, 1, 2].map((i) => square(g, g.variable(i))).reduce((a, b) => g.binary("add", a, b));
const plane = (g: Graph) => g.binary("add", g.variable(0), g.binary("mul", g.constant(2), g.variable(1)));
const on = (node: NodeId, at: number): HardLimit => ({ node, lower: at, upper: at });

const CASES: readonly { readonly what: string; readonly convex: boolean; readonly build: Build }[] = [
  {
    what: "least squares on a plane",
    convex: true,
    build: (g) => ({ cost: squares(g), limits: [on(plane(g), 1)] }),
  },
  {
    what: "a linear program",
    convex: true,
    build: (g) => ({ cost: plane(g), limits: [on(g.variable(2), 0.5)] }),
  },
  {
    what: "a saddle",
    convex: false,
    build: (g) => ({ cost: g.binary("mul", g.variable(0), g.variable(1)) }),
  },
  {
    what: "squares that are subtracted",
    convex: false,
    build: (g) => ({ cost: g.binary("sub", g.constant(1), squares(g)) }),
  },
  {
    what: "a curved limit",
    convex: false,
    build: (g) => ({ cost: squares(g), limits: [on(squares(g), 1)] }),
  },
  { what: "a cost of fourth order", convex: false, build: (g) => ({ cost: square(g, squares(g)) }) },
  { what: "a corner", convex: false, build: (g) => ({ cost: g.unary("abs", g.variable(0)) }) },
];

for (const { what, convex, build } of CASES) {
  Deno.test(`isConvexQuadratic(): ${what} ${convex ? "is" : "is not"}`, () => {
    assertEquals(isConvexQuadratic(runOf(graphProblem(3, 0, build), SETTING), POINTS), convex);
  });
}

Deno.test("isConvexQuadratic() says nothing after fewer than three points", () => {
  assert(!isConvexQuadratic(runOf(graphProblem(3, 0, CASES[0].build), SETTING), POINTS.slice(0, 2)));
});

Deno.test("Least squares on a plane take one solve, though no point of a sample lies on it", () => {
  const { status, x, starts } = optimizer.optimize(runOf(graphProblem(3, 0, CASES[0].build), SETTING));
  assertEquals([status, starts?.run], ["solved", 1]);
  [0.2, 0.4, 0].forEach((value, i) => assert(Math.abs(x[i] - value) < 1e-6, `${x}`));
});
