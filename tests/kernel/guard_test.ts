import { assertEquals, assertStringIncludes } from "@std/assert";
import { excess, type GuardedPoint, refuse, startIsAdmissible } from "../../runtime/kernel/guard.ts";

const SOUND: GuardedPoint = {
  x: [1.5, 10],
  x0: [1, 10],
  lower: [0.5, 8],
  upper: [1.5, 12],
  scale: [0.5, 2],
  names: ["coal", "feed"],
  cost: -3,
  costBefore: -1,
  limits: [{ name: "pressure", lower: -Infinity, upper: 100 }],
  limitValues: [100],
  limitValuesBefore: [90],
  finite: true,
};

Deno.test("refuse() passes a point on its bounds and its limit that costs less", () => {
  assertEquals(refuse(SOUND), null);
});

const LIES: readonly (readonly [string, Partial<GuardedPoint>, string])[] = [
  ["another length", { x: [1] }, "1 values, expected 2"],
  ["NaN", { x: [NaN, 10] }, '"coal" to NaN'],
  ["Infinity", { x: [1, Infinity] }, '"feed" to Infinity'],
  ["a point below a bound", { x: [0.5 - 1e-8, 10] }, "outside 0.5 to 1.5"],
  ["a point above a bound", { x: [1, 12.1] }, '"feed" to 12.1'],
  ["a cost that is not a number", { cost: NaN }, "cost NaN"],
  ["a broken limit", { limitValues: [100.001] }, '"pressure"'],
  ["a limit that cannot be computed", { limitValues: [NaN] }, '"pressure"'],
  ["a value of the strategy that is not finite", { finite: false }, "not finite"],
  ["a point dearer than not moving", { cost: -0.9 }, "more than the -1 of not moving"],
];

for (const [name, lie, message] of LIES) {
  Deno.test(`refuse() refuses ${name}`, () =>
    assertStringIncludes(refuse({ ...SOUND, ...lie }) ?? "passed", message));
}

Deno.test("refuse() lets the cost rise where the present point breaks a limit or a bound", () => {
  assertEquals(refuse({ ...SOUND, cost: 5, limitValuesBefore: [101] }), null);
  assertEquals(refuse({ ...SOUND, cost: 5, x0: [2, 10] }), null);
  assertEquals(startIsAdmissible({ ...SOUND, x0: [2, 10] }), false);
});

Deno.test("refuse() allows 1e-9 thresholds at a bound and 1e-6 of a limit, and no more", () => {
  assertEquals(refuse({ ...SOUND, x: [1.5 + 4e-10, 10] }), null);
  assertStringIncludes(refuse({ ...SOUND, x: [1.5 + 6e-10, 10] })!, "outside");
  assertEquals(refuse({ ...SOUND, limitValues: [100 + 0.9e-4] }), null);
  assertStringIncludes(refuse({ ...SOUND, limitValues: [100 + 1.1e-4] })!, "limit");
});

Deno.test("excess() is relative to the limit, absolute below 1, and infinite for NaN", () => {
  assertEquals(excess({ lower: -Infinity, upper: 200 }, 202), 0.01);
  assertEquals(excess({ lower: 0.25, upper: 1 }, 0), 0.25);
  assertEquals(excess({ lower: 0, upper: 1 }, NaN), Infinity);
});
