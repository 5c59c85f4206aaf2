/** Every operator of the SDK against the plain function that it stands for, its derivative against differences. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { describe, op, type Operand, type SkillSpec, type Term } from "setpoint";
import { Graph } from "../../runtime/graph/expr.ts";
import { lift } from "../../runtime/graph/nonsmooth.ts";
import { compileTape, type Tape } from "../../runtime/graph/tape.ts";
import { skillOf } from "../cells/plugins.ts";
import { seeded } from "./random_graph.ts";

const SKILL: SkillSpec = skillOf("s");

/** A tape of the skill's inputs a, b as variables. */
function tapeOf(build: (a: Term, b: Term) => Operand): Tape {
  const { expression, sources } = describe(SKILL, ([a, b]) => build(a, b));
  const graph = new Graph();
  const places = sources.map(({ variable }) => graph.variable(variable === "a" ? 0 : 1));
  return compileTape(graph, { variables: 2, parameters: 0, outputs: graph.inline(expression, places) });
}

const softplus = (x: number) => Math.log1p(Math.exp(x));
const clamp = (x: number, lo: number, hi: number) => Math.min(hi, Math.max(lo, x));
const XS = [-2, -0.5, 0.25, 1, 2.5];
const YS = [3, 1, 1.5, -1, 0];

function line(x: number, hold: boolean): number {
  const at = hold ? clamp(x, XS[0], XS.at(-1)!) : x;
  const k = clamp(XS.findLastIndex((place) => place <= at), 0, XS.length - 2);
  return YS[k] + (at - XS[k]) * (YS[k + 1] - YS[k]) / (XS[k + 1] - XS[k]);
}

/** Operator, plain function, and whether both must be positive. */
const CASES: readonly [string, (a: Term, b: Term) => Operand, (a: number, b: number) => number, boolean?][] =
  [
    ["add", (a, b) => op.add(a, b, 2), (a, b) => a + b + 2],
    ["sub", op.sub, (a, b) => a - b],
    ["mul", (a, b) => op.mul(a, b, 3), (a, b) => 3 * a * b],
    ["div", op.div, (a, b) => a / b, true],
    ["pow", op.pow, (a, b) => a ** b, true],
    ["mod", op.mod, (a, b) => a - b * Math.floor(a / b), true],
    ["neg", op.neg, (a) => -a],
    ["sqrt", op.sqrt, Math.sqrt, true],
    ["square", op.square, (a) => a * a],
    ["exp", op.exp, (a) => Math.exp(a)],
    ["log", op.log, (a) => Math.log(a), true],
    ["log10", op.log10, (a) => Math.log10(a), true],
    ["sin", op.sin, (a) => Math.sin(a)],
    ["cos", op.cos, (a) => Math.cos(a)],
    ["tan", (a) => op.tan(op.div(a, 3)), (a) => Math.tan(a / 3)],
    ["tanh", op.tanh, (a) => Math.tanh(a)],
    ["sigmoid", op.sigmoid, (a) => 1 / (1 + Math.exp(-a))],
    ["softplus", (a) => op.softplus(a, 2), (a) => softplus(2 * a) / 2],
    ["abs", op.abs, (a) => Math.abs(a)],
    ["floor", op.floor, (a) => Math.floor(a)],
    ["ceil", op.ceil, (a) => Math.ceil(a)],
    ["lt", op.lt, (a, b) => Number(a < b)],
    ["le", op.le, (a, b) => Number(a <= b)],
    ["gt", op.gt, (a, b) => Number(a > b)],
    ["ge", op.ge, (a, b) => Number(a >= b)],
    ["eq", (a, b) => op.eq(op.floor(a), op.floor(b)), (a, b) => Number(Math.floor(a) === Math.floor(b))],
    [
      "and, or, not",
      (a, b) => op.or(op.and(op.lt(a, 0), op.lt(b, 0)), op.not(op.lt(a, 1))),
      (a, b) => Number((a < 0 && b < 0) || !(a < 1)),
    ],
    ["between", (a) => op.between(a, -1, 1), (a) => Number(a >= -1 && a <= 1)],
    [
      "where",
      (a, b) => op.where(op.lt(a, b), op.square(a), op.sqrt(op.sub(a, b))),
      (a, b) => a < b ? a * a : Math.sqrt(a - b),
    ],
    ["min", (a, b) => op.min(a, b, 0.5), (a, b) => Math.min(a, b, 0.5)],
    ["max", (a, b) => op.max(a, b, 0.5), (a, b) => Math.max(a, b, 0.5)],
    ["mean", (a, b) => op.mean(a, b, 4), (a, b) => (a + b + 4) / 3],
    ["dot", (a, b) => op.dot([2, -3, 5], [a, b, 1], 7), (a, b) => 2 * a - 3 * b + 12],
    ["clip", (a, b) => op.clip(a, -1, op.abs(b)), (a, b) => clamp(a, -1, Math.abs(b))],
    ["ramp", (a) => op.ramp(a, -1, 2), (a) => clamp((a + 1) / 3, 0, 1)],
    ["ramp that falls", (a) => op.ramp(a, 2, -1), (a) => clamp((2 - a) / 3, 0, 1)],
    ["polynomial", (a) => op.polynomial(a, [1, -2, 0, 0.5]), (a) => 1 - 2 * a + 0.5 * a ** 3],
    ["interpolate, hold", (a) => op.interpolate(a, XS, YS), (a) => line(a, true)],
    ["interpolate, extend", (a) => op.interpolate(a, XS, YS, "extend"), (a) => line(a, false)],
  ];

