import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Graph, GraphError } from "../../runtime/graph/expr.ts";
import { lowerFormula, parseFormula, printFormula } from "../../runtime/graph/formula.ts";
import { nearestNames } from "../../runtime/graph/nearest_names.ts";
import { seeded } from "./random_graph.ts";

interface Table {
  readonly values: Readonly<Record<string, number>>;
  readonly formulas: readonly (readonly [string, number])[];
}

const TABLE: Table = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/formulas.json", import.meta.url)),
);

/** The value of a formula whose names are constants, by the folding of the graph. */
function evaluate(text: string, values: Readonly<Record<string, number>> = TABLE.values): number {
  const graph = new Graph();
  const node = lowerFormula(
    graph,
    parseFormula(text),
    (name) => Object.hasOwn(values, name) ? graph.constant(values[name]) : undefined,
  );
  return graph.nodes[node].data![0];
}

function refusal(text: string): GraphError {
  return assertThrows(() => evaluate(text), GraphError);
}

Deno.test("a lowered formula has the value that CPython computes", () => {
  for (const [text, expected] of TABLE.formulas) {
    assertAlmostEquals(evaluate(text), expected, 4e-16 * Math.abs(expected), text);
  }
});

Deno.test("printFormula() parses to the same value and prints itself again", () => {
  for (const [text, expected] of TABLE.formulas) {
    const printed = printFormula(parseFormula(text));
    assertEquals(printFormula(parseFormula(printed)), printed);
    assertAlmostEquals(evaluate(printed), expected, 4e-16 * Math.abs(expected), printed);
  }
});

Deno.test("parseFormula() gives every use of a name with its offset", () => {
  const { names } = parseFormula("a_dof + max(b, a_dof) * pi");
  assertEquals(names.map(({ name, offset }) => `${name}@${offset}`), [
    "a_dof@0",
    "b@12",
    "a_dof@15",
    "pi@24",
  ]);
});

Deno.test("a variable named e or pi wins over the constant", () => {
  assertEquals(evaluate("e + pi", { e: 1, pi: 2 }), 3);
  assertAlmostEquals(evaluate("e + pi", {}), Math.E + Math.PI);
});

Deno.test("a chained comparison reads its middle operand once", () => {
  const graph = new Graph();
  const x = graph.variable(0);
  lowerFormula(graph, parseFormula("0 < exp(v) < 2"), () => x);
  assertEquals(graph.nodes.filter((node) => node.op === "exp").length, 1);
});

Deno.test("what is not computable is NaN or infinite, not an exception", () => {
  for (const text of ["log(-1)", "sqrt(-1)", "(-8)**0.5", "1/0", "0/0", "7%0", "log(0)", "10.0**400"]) {
    assert(!Number.isFinite(evaluate(text)), text);
  }
  assertEquals(evaluate("1 if 0/0 > 1 else 2"), NaN);
});

Deno.test("a strict formula has no part that cannot be computed whatever its names stand for", () => {
  const strictly = (text: string) => {
    const graph = new Graph();
    return lowerFormula(graph, parseFormula(text), () => graph.parameter(0), { strict: true });
  };
  const cases: readonly (readonly [string, number, string])[] = [
    ["1 + log(-1)", 4, '"log" of these numbers is NaN, expected a finite number'],
    ["a * 0 ** -1", 6, '"**" of these numbers is Infinity'],
    ["1e200 * 1e200", 6, '"*" of these numbers is Infinity'],
    ["3 + a / 0", 6, '"/" divides by 0'],
    ["a // (1 - 1)", 2, '"//" divides by 0'],
    ["a % 0.0", 2, '"%" divides by 0'],
  ];
  for (const [text, offset, reason] of cases) {
    const error = assertThrows(() => strictly(text), GraphError);
    assertEquals([error.code, error.offset], ["FORMULA", offset], text);
    assertStringIncludes(error.message, reason);
  }
  strictly("log(a) / a + exp(-1000) * sqrt(0) / 1e-300");
});

