import {
  checkDescription,
  checkFromCell,
  checkLowered,
  checkResult,
  checkSequence,
  checkValues,
} from "../../runtime/cells/answers.ts";
import { FrameError } from "../../runtime/cells/frames.ts";
import { assertEquals, assertThrows } from "../std/assert.ts";

const LOWERED = {
  expression: new Uint8Array(8),
  sources: [{ variable: "a", role: "value" }],
  opaques: [{ engine: "onnx", file: "model_path", inputs: 2, outputs: 1, steps: [0.1, 0.2] }],
  limits: [{
    variable: "y",
    mode: "soft",
    lower: -Infinity,
    upper: 4,
    physicalLower: -Infinity,
    physicalUpper: 5,
    weight: 1,
    priority: 0,
  }],
  notes: [{ message: "a note", path: ["config", 1], offset: 3, variable: "y", code: "SKILL_NOTE" }],
};

Deno.test("checkLowered() keeps what is right, and nothing else of it", () => {
  assertEquals(
    checkLowered({ ...LOWERED, extra: 1 }, ["model_path"]),
    LOWERED as ReturnType<typeof checkLowered>,
  );
});

const BROKEN_LOWERED: readonly [string, Record<string, unknown>][] = [
  ["no expression", { expression: undefined }],
  ["an expression that is text", { expression: "x" }],
  ["sources that are no list", { sources: { length: 3 } }],
  ["a source without a role", { sources: [{ variable: "a" }] }],
  ["a source whose name is a number", { sources: [{ variable: 1, role: "value" }] }],
  ["a source that is null", { sources: [null] }],
  ["an endless name", { sources: [{ variable: "x".repeat(2_000), role: "value" }] }],
  ["an unknown engine", { opaques: [{ engine: "shell", inputs: 1, outputs: 1 }] }],
  ["a file that the skill does not have", {
    opaques: [{ engine: "onnx", file: "other", inputs: 1, outputs: 1 }],
  }],
  ["inputs below 0", { opaques: [{ engine: "self", inputs: -1, outputs: 1 }] }],
  ["half an output", { opaques: [{ engine: "self", inputs: 1, outputs: 0.5 }] }],
  ["a step backwards", { opaques: [{ ...LOWERED.opaques[0], steps: [0.1, -0.1] }] }],
  ["a step without end", { opaques: [{ ...LOWERED.opaques[0], steps: [0.1, Infinity] }] }],
  ["a step too many", { opaques: [{ ...LOWERED.opaques[0], steps: [0.1, 0.2, 0.3] }] }],
  ["steps that are none", { opaques: [{ ...LOWERED.opaques[0], steps: "0.1" }] }],
  ["a limit of NaN", { limits: [{ ...LOWERED.limits[0], upper: NaN }] }],
  ["a limit that is text", { limits: [{ ...LOWERED.limits[0], lower: "1" }] }],
  ["an unknown mode", { limits: [{ ...LOWERED.limits[0], mode: "maybe" }] }],
  ["a note without a message", { notes: [{}] }],
  ["200,000 notes", { notes: new Array(200_000).fill({ message: "x" }) }],
];

for (const [name, change] of BROKEN_LOWERED) {
  Deno.test(`checkLowered() refuses ${name}`, () => {
    assertThrows(() => checkLowered({ ...LOWERED, ...change }, ["model_path"]), TypeError);
  });
}

Deno.test("checkResult() judges shapes, not numbers", () => {
  const result = { status: "solved", x: Float64Array.of(NaN, 1e300), iterations: 3, evaluations: 4 };
  assertEquals(checkResult(result, 2, 0), result as ReturnType<typeof checkResult>);
  const wrong: readonly Record<string, unknown>[] = [
    { status: "won" },
    { x: [1, 2] },
    { x: new Float64Array(3) },
    { x: new Float64Array(0) },
    { iterations: -1 },
    { iterations: NaN },
    { evaluations: 1.5 },
    { multipliers: 1 },
    { multipliers: { bounds: new Float64Array(1), limits: new Float64Array(0) } },
    { multipliers: { bounds: new Float64Array(2), limits: new Float64Array(1) } },
  ];
  assertEquals(checkResult({ ...result, message: "fine\x1b[2J" }, 2, 0).message, "fine [2J");
  for (const change of wrong) assertThrows(() => checkResult({ ...result, ...change }, 2, 0), TypeError);
  for (const value of [null, 1, "x", [], undefined]) assertThrows(() => checkResult(value, 2, 0), TypeError);
});

Deno.test("checkResult() keeps of a message what a person can read", () => {
  const result = { status: "failed", x: new Float64Array(0), iterations: 0, evaluations: 0 };
  const { message } = checkResult({ ...result, message: "\x1b]0;owned\x07 no\u202e way" }, 0, 0);
  assertEquals(message, " ]0;owned  no  way");
});

Deno.test("checkValues(), checkSequence() and checkDescription() refuse what they must", () => {
  assertThrows(() => checkValues(Float64Array.of(1), 1, 2), TypeError, "1 numbers, expected 2");
  assertThrows(() => checkValues(Float64Array.of(1, 2, 3), 2, undefined), TypeError, "multiple of 2");
  assertThrows(() => checkValues([1], 1, 1), TypeError);
  assertThrows(() => checkSequence(["a", 1]), TypeError);
  assertThrows(() => checkDescription({ name: "a", version: "1.0.0", kind: "god" }), TypeError);
  assertThrows(() => checkDescription({ name: 1, version: "1.0.0", kind: "model" }), TypeError);
});

Deno.test("checkFromCell() refuses frames of no known form", () => {
  const wrong = [
    null,
    [],
    {},
    { t: "beat" },
    { t: "beat", rss: -1 },
    { t: "answer" },
    { t: "answer", worker: 0, call: 1 },
    { t: "answer", worker: 0.5, call: 1, ok: true },
    { t: "answer", worker: 0, call: 1, ok: false },
    { t: "answer", worker: 0, call: 1, ok: false, error: { message: 1 } },
    { t: "ask", worker: 0, call: 1 },
    { t: "ask", worker: 0, call: 1, ask: 1, opaque: 0, count: 1, batch: [1] },
    { t: "toString" },
  ];
  for (const body of wrong) {
    const error = assertThrows(() => checkFromCell(body));
    if (!(error instanceof FrameError) && !(error instanceof TypeError)) throw error;
  }
});
