import { assert, assertEquals } from "@std/assert";
import { exp, ln, power } from "../../runtime/solver/core/elementary.ts";

/** Difference in units of the last place of the expected value. */
function ulps(actual: number, expected: number): number {
  return Math.abs(actual - expected) / (Math.abs(expected) * Number.EPSILON);
}

Deno.test("ln() is within 3 units in the last place of Math.log from 5e-324 to 1.8e308", () => {
  for (let e = -323.3; e <= 308.25; e += 0.0137) {
    const x = 10 ** e;
    assert(ulps(ln(x), Math.log(x)) < 3, `${x}`);
  }
  for (let k = -1074; k <= 1023; k++) assert(k === 0 || ulps(ln(2 ** k), Math.log(2 ** k)) < 3, `2^${k}`);
  for (const x of [1 - 1e-10, 1 + 1e-10, 0.999, 1.001, 0.70710678, 1.41421356]) {
    assert(ulps(ln(x), Math.log(x)) < 3, `${x}`);
  }
});

Deno.test("exp() is within 1e-13 of Math.exp, from underflow to overflow", () => {
  for (let x = -708; x <= 709; x += 0.0613) assert(Math.abs(exp(x) / Math.exp(x) - 1) < 1e-13, `${x}`);
  for (let x = -745; x < -708; x += 0.3) {
    assert(Math.abs(exp(x) - Math.exp(x)) <= 1e-13 * Math.exp(x) + 1e-323, `${x}`);
  }
});

Deno.test("ln(), exp() and power() give IEEE answers at the ends", () => {
  assertEquals([ln(0), ln(Infinity), ln(1)], [-Infinity, Infinity, 0]);
  assert(Number.isNaN(ln(-1)) && Number.isNaN(ln(NaN)) && Number.isNaN(exp(NaN)));
  assertEquals([exp(0), exp(-Infinity), exp(Infinity), power(0, 2.3)], [1, 0, Infinity, 0]);
  assert(ulps(power(3, 2), 9) < 10);
});