for (const [name, build, plain, positive = false] of CASES) {
  Deno.test(`op.${name} gives what the plain function gives at 200 points, and its derivative`, () => {
    const tape = tapeOf(build);
    const random = seeded(7);
    const [out, gradient] = [new Float64Array(1), new Float64Array(2)];
    let slopes = 0;
    for (let k = 0; k < 200; k++) {
      const [a, b] = [0, 1].map(() => positive ? 0.1 + 3 * random() : 6 * random() - 3);
      tape.value(Float64Array.of(a, b), out);
      assertAlmostEquals(out[0], plain(a, b), 1e-12 * Math.max(1, Math.abs(plain(a, b))), `${a}, ${b}`);
      tape.gradient(Float64Array.of(a, b), Float64Array.of(1), gradient);
      for (const i of [0, 1]) {
        const h = 1e-6;
        const at = (step: number) => i === 0 ? plain(a + step, b) : plain(a, b + step);
        const [up, down] = [(at(h) - at(0)) / h, (at(0) - at(-h)) / h];
        // beside a corner or a jump the two sides differ
        if (Math.abs(up - down) > 1e-3 * Math.max(1, Math.abs(up)) || Math.abs(up) > 1e5) continue;
        assertAlmostEquals(gradient[i], (up + down) / 2, 1e-4 * Math.max(1, Math.abs(up)), `${a}, ${b}`);
        slopes++;
      }
    }
    assert(slopes > 150, String(slopes));
  });
}

Deno.test("op.erf and op.round give tabulated values", () => {
  const out = new Float64Array(1);
  for (
    const [x, erf, round] of [[0.5, 0.5204998778130465, 0], [1.5, 0.9661051464753108, 2], [
      -2.5,
      -0.9995930479825550,
      -2,
    ]]
  ) {
    tapeOf((a) => op.erf(a)).value(Float64Array.of(x, 0), out);
    assertAlmostEquals(out[0], erf, 1e-15);
    tapeOf((a) => op.round(a)).value(Float64Array.of(x, 0), out);
    assertEquals(out[0], round);
  }
});

Deno.test("op.interpolate of a convex table is lifted without a branch, of a concave one with some", () => {
  const branchesOf = (ys: readonly number[]) => {
    const { expression } = describe(SKILL, ([a]) => op.interpolate(a, XS, ys, "extend"));
    const graph = new Graph();
    const [cost] = graph.inline(expression, [graph.variable(0)]);
    return lift({ graph, variables: 1, parameters: 0, cost, limits: [], scale: [1] }).branches.length;
  };
  const bowl = XS.map((x) => x * x);
  assertEquals([branchesOf(bowl), branchesOf(bowl.map((y) => -y))], [0, 3]);
});

