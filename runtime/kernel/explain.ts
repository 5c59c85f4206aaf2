/** Why a strategy says what it says at one state: formulas with their values, term by term, and slopes. */
import { Graph } from "../graph/expr.ts";
import {
  type FormulaAst,
  type FormulaNode,
  lowerFormula,
  parseFormula,
  printFormula,
} from "../graph/formula.ts";
import { compileTape, Tape } from "../graph/tape.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { Activation } from "./activation.ts";

export interface Explanation {
  readonly strategy: { readonly name: string; readonly version: string };
  readonly cost: { readonly name: string; readonly value: number };
  readonly kpis: readonly ExplainedKpi[];
  /** What one unit, and one threshold, of each setpoint costs at the present point. */
  readonly slopes: readonly Slope[];
}

export interface ExplainedKpi {
  readonly name: string;
  readonly skill: string;
  readonly units: string;
  readonly formula: string;
  readonly value: number;
  /** Of the sum that the formula is; one where it is none. They add up to the value. */
  readonly terms: readonly Term[];
  /** By setpoint, per unit. */
  readonly gradient: Readonly<Record<string, number>>;
}

export interface Term {
  readonly text: string;
  readonly value: number;
  /** d term / d setpoint · threshold, by setpoint: what a move of one threshold changes of it. */
  readonly perThreshold: Readonly<Record<string, number>>;
}

export interface Slope {
  readonly name: string;
  readonly units: string;
  readonly value: number;
  readonly perUnit: number;
  readonly perThreshold: number;
}

type Names = ReadonlyMap<string, number>;

/** @param measured In the order of the measured variables. */
export async function explainState(activation: Activation, measured: Float64Array): Promise<Explanation> {
  const { linked, strategy } = activation;
  const x0 = await activation.startPoint(measured);
  const outputs = await activation.outputs(measured, x0);
  const jacobian = await slopesOf(activation, measured, x0);
  const { variables, cost, costVariable } = linked.outputs;
  const latest = new Map(Object.entries(variables).map(([name, output]) => [name, outputs[output]]));
  const present = new Map(latest);
  linked.measured.forEach((name, k) => present.set(name, measured[k]));
  // A decision is moved by the search, and an earlier write is gone: their formulas explain nothing at the end.
  const last = new Map<string, string>();
  for (const { name, outputs, config } of strategy.skills.values()) {
    if ("skill_sequence" in config || "cost_skill_name" in config) continue;
    for (const variable of outputs) last.set(variable, name);
  }
  for (const { name } of linked.search) last.delete(name);
  const kpis = [...strategy.skills.values()].flatMap((skill): ExplainedKpi[] => {
    const { formula } = skill.config;
    const [name] = skill.outputs;
    if (typeof formula !== "string" || variables[name] === undefined || last.get(name) !== skill.name) {
      return [];
    }
    const ast = parseFormula(formula);
    const value = outputs[variables[name]];
    const names = ast.names.map((use) => use.name);
    const inputs = new Map(names.map((used) => [used, valueOf(used, strategy, latest, present)]));
    const moves = new Map(
      names.map((used) => [used, variables[plain(used, strategy)] ?? -1] as const),
    );
    const terms = termsOf(ast.root).map(({ sign, node }): Term => {
      const term: FormulaAst = { ...ast, root: node };
      const { value: part, partials } = evaluate(term, inputs);
      const perThreshold = linked.search.map(({ name, scale }, j) => {
        let slope = 0;
        // A name that means a measured value or a threshold does not move.
        for (const [used, partial] of partials) {
          if (isLatest(used, strategy)) slope += partial * (jacobian[moves.get(used)!]?.[j] ?? 0);
        }
        return [name, sign * slope * scale] as const;
      });
      const text = printFormula(term);
      return {
        text: sign < 0 ? `-${/^[\w.(]+$/.test(text) || node.kind === "call" ? text : `(${text})`}` : text,
        value: sign * part,
        perThreshold: Object.fromEntries(perThreshold),
      };
    });
    const gradient = Object.fromEntries(
      linked.search.map(({ name: setpoint }, j) => [setpoint, jacobian[variables[name]][j]]),
    );
    const units = strategy.variables.get(name)?.units ?? "";
    return [{ name, skill: skill.name, units, formula: printFormula(ast), value, terms, gradient }];
  });
  const slopes = linked.search.map(({ name, units, scale }, j): Slope => ({
    name,
    units,
    value: x0[j],
    perUnit: jacobian[cost][j],
    perThreshold: jacobian[cost][j] * scale,
  }));
  const { name, version } = linked;
  return { strategy: { name, version }, cost: { name: costVariable, value: outputs[cost] }, kpis, slopes };
}

