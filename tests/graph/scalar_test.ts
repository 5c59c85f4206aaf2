import { assertEquals } from "@std/assert";
import { BINARY_OPS, UNARY_OPS } from "../../runtime/graph/ops.ts";
import { CODE } from "../../runtime/graph/opcodes.ts";
import {
  binaryValue,
  floorDivide,
  floorMod,
  roundHalfEven,
  selectValue,
  unaryValue,
} from "../../runtime/graph/scalar.ts";

/** a, b, a % b, a // b as CPython 3.11 prints them. */
const REMAINDERS = [
  [-7, 3, 2, -3],
  [7, -3, -2, -3],
  [-7, -3, -1, 2],
  [7, 3, 1, 2],
  [5.5, 0.1, 0.0999999999999997, 54],
  [-5.5, 0.1, 3.0531133177191805e-16, -55],
  [1e300, 7, 1, 1.4285714285714286e299],
  [6, -2, -0, -3],
  [-0.3, 0.1, 2.7755575615628914e-17, -3],
  [0.3, 0.1, 0.09999999999999998, 2],
  [1, 0.1, 0.09999999999999995, 9],
  [-1e-20, 3, 3, -1],
  [3, Infinity, 3, 0],
  [-3, Infinity, Infinity, -1],
];

Deno.test("floorMod() and floorDivide() give CPython's % and //, roundHalfEven() its round()", () => {
  for (const [a, b, mod, quotient] of REMAINDERS) {
    assertEquals([floorMod(a, b), floorDivide(a, b)], [mod, quotient], `${a} and ${b}`);
  }
  const rounded = [
    [1.5, 2],
    [2.5, 2],
    [-1.5, -2],
    [2.4999999999999996, 2],
    [4503599627370497.5, 4503599627370498],
    [-7.3, -7],
    [1e308, 1e308],
  ];
  for (const [x, expected] of rounded) assertEquals(roundHalfEven(x), expected, String(x));
  assertEquals([0.5, -0.5, 0.49999999999999994].map((x) => roundHalfEven(x) + 0), [0, 0, 0]);
});

Deno.test("Every operation gives NaN for NaN, but for the operand that and, or and select do not look at", () => {
  for (const op of UNARY_OPS) assertEquals(unaryValue(CODE[op], NaN), NaN, op);
  for (const op of BINARY_OPS) {
    if (op === "pow") continue; // x ** 0 is 1 even then
    assertEquals(binaryValue(CODE[op], NaN, 1), NaN, op);
    if (op !== "or") assertEquals(binaryValue(CODE[op], 1, NaN), NaN, op);
  }
  assertEquals([binaryValue(CODE.and, 0, NaN), binaryValue(CODE.or, 2, NaN), binaryValue(CODE.or, 0, NaN)], [
    0,
    1,
    NaN,
  ]);
  assertEquals([selectValue(0, NaN, 3), selectValue(-1, 4, NaN), selectValue(NaN, 1, 1)], [3, 4, NaN]);
});
