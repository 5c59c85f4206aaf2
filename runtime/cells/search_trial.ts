/** The test of an optimizer: a small problem in formulas with a known answer. */
import { Graph, GraphError, type NodeId } from "../graph/expr.ts";
import { lowerFormula, parseFormula } from "../graph/formula.ts";
import type { PluginTest } from "../graph/manifest.ts";
import { lift } from "../graph/nonsmooth.ts";
import type { Json } from "../graph/skill.ts";
import { compileTape, Tape } from "../graph/tape.ts";
import type { OptimizationResult } from "../graph/optimization.ts";
import type { OptimizationRun, ProblemMessage } from "./plugin_handle.ts";

const TOLERANCE = 1e-3;
const WITHIN = 1e-6;
const BOUNDS = [-10, 10] as const;
const DEADLINE_MS = 5_000;
/** The problem is made in the kernel. */
const MOST_VARIABLES = 100;
/** Of a formula, in messages. */
const LONGEST = 100;

export interface SearchTrial {
  readonly problem: ProblemMessage;
  readonly run: OptimizationRun;
}

/** @throws {TypeError} If it is no problem. */
export function searchTrial(test: PluginTest, config: { readonly [key: string]: Json }): SearchTrial {
  const { inputs = {}, bounds = {}, minimize } = test;
  const names = Object.keys(inputs);
  if (minimize === undefined || names.length === 0) {
    throw new TypeError("it is no problem, expected `minimize`, a formula, and `inputs`, where to begin");
  }
  if (names.length > MOST_VARIABLES) {
    throw new TypeError(`it has ${names.length} variables, expected at most ${MOST_VARIABLES}`);
  }
  const graph = new Graph();
  const node = (text: string): NodeId => {
    try {
      return lowerFormula(graph, parseFormula(text), (name) => {
        return names.includes(name) ? graph.variable(names.indexOf(name)) : undefined;
      });
    } catch (error) {
      if (error instanceof GraphError) {
        throw new TypeError(`${JSON.stringify(text.slice(0, LONGEST))}: ${error.message}`);
      }
      throw error;
    }
  };
  const cost = node(minimize);
  const limits = (test.limits ?? []).map(({ formula, lower = -Infinity, upper = Infinity }) => (
    { node: node(formula), lower, upper }
  ));
  const size = { graph, variables: names.length, parameters: 0 };
  const outputs = [cost, ...limits.map(({ node }) => node)];
  const box = names.map((name) => bounds[name] ?? BOUNDS);
  return {
    problem: {
      exact: compileTape(graph, { ...size, outputs }).buffer,
      lifted: lift({ ...size, cost, limits, scale: names.map(() => 1) }),
      limits: limits.map(({ lower, upper }) => ({ lower, upper })),
      opaques: [],
      config,
    },
    run: {
      parameters: new Float64Array(0),
      x0: Float64Array.from(names, (name) => inputs[name]),
      lo: Float64Array.from(box, ([least]) => least),
      hi: Float64Array.from(box, ([, most]) => most),
      scale: new Float64Array(names.length).fill(1),
      deadlineMs: DEADLINE_MS,
    },
  };
}

/** What is wrong with an answer, in words; undefined where nothing is. */
export function wrongAnswer(
  { inputs = {}, outputs = {}, cost, tolerance = TOLERANCE }: PluginTest,
  { problem: { exact, limits }, run: { lo, hi } }: SearchTrial,
  { status, x, message = "" }: OptimizationResult,
): string | undefined {
  const names = Object.keys(inputs);
  if (status !== "solved" && status !== "acceptable") {
    return `it ended as ${status}${message && `: ${message}`}, expected solved`;
  }
  const outside = names.findIndex((_, i) => !(x[i] >= lo[i] && x[i] <= hi[i]));
  if (outside >= 0) {
    return `"${names[outside]}" is ${x[outside]}, expected between ${lo[outside]} and ${hi[outside]}`;
  }
  const values = new Float64Array(1 + limits.length);
  Tape.decode(exact).value(x, values);
  const broken = limits.findIndex(({ lower, upper }, k) => {
    const room = WITHIN * Math.max(1, Math.abs(values[1 + k]));
    return !(values[1 + k] >= lower - room && values[1 + k] <= upper + room);
  });
  if (broken >= 0) {
    const { lower, upper } = limits[broken];
    return `limit ${broken} is ${values[1 + broken]}, expected between ${lower} and ${upper}`;
  }
  const far = (value: number, expected: number) =>
    !(Math.abs(value - expected) <= tolerance * Math.max(1, Math.abs(expected)));
  if (cost !== undefined && far(values[0], cost)) {
    return `its cost is ${values[0]}, expected ${cost} within ${tolerance}`;
  }
  const missed = Object.keys(outputs).find((name) => far(x[names.indexOf(name)], outputs[name]));
  if (missed !== undefined) {
    return `"${missed}" is ${x[names.indexOf(missed)]}, expected ${outputs[missed]} within ${tolerance}`;
  }
}
