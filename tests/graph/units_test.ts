import { assert, assertEquals } from "@std/assert";
import { parseFormula } from "../../runtime/graph/formula.ts";
import { unitsOfFormula } from "../../runtime/graph/formula_units.ts";
import { combineUnits, parseUnit, printUnit, sameUnit } from "../../runtime/graph/units.ts";

const UNITS: Readonly<Record<string, string>> = {
  feed: "t/h",
  coal: "t/h",
  flow: "m3/h",
  speed: "m/min",
  hot: "°C",
  cold: "°C",
  score: "[0-1]",
  share: "-",
  area: "m2",
  length: "m",
  nox: "percent",
};

function check(formula: string): { unit: string; at: number[]; messages: string[] } {
  const found = unitsOfFormula(
    parseFormula(formula),
    (name) => name in UNITS ? parseUnit(UNITS[name]) : undefined,
  );
  return {
    unit: found.unit === undefined ? "any" : printUnit(found.unit),
    at: found.mismatches.map((mismatch) => mismatch.offset),
    messages: found.mismatches.map((mismatch) => mismatch.message),
  };
}

Deno.test("parseUnit() reads products, quotients and powers", () => {
  const equal: readonly (readonly [string, string])[] = [
    ["m3/h", "m^3/h"],
    ["m³/h", "m3*h^-1"],
    ["t/h", "t/ h"],
    ["kg/(m2*s)", "kg/m2/s"],
    ["kg m-2 s-1", "kg/m^2/s"],
    ["kJ/kg/K", "kJ/(kg*K)"],
    ["1/h", "h^-1"],
    ["W·h", "h*W"],
    ["", "-"],
    ["[0-1]", "-"],
    [" % ", "%"],
    ["m/m", "-"],
  ];
  for (const [a, b] of equal) assert(sameUnit(parseUnit(a), parseUnit(b)), `${a} and ${b}`);
  const different: readonly (readonly [string, string])[] = [
    ["percent", "-"],
    ["%", "percent"],
    ["°C", "C"],
    ["m3/h", "m2/h"],
    ["kJ/kg*K", "kJ/(kg*K)"],
    ["RPM", "m/min"],
    ["10/h", "1/h"],
  ];
  for (const [a, b] of different) assert(!sameUnit(parseUnit(a), parseUnit(b)), `${a} and ${b}`);
});

Deno.test("parseUnit() takes what it cannot read as one symbol", () => {
  for (const odd of ["t//h", "(m", "m)", "/h", "^2", "m^", "x".repeat(5000), "*", "m^h"]) {
    assertEquals([...parseUnit(odd)], [[odd, 1]]);
  }
});

Deno.test("printUnit() prints what parseUnit() reads", () => {
  for (const text of ["t/h", "m^3/h", "kg/(m^2*s)", "1/h", "-", "°C", "m^0.5"]) {
    assertEquals(printUnit(parseUnit(text)), text);
  }
  assertEquals(printUnit(combineUnits(parseUnit("m3/h"), parseUnit("m"), -1)), "m^2/h");
});

Deno.test("unitsOfFormula() combines products and lets literals fit", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["feed + coal", "t/h"],
    ["feed - 3", "t/h"],
    ["2 + 3 * 4", "any"],
    ["2 * feed", "t/h"],
    ["feed / coal - 100 * score", "-"],
    ["flow / speed", "m^2*min/h"],
    ["1 / feed", "h/t"],
    ["hot + cold", "°C"],
    ["(hot > 100 and cold < 20) * 500", "-"],
    ["0 if hot > cold else feed", "t/h"],
    ["max(feed, coal, 0)", "t/h"],
    ["clip(hot, 0, 100)", "°C"],
    ["abs(-feed)", "t/h"],
    ["length ** 2 + area", "m^2"],
    ["area ** 0.5 - length", "m"],
    ["area ** (1/2)", "m"],
    ["sqrt(area) + length", "m"],
    ["exp(feed / coal) + log(2)", "-"],
    ["sin(2 * pi * share)", "-"],
    ["hot % 10", "°C"],
    ["score and share", "-"],
    ["share ** score", "-"],
    ["0 < feed < coal + 1", "-"],
  ];
  for (const [formula, unit] of cases) {
    const found = check(formula);
    assertEquals([found.unit, found.messages], [unit, []], formula);
  }
});

Deno.test("unitsOfFormula() names every mismatch and its place", () => {
  const cases: readonly (readonly [string, readonly number[], string])[] = [
    ["feed + hot", [5], "Cannot add °C to t/h: expected one unit"],
    ["hot - feed", [4], "Cannot subtract t/h from °C: expected one unit"],
    ["feed > hot", [5], "Cannot compare t/h with °C: expected one unit"],
    ["feed + 0.5 * score", [5], "Cannot add - to t/h: expected one unit"],
    ["max(feed, hot)", [0], "Cannot take max of t/h and °C: expected one unit"],
    ["exp(hot)", [4], "Cannot take exp of °C: expected a dimensionless value"],
    ["feed if hot > 1 else cold", [5], "Cannot choose between t/h and °C: expected one unit"],
    ["2 ** feed", [2], "Cannot raise to a power in t/h: expected a dimensionless exponent"],
    ["feed ** score", [5], "Cannot raise t/h to a power that is not a number: its unit would not be known"],
    ["nox + 1 * share", [4], "Cannot add - to percent: expected one unit"],
    ["feed % hot", [5], "Cannot reduce t/h by °C: expected one unit"],
    ["(feed + hot) * (flow - nox) + exp(cold)", [6, 21, 34], "Cannot add °C to t/h: expected one unit"],
  ];
  for (const [formula, at, message] of cases) {
    const found = check(formula);
    assertEquals(found.messages[0], message, formula);
    assert(at.every((offset) => found.at.includes(offset)), `${formula}: ${found.at}`);
  }
});
