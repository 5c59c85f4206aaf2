/** In the kernel: what comes from a cell is checked here before anybody uses it. All throw TypeError or FrameError. */
import { checkManifest, type PluginManifest } from "../graph/manifest.ts";
import type { OptimizationResult } from "../graph/optimization.ts";
import { printable } from "../graph/printable.ts";
import { checkLine } from "../graph/plugin_log.ts";
import {
  type KnownAnswers,
  type Limit,
  type LoweredMessage,
  type ModelSample,
  type OpaqueSpec,
  type SkillProblem,
  type Source,
} from "../graph/skill.ts";
import { FrameError } from "./frames.ts";
import type { CallError, FromCell } from "./protocol.ts";

export type PluginDescription = PluginManifest;

const STATUSES: readonly OptimizationResult["status"][] = [
  "solved",
  "acceptable",
  "infeasible",
  "timeout",
  "failed",
];
const MOST_ITEMS = 100_000;
/** People read these. */
const MOST_PROBLEMS = 100;
const LONGEST_NAME = 1_000;
const LONGEST_TEXT = 10_000;

type Fields = Readonly<Record<string, unknown>>;

export function checkFromCell(body: unknown): FromCell {
  const message = fields(body, "a frame");
  const own = Number.isInteger(message.worker) && Number.isInteger(message.call);
  switch (message.t) {
    case "ready":
      return { t: "ready" };
    case "beat":
      return { t: "beat", rss: count(message.rss, "rss"), heap: count(message.heap, "heap") };
    case "end":
      return { t: "end", reason: text(message.reason, "a reason").slice(0, LONGEST_NAME) };
    case "log":
      return { t: "log", worker: count(message.worker, "worker"), ...checkLine(message) };
    case "answer":
      if (!own || typeof message.ok !== "boolean") break;
      return { ...identity(message), t: "answer", ...outcome(message) };
    case "ask":
      if (!own) break;
      return {
        ...identity(message),
        t: "ask",
        ask: count(message.ask, "ask"),
        opaque: count(message.opaque, "opaque"),
        count: count(message.count, "count"),
        jacobians: message.jacobians === true,
        batch: floats(message.batch, "batch"),
      };
  }
  throw new FrameError(
    "FRAME_INVALID",
    `Cannot understand a frame of type ${JSON.stringify(message.t)?.slice(0, 50)}`,
  );
}

function identity(message: Fields): { worker: number; call: number } {
  return { worker: message.worker as number, call: message.call as number };
}

function outcome(message: Fields): { ok: true; value: unknown } | { ok: false; error: CallError } {
  return message.ok ? { ok: true, value: message.value } : { ok: false, error: checkError(message.error) };
}

function checkError(value: unknown): CallError {
  const { kind, message, problems, line, column } = fields(value, "an error");
  const known = (["skill", "invalid", "evaluation", "failed"] as const).find((name) => name === kind) ??
    "failed";
  return {
    kind: known,
    message: text(message, "a message"),
    ...(known === "skill" &&
      { problems: list(problems, "problems").slice(0, MOST_PROBLEMS).map(checkProblem) }),
    ...(isPlace(line) && { line }),
    ...(isPlace(column) && { column }),
  };
}

