import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Graph } from "../../runtime/graph/expr.ts";
import { withAnswers } from "../../runtime/graph/many_points.ts";
import { compileTape, type Tape } from "../../runtime/graph/tape.ts";

/** Skill 7: (u, v) → (u² + sin v, u·v). Skill 8: w → e^w. */
function foreign(skill: number, batch: ArrayLike<number>, count: number): Float64Array {
  const rows = Array.from({ length: count }, (_, k) => {
    if (skill === 8) return [Math.exp(batch[k])];
    const [u, v] = [batch[2 * k], batch[2 * k + 1]];
    return [u * u + Math.sin(v), u * v];
  });
  return Float64Array.from(rows.flat());
}

/** y + e^((u² + sin v)/4) · (u·v) with u = 2x, v = x + y: two opaque calls, one after the other. */
function chained(): Tape {
  const g = new Graph();
  const [x, y] = [g.variable(0), g.variable(1)];
  const first = g.opaque(7, g.concat([g.binary("mul", g.constant(2), x), g.binary("add", x, y)]), 2);
  const second = g.opaque(8, g.binary("div", g.slice(first, 0, 1), g.constant(4)), 1);
  const out = g.binary("add", y, g.binary("mul", second, g.slice(first, 1, 1)));
  return compileTape(g, { variables: 2, parameters: 0, outputs: [out, y] });
}

function plain(x: number, y: number): number {
  const [u, v] = [2 * x, x + y];
  return y + Math.exp((u * u + Math.sin(v)) / 4) * u * v;
}

Deno.test("Tape asks for opaque values once a point, and for derivatives in one batch a call and point", () => {
  const tape = chained();
  const asked: [number, number][] = [];
  tape.evaluate = (skill, batch, count) => {
    asked.push([skill, count]);
    assertEquals(batch.length, count * (skill === 7 ? 2 : 1));
    return foreign(skill, batch, count);
  };
  assertEquals(tape.opaques, [{ skill: 7, inputs: 2, outputs: 2 }, { skill: 8, inputs: 1, outputs: 1 }]);
  const [x, out, gradient, hessian] = [
    Float64Array.of(0.3, 0.5),
    new Float64Array(2),
    new Float64Array(2),
    new Float64Array(4),
  ];
  tape.value(x, out);
  tape.value(x, out);
  assertEquals(asked, [[7, 1], [8, 1]]);
  assertAlmostEquals(out[0], plain(0.3, 0.5), 1e-14);
  tape.gradient(x, Float64Array.of(1, 0), gradient);
  tape.gradient(x, Float64Array.of(2, 0), gradient);
  tape.jacobian(x, 0, 2, new Float64Array(4));
  tape.hessian(x, Float64Array.of(1, 0), hessian);
  assertEquals(asked.slice(2), [[7, 5], [8, 3]]);
  const h = 1e-5;
  assertAlmostEquals(gradient[0], (plain(0.3 + h, 0.5) - plain(0.3 - h, 0.5)) / h, 1e-5);
  assertAlmostEquals(gradient[1], (plain(0.3, 0.5 + h) - plain(0.3, 0.5 - h)) / h, 1e-5);
});

Deno.test("Tape with differencesWithValue has a point and its derivatives from one batch", () => {
  const tape = chained();
  const asked: number[] = [];
  tape.differencesWithValue = true;
  tape.evaluate = (skill, batch, count) => (asked.push(count), foreign(skill, batch, count));
  tape.value(Float64Array.of(1, 0), new Float64Array(2));
  tape.gradient(Float64Array.of(1, 0), Float64Array.of(1, 1), new Float64Array(2));
  assertEquals(asked, [5, 3]);
});

Deno.test("Tape takes difference steps in units of the given scale", () => {
  const g = new Graph();
  const tape = compileTape(g, { variables: 1, parameters: 0, outputs: [g.opaque(1, g.variable(0), 1)] });
  // a float32 model: steps near 1e-8 of its value would see only noise
  tape.evaluate = (_skill, batch) => Float64Array.from(batch, (u) => Math.fround(1e-6 * Math.fround(u) * u));
  const gradient = new Float64Array(1);
  tape.setOpaqueScale(0, [500]);
  tape.gradient(Float64Array.of(3000), Float64Array.of(1), gradient);
  assertAlmostEquals(gradient[0], 0.006, 1e-5);
});

Deno.test("Tape gives NaN and keeps the error where foreign code fails, is missing or answers with a wrong length", () => {
  const tape = chained();
  const [x, out, gradient] = [Float64Array.of(0.3, 0.5), new Float64Array(2), new Float64Array(2)];
  tape.value(x, out);
  assertEquals([...out], [NaN, 0.5]);
  const error = new Error("the cell died");
  tape.evaluate = () => {
    throw error;
  };
  tape.gradient(x, Float64Array.of(1, 0), gradient);
  assertEquals([tape.evaluateError, gradient[0]], [error, NaN]);
  tape.evaluate = () => new Float64Array(99);
  tape.value(Float64Array.of(0, 0), out);
  assertEquals(out[0], NaN);
  tape.evaluate = foreign;
  tape.value(Float64Array.of(0.1, 0), out);
  assertAlmostEquals(out[0], plain(0.1, 0), 1e-14);
});

