import { assertEquals, assertStringIncludes } from "@std/assert";
import { gate, type GatedVariable } from "../../runtime/kernel/gate.ts";

const COAL: GatedVariable = { name: "coal", units: "t/h", validMin: 0, validMax: 20, maxAgeS: 900 };

Deno.test("gate() gives good values in the order of the variables", () => {
  const { values, problems, verdicts } = gate([COAL, { name: "air", units: "-" }], {
    values: { air: -0, coal: 8.5 },
  });
  assertEquals([...values], [8.5, -0]);
  assertEquals([problems, verdicts], [[], []]);
});

const BAD: readonly (readonly [string, unknown, string, string])[] = [
  ["a missing value", undefined, "INPUT_MISSING", "it is missing"],
  ["null", null, "INPUT_MISSING", "it is null"],
  ["NaN", NaN, "INPUT_INVALID", "got NaN"],
  ["Infinity", Infinity, "INPUT_INVALID", "got Infinity"],
  ["a number as text", "8.5", "INPUT_INVALID", 'got "8.5"'],
  ["an empty text", "", "INPUT_INVALID", 'got ""'],
  ["true", true, "INPUT_INVALID", "got true"],
  ["an array", [8.5], "INPUT_INVALID", "got [8.5]"],
  ["a value below its range", -8.5, "INPUT_OUT_OF_RANGE", "0 to 20 t/h"],
  ["a value above its range", 5000, "INPUT_OUT_OF_RANGE", "5000 t/h"],
];

for (const [name, found, code, message] of BAD) {
  Deno.test(`gate() rejects ${name} and names the variable`, () => {
    const { values, problems, verdicts } = gate([COAL], { values: { coal: found } });
    assertEquals(problems.map((problem) => [problem.code, problem.variable]), [[code, "coal"]]);
    assertStringIncludes(problems[0].message, message);
    assertEquals(verdicts[0].action, "reject");
    assertEquals(Number.isNaN(values[0]), true);
  });
}

Deno.test("gate() takes no value from the prototype of what was sent", () => {
  const { problems } = gate([{ name: "toString", units: "-" }], { values: {} });
  assertEquals(problems[0].code, "INPUT_MISSING");
});

Deno.test("gate() tells every bad variable at once", () => {
  const { problems } = gate([COAL, { name: "air", units: "-" }], { values: { coal: "x" } });
  assertEquals(problems.map(({ variable }) => variable), ["coal", "air"]);
});

Deno.test("gate() rejects what is older than declared, and warns of a row from the future", () => {
  assertEquals(gate([COAL], { values: { coal: 8 }, ageS: 901 }).problems[0].code, "INPUT_STALE");
  assertEquals(gate([COAL], { values: { coal: 8 }, ageS: 900 }).problems, []);
  assertEquals(gate([COAL], { values: { coal: 8 }, ageS: -61 }).warnings[0].code, "TIMESTAMP_IN_FUTURE");
});

Deno.test("gate() holds the last good value where that is declared, and rejects without one", () => {
  const held: GatedVariable = { ...COAL, onBad: "hold" };
  const result = gate([held], { values: { coal: null }, held: () => 7 });
  assertEquals([...result.values], [7]);
  assertEquals([result.verdicts[0].action, result.warnings[0].variable], ["hold", "coal"]);
  assertEquals(gate([held], { values: { coal: null }, held: () => undefined }).problems.length, 1);
});

Deno.test("gate() takes the declared default, 0 only where 0 is declared", () => {
  const result = gate([{ ...COAL, onBad: "default", default: 0 }], { values: { coal: NaN } });
  assertEquals([...result.values], [0]);
  assertEquals(result.verdicts[0].action, "default");
  assertEquals(gate([{ ...COAL, onBad: "default" }], { values: { coal: NaN } }).problems.length, 1);
});

Deno.test("gate() names what may have been meant by a name that is no variable's", () => {
  const { problems } = gate([COAL, { name: "air", units: "-" }], { values: { Cola: 8.5, wind: 1 } });
  assertEquals(problems.map(({ message }) => message), [
    'Cannot use "coal": it is missing, expected a number; "Cola" is no variable',
    'Cannot use "air": it is missing, expected a number',
  ]);
});