function isPlace(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function checkProblem(value: unknown): SkillProblem {
  const { code, message, path, offset, variable } = fields(value, "a problem");
  return {
    message: text(message, "a problem's message"),
    ...(code !== undefined && code !== null && { code: name(code, "a problem's code") }),
    ...(Array.isArray(path) &&
      { path: path.map((key) => typeof key === "number" ? key : name(key, "a path")) }),
    ...(Number.isSafeInteger(offset) && { offset: offset as number }),
    ...(variable !== undefined && variable !== null && { variable: name(variable, "a variable") }),
  };
}

export function checkDescription(value: unknown): PluginDescription {
  return checkManifest(value);
}

/** The expression stays bytes: the linker decodes and checks it. @param fileKeys The skill's files, by config key. */
export function checkLowered(value: unknown, fileKeys: readonly string[]): LoweredMessage {
  const { expression, sources, opaques, limits, notes, sample } = fields(value, "the lowered skill");
  if (!(expression instanceof Uint8Array)) throw new TypeError("its expression is missing");
  return {
    expression,
    sources: list(sources, "sources").map(checkSource),
    opaques: list(opaques, "opaques").map((opaque) => checkOpaque(opaque, fileKeys)),
    limits: list(limits, "limits").map(checkLimit),
    notes: list(notes, "notes").map(checkProblem),
    ...(sample !== undefined && sample !== null && { sample: checkSample(sample, fileKeys) }),
  };
}

function checkSample(value: unknown, fileKeys: readonly string[]): ModelSample {
  const { file, onnx } = fields(value, "a sample");
  if (!fileKeys.includes(file as string)) {
    throw new TypeError(`a sample names the file "${file}", which the skill does not have`);
  }
  return { file: file as string, ...(onnx instanceof Uint8Array && { onnx }), ...checkKnown(value) };
}

function checkKnown(value: unknown): KnownAnswers {
  const { batch, answers, count: rows } = fields(value, "a sample");
  const known = {
    batch: floats(batch, "a sample's batch"),
    answers: floats(answers, "a sample's answers"),
    count: count(rows, "a sample's size"),
  };
  const whole = (length: number) => length > 0 && length % known.count === 0;
  if (!whole(known.batch.length) || !whole(known.answers.length)) {
    throw new TypeError(`a sample of ${known.count} points has another number of values`);
  }
  return known;
}

function checkSource(value: unknown): Source {
  const source = fields(value, "a source");
  const role = (["value", "measured", "threshold"] as const).find((known) => known === source.role);
  if (role === undefined) throw new TypeError(`the role of source "${source.variable}" is unknown`);
  return { variable: name(source.variable, "a source's variable"), role };
}

function checkOpaque(value: unknown, fileKeys: readonly string[]): OpaqueSpec {
  const { engine, file, inputs, outputs, steps, jacobian, golden } = fields(value, "an opaque node");
  if (engine !== "self" && engine !== "onnx") throw new TypeError("the engine of an opaque node is unknown");
  if (engine === "onnx" && !fileKeys.includes(file as string)) {
    throw new TypeError(`an opaque node names the file "${file}", which the skill does not have`);
  }
  return {
    engine,
    ...(engine === "onnx" && { file: file as string }),
    inputs: count(inputs, "the inputs of an opaque node"),
    outputs: count(outputs, "the outputs of an opaque node"),
    ...(steps !== undefined && steps !== null && { steps: checkSteps(steps, inputs as number) }),
    ...(engine === "self" && jacobian === true && { jacobian }),
    ...(engine === "onnx" && Array.isArray(golden) && { golden: golden.map(checkKnown) }),
  };
}

function checkSteps(value: unknown, inputs: number): readonly number[] {
  const steps = list(value, "steps");
  const odd = steps.find((step) => !(typeof step === "number" && step >= 0 && step < Infinity));
  if (odd !== undefined || steps.length !== inputs) {
    const got = odd === undefined ? `${steps.length}` : JSON.stringify(odd)?.slice(0, 50);
    throw new TypeError(`the steps of an opaque node are ${got}, expected ${inputs} numbers from 0`);
  }
  return steps as readonly number[];
}

function checkLimit(value: unknown): Limit {
  const limit = fields(value, "a limit");
  const mode = (["score", "soft", "hard"] as const).find((known) => known === limit.mode);
  if (mode === undefined) throw new TypeError(`the mode of the limit of "${limit.variable}" is unknown`);
  return {
    variable: name(limit.variable, "a limit's variable"),
    mode,
    lower: number(limit.lower, "lower"),
    upper: number(limit.upper, "upper"),
    physicalLower: number(limit.physicalLower, "physicalLower"),
    physicalUpper: number(limit.physicalUpper, "physicalUpper"),
    weight: number(limit.weight, "weight"),
    priority: number(limit.priority, "priority"),
    ...(limit.training === true && { training: true }),
  };
}

export function checkSequence(value: unknown): string[] {
  return list(value, "the sequence").map((item) => name(item, "a skill of the sequence"));
}

/** @param expected Number of values; undefined: any multiple of `rows`. @param what Names them in a message. */
export function checkValues(
  value: unknown,
  rows: number,
  expected: number | undefined,
  what = "numbers",
): Float64Array {
  const values = floats(value, "the answer");
  if (expected === undefined ? values.length % rows !== 0 : values.length !== expected) {
    throw new TypeError(`it gave ${values.length} ${what}, expected ${expected ?? `a multiple of ${rows}`}`);
  }
  return values;
}

/** Values, then derivatives, as one array. @param spec Of the opaque node. */
export function checkWithJacobians(
  value: unknown,
  rows: number,
  { inputs, outputs }: Pick<OpaqueSpec, "inputs" | "outputs">,
): Float64Array {
  const { values, jacobians } = fields(value, "the answer");
  const all = new Float64Array(rows * outputs * (1 + inputs));
  all.set(checkValues(values, rows, rows * outputs));
  all.set(checkValues(jacobians, rows, rows * outputs * inputs, "derivatives"), rows * outputs);
  return all;
}

/** Shapes; the numbers are the guard's to judge. @param n Number of variables. @param limits Number of hard limits. */
export function checkResult(value: unknown, n: number, limits: number): OptimizationResult {
  const { status, x, iterations, evaluations, message, multipliers, starts } = fields(value, "the result");
  const known = STATUSES.find((name) => name === status);
  if (known === undefined) throw new TypeError("its status is unknown");
  const point = floats(x, "x");
  if (point.length !== n) throw new TypeError(`its x has length ${point.length}, expected ${n}`);
  return {
    status: known,
    x: point,
    iterations: count(iterations, "iterations"),
    evaluations: count(evaluations, "evaluations"),
    ...(typeof message === "string" && { message: printable(message.slice(0, LONGEST_NAME)) }),
    ...(multipliers !== undefined && multipliers !== null &&
      { multipliers: checkMultipliers(multipliers, n, limits) }),
    ...(starts !== undefined && starts !== null && { starts: checkStarts(starts) }),
  };
}

function checkStarts(value: unknown): OptimizationResult["starts"] {
  const given = fields(value, "starts");
  const [run, agreed] = [count(given.run, "starts.run"), count(given.agreed, "starts.agreed")];
  if (agreed > run) throw new TypeError(`${agreed} of its ${run} starts agreed`);
  return { run, agreed };
}

function checkMultipliers(value: unknown, n: number, limits: number): OptimizationResult["multipliers"] {
  const given = fields(value, "multipliers");
  const [bounds, hard] = [
    floats(given.bounds, "multipliers.bounds"),
    floats(given.limits, "multipliers.limits"),
  ];
  if (bounds.length !== n || hard.length !== limits) {
    throw new TypeError(
      `its multipliers have lengths ${bounds.length} and ${hard.length}, expected ${n} and ${limits}`,
    );
  }
  return { bounds, limits: hard };
}

function fields(value: unknown, what: string): Fields {
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new TypeError(`${what} is no object`);
  }
  return value as Fields;
}

function list(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value) || value.length > MOST_ITEMS) {
    throw new TypeError(`${what} is no list, or too long`);
  }
  return value;
}

function text(value: unknown, what: string): string {
  if (typeof value !== "string") throw new TypeError(`${what} is no text`);
  return printable(value.slice(0, LONGEST_TEXT));
}

function name(value: unknown, what: string): string {
  if (typeof value !== "string" || value.length > LONGEST_NAME) {
    throw new TypeError(`${what} is no text, or too long`);
  }
  return printable(value);
}

/** ±Infinity allowed, NaN not. */
function number(value: unknown, what: string): number {
  if (typeof value !== "number" || Number.isNaN(value)) throw new TypeError(`${what} is no number`);
  return value;
}

function count(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw new TypeError(`${what} is no count`);
  return value as number;
}

function floats(value: unknown, what: string): Float64Array {
  if (!(value instanceof Float64Array)) throw new TypeError(`${what} is no array of numbers`);
  return value;
}