Deno.test("op.interpolate passes through every row", () => {
  const out = new Float64Array(1);
  const tape = tapeOf((a) => op.interpolate(a, XS, YS));
  XS.forEach((x, k) => {
    tape.value(Float64Array.of(x, 0), out);
    assertAlmostEquals(out[0], YS[k], 1e-14);
  });
});

Deno.test("op.softplus is max(x, 0) far from its corner, without overflow, and so are its derivatives", () => {
  const tape = tapeOf((a) => op.softplus(a));
  const [out, gradient, hessian] = [new Float64Array(1), new Float64Array(2), new Float64Array(4)];
  for (const x of [1e300, 1e6, 710, 600, 360, 30, 0, -30, -360, -700, -1e6, -1e300]) {
    const at = Float64Array.of(x, 0);
    tape.value(at, out);
    assertAlmostEquals(out[0], softplus(-Math.abs(x)) + Math.max(x, 0), 1e-15 * out[0]);
    tape.gradient(at, Float64Array.of(1), gradient);
    assertAlmostEquals(gradient[0], x > 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)), 1e-15);
    tape.hessian(at, Float64Array.of(1), hessian);
    assertAlmostEquals(hessian[0], Math.exp(-Math.abs(x)) / (1 + Math.exp(-Math.abs(x))) ** 2, 1e-15);
  }
});

Deno.test("describe() reads inputs, measured values and thresholds, each once, in the order of their use", () => {
  const { sources, expression } = describe(
    SKILL,
    ([a]) => op.div(op.sub(a, op.measured("a")), op.mul(op.threshold("a"), op.add(a, op.measured("a")))),
  );
  assertEquals(sources, [
    { variable: "a", role: "value" },
    { variable: "a", role: "measured" },
    { variable: "a", role: "threshold" },
  ]);
  assertEquals(expression.sources, 3);
});

Deno.test("describe() shares what is written once, and takes chains of 100,000 terms", () => {
  const deep = describe(SKILL, ([a]) => {
    let sum: Operand = 0;
    for (let k = 0; k < 100_000; k++) sum = op.sub(a, sum);
    return sum;
  });
  assert(deep.expression.graph.nodes.length > 99_000);
  const wide = describe(SKILL, ([a]) => {
    let x: Operand = a;
    for (let k = 0; k < 60; k++) x = op.mul(x, x);
    return x;
  });
  assertEquals(wide.expression.graph.nodes.length, 1 + 60);
});

Deno.test("a term may be used in several skills, and numbers alone are an output too", () => {
  const twice = (x: Operand) => op.mul(2, x);
  assertEquals(describe(SKILL, () => 7).expression.graph.nodes.map(({ op }) => op), ["constant"]);
  assertEquals(describe(SKILL, () => twice(3)).expression.outputs.length, 1);
  const both = describe({ ...SKILL, outputs: ["y", "z"] }, ([a, b]) => [twice(a), b]);
  assertEquals(both.expression.outputs.length, 2);
});

Deno.test("mistakes are told by the operator's name", () => {
  const wrong = (build: (inputs: readonly Term[]) => Operand | readonly Operand[], says: string) =>
    assertThrows(() => describe(SKILL, build), Error, says);
  wrong(
    ([, , c]) => op.mul(2, c),
    'Cannot apply "mul": argument 2 is undefined, expected a term or a number',
  );
  wrong(([x]) => op.add(x, op.mul("2" as unknown as number, x)), '"mul": argument 1 is string');
  wrong(() => [], 'Cannot describe skill "s": it has 1 as outputs, got 0 as terms');
  wrong(() => "1" as unknown as number, 'Cannot apply "describe": argument 1 is string');
  wrong(() => op.min(), 'Cannot apply "min" to nothing');
  wrong(([a]) => op.dot([1, 2], [a]), "Cannot weigh 1 terms with 2 weights");
  wrong(([a]) => op.interpolate(a, [1], [2]), "Cannot interpolate 1 values at 1 places");
  wrong(([a]) => op.interpolate(a, [1, 1], [2, 3]), "Cannot interpolate at row 1, [1, 3]");
  wrong(([a]) => op.interpolate(a, [1, 2], [2, NaN]), "Cannot interpolate at row 1, [2, NaN]");
  wrong(([a]) => op.softplus(a, 0), "Cannot round a corner with sharpness 0");
});