/** Parts of the scale that differences are taken over: through foreign code, and over the steps of tree ensembles. */
const BESIDE = 1 / 16;
const ACROSS = 1 / 2;

/** Row k: the gradient of output k. Exact; through foreign code and tree ensembles by central differences. */
async function slopesOf(
  activation: Activation,
  measured: Float64Array,
  x0: Float64Array,
): Promise<number[][]> {
  const { exact, opaques, scale } = activation.linked;
  const n = x0.length;
  const tape = Tape.decode(exact);
  if (opaques.length === 0 && tape.forests.length === 0) {
    tape.setParameters(measured);
    const jacobian = new Float64Array(tape.outputs * n);
    tape.jacobian(x0, 0, tape.outputs, jacobian);
    return Array.from({ length: tape.outputs }, (_, k) => [...jacobian.subarray(k * n, (k + 1) * n)]);
  }
  const columns: Float64Array[] = [];
  for (let j = 0; j < n; j++) {
    const step = scale[j] * (tape.forests.length > 0 ? ACROSS : BESIDE);
    const high = await activation.outputs(measured, x0.with(j, x0[j] + step));
    const low = await activation.outputs(measured, x0.with(j, x0[j] - step));
    columns.push(high.map((value, k) => (value - low[k]) / (2 * step)));
  }
  return Array.from({ length: columns[0]?.length ?? 0 }, (_, k) => columns.map((column) => column[k]));
}

/** The operands of the sum that a formula is. */
function termsOf(node: FormulaNode, sign = 1): { readonly sign: number; readonly node: FormulaNode }[] {
  if (node.kind === "unary") return termsOf(node.operand, node.op === "-" ? -sign : sign);
  if (node.kind !== "arithmetic" || (node.rest[0].op !== "+" && node.rest[0].op !== "-")) {
    return [{ sign, node }];
  }
  return [
    ...termsOf(node.first, sign),
    ...node.rest.flatMap(({ op, operand }) => termsOf(operand, op === "-" ? -sign : sign)),
  ];
}

function evaluate(ast: FormulaAst, inputs: Names): { value: number; partials: ReadonlyMap<string, number> } {
  const graph = new Graph();
  const names = [...inputs.keys()];
  const root = lowerFormula(graph, ast, (name) => {
    const at = names.indexOf(name);
    return at < 0 || Number.isNaN(inputs.get(name)) ? undefined : graph.variable(at);
  });
  const tape = compileTape(graph, { variables: names.length, parameters: 0, outputs: [root] });
  const x = Float64Array.from(inputs.values());
  const out = new Float64Array(1);
  const gradient = new Float64Array(names.length);
  tape.value(x, out);
  tape.gradient(x, Float64Array.of(1), gradient);
  return { value: out[0], partials: new Map(names.map((name, i) => [name, gradient[i]])) };
}

/** What a name in a formula means: strategy.variables first, then its suffix. NaN: a constant such as pi. */
function valueOf(name: string, strategy: Strategy, latest: Names, present: Names): number {
  const own = plain(name, strategy);
  if (own === name || name.endsWith("_dof")) return latest.get(own) ?? NaN;
  if (name.endsWith("_threshold")) return strategy.variables.get(own)?.threshold ?? NaN;
  return present.get(own) ?? NaN;
}

function plain(name: string, { variables }: Strategy): string {
  return variables.has(name) ? name : name.replace(/_(dof|current|threshold)$/, "");
}

function isLatest(name: string, strategy: Strategy): boolean {
  return strategy.variables.has(name) || name.endsWith("_dof");
}