Deno.test("parseFormula() points at the first wrong character and says what was expected", () => {
  const cases: readonly (readonly [string, number, string])[] = [
    ["", 0, "it is empty"],
    ["  # nothing", 0, "it is empty"],
    ["a +", 3, "it ends, expected a number, a name"],
    ["a + * b", 4, 'found "*"'],
    ["a b", 2, 'found "b", expected an operator or the end'],
    ["(a + b", 6, 'for the "(" at character 1'],
    ["a)", 1, 'found ")"'],
    ["2(a)", 1, 'expected an operator between "2" and "("'],
    ["(a)(b)", 3, "expected an operator"],
    ["a if b", 6, 'expected "else"'],
    ["a = 2", 2, 'expected "==" to compare'],
    ["a := 2", 2, "a formula assigns nothing"],
    ["a += 2", 2, "a formula assigns nothing"],
    ["a ^ 2", 2, 'expected "**"'],
    ["a && b", 2, 'expected "and"'],
    ["a || b", 2, 'expected "or"'],
    ["!a", 0, 'expected "not"'],
    ["a <> b", 2, 'expected "!="'],
    ["math.sqrt(a)", 4, "a formula reads no attributes"],
    ["a[0]", 1, "a formula reads no elements"],
    ["'a'", 0, "a formula has no text"],
    ["lambda: 1", 0, '"lambda" is not part'],
    ["__import__(os)", 0, '"__import__" is not a function'],
    ["a in b", 2, '"in" is not part'],
    ["a − b", 2, "U+2212"],
    ["1e", 0, '"1e" is not a number'],
    ["1__0", 0, "is not a number"],
    ["1_", 0, "is not a number"],
    ["3t", 0, '"3t" is not a number'],
    ["1j", 0, '"1j" is not a number'],
    ["1.2.3", 0, "is not a number"],
    ["012", 0, "starts with 0"],
    ["1e999", 0, "too large"],
    ["squrt(a)", 0, 'did you mean "sqrt"'],
    ["pow(a, 2)", 0, "expected one of abs, min"],
    ["sqrt()", 0, "has 0 arguments, expected 1"],
    ["sqrt(a, b)", 0, "has 2 arguments, expected 1"],
    ["min(a)", 0, "expected 2 or more"],
    ["log(a, b, c)", 0, "expected 1 or 2"],
    ["clip(a, b)", 0, "expected 3"],
    ["min(a b)", 6, 'expected "," or ")"'],
    ["min(,a)", 4, 'found ","'],
    ["a + not b", 4, 'found "not"'],
    ["unknown + a", 0, '"unknown" is not a known name'],
  ];
  for (const [text, offset, message] of cases) {
    const error = refusal(text);
    assertStringIncludes(error.message, message, text);
    assertEquals([error.code, error.offset], ["FORMULA", offset], text);
    assert(!error.message.endsWith("."), text);
  }
});

Deno.test("parseFormula() accepts long sums and refuses what is too long or too deep", () => {
  assertEquals(evaluate(Array(4999).fill("1").join("+")), 4999);
  assertStringIncludes(refusal(Array(6000).fill("1").join("+")).message, "more than 10000 parts");
  assertStringIncludes(refusal(" ".repeat(70_000)).message, "expected 65536 at most");
  for (
    const deep of [
      "(".repeat(300) + "1",
      "-".repeat(300) + "1",
      "not ".repeat(300) + "1",
      "2**".repeat(300) + "1",
      "1 if 1 else ".repeat(300) + "1",
      "abs(".repeat(300) + "1",
    ]
  ) assertStringIncludes(refusal(deep).message, "nested more than 200 deep");
  assertEquals(evaluate("(".repeat(150) + "1" + ")".repeat(150)), 1);
});

Deno.test("parseFormula() gives a tree or a GraphError for 20,000 mutated formulas", () => {
  const next = seeded(5);
  const pieces = [
    "a",
    "b",
    "1",
    "2.5",
    ".5",
    "1e3",
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "(",
    ")",
    ",",
    "<",
    "<=",
    "==",
    "!=",
    " and ",
    " or ",
    " not ",
    " if ",
    " else ",
    "min(",
    "abs(",
    "clip(",
    "=",
    ".",
    "[",
    "\u0000",
    "é",
    "\ud800",
    "'",
    "\n",
  ]; // deno-fmt-ignore
  let parsed = 0;
  for (let round = 0; round < 20_000; round++) {
    let text = TABLE.formulas[Math.floor(next() * TABLE.formulas.length)][0];
    for (let edits = 1 + Math.floor(next() * 2); edits > 0; edits--) {
      const at = Math.floor(next() * (text.length + 1));
      const piece = next() < 0.7 ? pieces[Math.floor(next() * pieces.length)] : "";
      text = text.slice(0, at) + piece + text.slice(at + (next() < 0.5 ? 1 : 0));
    }
    try {
      const ast = parseFormula(text);
      parsed++;
      const printed = printFormula(ast);
      assertEquals(printFormula(parseFormula(printed)), printed);
    } catch (error) {
      assert(error instanceof GraphError && error.code === "FORMULA", `${text}: ${error}`);
      assert(error.offset! >= 0 && error.offset! <= text.length, text);
    }
  }
  assert(parsed > 3000, `${parsed} parsed`);
});

Deno.test("nearestNames() finds a typo and leaves strangers out", () => {
  const known = ["Kiln_Coal_PV", "Kiln_Drive_Speed_PV", "pi"];
  assertEquals(nearestNames("Kiln_Caol_PV", known), ["Kiln_Coal_PV"]);
  assertEquals(nearestNames("kiln_coal_pv", known), ["Kiln_Coal_PV"]);
  assertEquals(nearestNames("temperature", known), []);
  assertEquals(nearestNames("x".repeat(5000), known), []);
});