Deno.test("Stages give one batch a call for all points, and values() in between does not disturb them", () => {
  const tape = chained();
  tape.evaluate = foreign;
  const points = Float64Array.of(0.3, 0.5, -1, 2, 0, 0);
  const out = new Float64Array(6);
  const stages = tape.stages(points, 3, out);
  const seen: [number, number][] = [];
  for (let batch = stages.next(); batch !== undefined; batch = stages.next()) {
    seen.push([batch.skill, batch.count]);
    tape.value(Float64Array.of(9, 9), new Float64Array(2));
    stages.supply(foreign(batch.skill, batch.inputs, batch.count));
  }
  assertEquals(seen, [[7, 3], [8, 3]]);
  for (let k = 0; k < 3; k++) assertAlmostEquals(out[2 * k], plain(points[2 * k], points[2 * k + 1]), 1e-12);
  assertThrows(() => stages.supply(new Float64Array(3)), RangeError);

  const again = tape.stages(points, 3, out);
  again.next();
  assertThrows(() => again.supply(new Float64Array(2)), RangeError, "Got 2 values from skill 7, expected 6");
});

/** The derivatives of `foreign`, after its values; `hole` of them is not known. */
function foreignJacobian(skill: number, batch: Float64Array, count: number, hole = -1): Float64Array {
  const rows = Array.from({ length: count }, (_, k) => {
    if (skill === 8) return [Math.exp(batch[k])];
    const [u, v] = [batch[2 * k], batch[2 * k + 1]];
    return [2 * u, Math.cos(v), v, u];
  });
  const slopes = rows.flat().map((slope, k) => (k === hole ? NaN : slope));
  return Float64Array.of(...foreign(skill, batch, count), ...slopes);
}

Deno.test("Tape uses the Jacobian that foreign code tells: exact, and one point in the place of 1 + 2n", () => {
  const tape = chained();
  const asked: [number, number, boolean][] = [];
  tape.evaluate = (skill, batch, count, jacobians = false) => {
    asked.push([skill, count, jacobians]);
    return jacobians ? foreignJacobian(skill, batch, count) : foreign(skill, batch, count);
  };
  tape.setOpaqueJacobian(0);
  tape.setOpaqueJacobian(1);
  tape.differencesWithValue = true;
  const [x, y] = [0.3, 0.5];
  const gradient = new Float64Array(2);
  tape.value(Float64Array.of(x, y), new Float64Array(2));
  tape.gradient(Float64Array.of(x, y), Float64Array.of(1, 0), gradient);
  assertEquals(asked, [[7, 1, true], [8, 1, true]]);
  const [u, v] = [2 * x, x + y];
  const e = Math.exp((u * u + Math.sin(v)) / 4);
  assertAlmostEquals(gradient[0], e * ((4 * u + Math.cos(v)) / 4 * u * v + 2 * v + u), 1e-14);
  assertAlmostEquals(gradient[1], 1 + e * (Math.cos(v) / 4 * u * v + u), 1e-14);
});

Deno.test("Tape takes differences where a told derivative is not finite, and not where the value is unknown", () => {
  const tape = chained();
  const asked: [number, number][] = [];
  let values = 1;
  tape.evaluate = (skill, batch, count, jacobians = false) => {
    asked.push([skill, count]);
    const told = jacobians ? foreignJacobian(skill, batch, count, 1) : foreign(skill, batch, count);
    return told.map((value) => value * values);
  };
  tape.setOpaqueJacobian(0);
  const [x, gradient] = [Float64Array.of(0.3, 0.5), new Float64Array(2)];
  tape.gradient(x, Float64Array.of(1, 0), gradient);
  assertEquals(asked, [[7, 1], [8, 1], [7, 1], [7, 5], [8, 3]]);
  const h = 1e-5;
  assertAlmostEquals(gradient[1], (plain(0.3, 0.5 + h) - plain(0.3, 0.5 - h)) / (2 * h), 1e-5);
  values = NaN;
  asked.length = 0;
  tape.gradient(Float64Array.of(0.4, 0.5), Float64Array.of(1, 0), gradient);
  assertEquals(asked.filter(([skill]) => skill === 7), [[7, 1], [7, 1]]);
  assertEquals(gradient[0], NaN);
});

Deno.test("withAnswers() answers with derivatives 0 where a Jacobian is told", () => {
  const tape = chained();
  tape.setOpaqueJacobian(0);
  const gradient = new Float64Array(2);
  withAnswers(tape, Float64Array.of(2, 3, 5), () => {
    tape.gradient(Float64Array.of(0.3, 0.5), Float64Array.of(1, 0), gradient);
  });
  assertEquals([...gradient], [0, 1]);
});
