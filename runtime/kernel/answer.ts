import { excess } from "./guard.ts";
import type { Control } from "./control.ts";
import type { Activation } from "./activation.ts";
import type { RunResult } from "./run.ts";
import type { ActiveLimit, Actuator, Answer, Origin, VariableAnswer, Violation, Warning } from "./types.ts";
import type { Variable } from "../strategy/strategy.ts";

export interface AnswerContext {
  readonly control: Control;
  readonly cycleId: string;
  readonly origin: Origin;
  /** ms since 1970-01-01 UTC. */
  readonly now: number;
  readonly measured: Float64Array;
  readonly warnings: readonly Warning[];
  readonly timing: Answer["timing_ms"];
}

/** A smaller change is none; the predecessor's own figure. */
const CHANGED = 1e-6;
/** A value this close to its limit lies on it: in thresholds for bounds, relative to max(1, |limit|) for limits. */
const ACTIVE = 1e-6;
/** A limit is missed by so much of itself, however small it is. */
const MISSED = 1e-5;

/** The predecessor's answer with ours beside it. Nothing that was not published shows as a move. */
export function answerOf(activation: Activation, run: RunResult, context: AnswerContext): Answer {
  const { linked } = activation;
  const published = run.outcome === "solved" || run.outcome === "acceptable";
  const shown = published
    ? run
    : { ...run, x: run.x0, after: run.before, allocated: new Map<string, number>() };
  const variables = Object.fromEntries(
    linked.variables.filter(({ type }) => type in CATEGORY).map((variable) => [
      variable.name,
      variableAnswer(activation, shown, context.measured, variable),
    ]),
  );
  const ofCategory = (category: VariableAnswer["category"]) =>
    Object.fromEntries(Object.entries(variables).filter(([, each]) => each.category === category));
  const violations = run.outcome === "infeasible"
    ? violationsOf(activation, run, context.measured)
    : undefined;
  return {
    status: published ? "success" : run.outcome as Exclude<RunResult["outcome"], "solved" | "acceptable">,
    outcome: run.outcome,
    timestamp: new Date(context.now).toISOString(),
    cycle_id: context.cycleId,
    origin: context.origin,
    ...(run.reason && { reason: violations ? withNames(run.reason, violations) : run.reason }),
    strategy: activation.identity,
    control: context.control,
    solver: run.solver,
    cost_function_value: finite(shown.after[linked.outputs.cost]),
    cost_before: finite(run.before[linked.outputs.cost]),
    variables,
    optimized_variables: ofCategory("optimizable"),
    predicted_variables: ofCategory("predicted"),
    constraint_variables: ofCategory("constraint"),
    actuators: actuatorsOf(activation, shown, context.measured),
    active_limits: published ? activeLimits(activation, run) : [],
    ...(violations && { violations, least_violation: decisionsAt(activation, run) }),
    warnings: context.warnings,
    summary: summaryOf(variables),
    timing_ms: context.timing,
  };
}

const CATEGORY: Readonly<Record<string, Exclude<VariableAnswer["category"], "optimizable">>> = {
  Operative: "operative",
  Informative: "informative",
  Calculated: "calculated",
  Predicted: "predicted",
  Constraint: "constraint",
};

type Shown = Pick<RunResult, "x0" | "x" | "lower" | "upper" | "before" | "after" | "allocated">;

function variableAnswer(
  activation: Activation,
  shown: Shown,
  measured: Float64Array,
  variable: Variable,
): VariableAnswer {
  const { linked } = activation;
  const { name, type, units } = variable;
  const decision = linked.search.findIndex((each) => each.name === name && each.role === "decision");
  const output = linked.outputs.variables[name];
  let before = finite(output === undefined ? NaN : shown.before[output]);
  let after = finite(output === undefined ? NaN : shown.after[output]);
  const at = activation.measuredAt(name);
  if (decision >= 0) [before, after] = [finite(shown.x0[decision]), finite(shown.x[decision])];
  else if (at !== undefined) [before, after] = [measured[at], shown.allocated.get(name) ?? measured[at]];
  else if (type === "Predicted") before = baseline(activation, measured, name) ?? before;
  const delta = before === null || after === null ? null : after - before;
  const common = { user_input_value: before, optimizer_suggested_value: after, delta, units, type };
  if (decision >= 0) {
    const bounds = [shown.lower[decision], shown.upper[decision]] as const;
    return { category: "optimizable", ...common, threshold: linked.search[decision].scale, bounds };
  }
  const category = CATEGORY[type];
  if (category === "predicted") return { category, ...common, model_output: true };
  if (category !== "constraint") return { category, ...common };
  const limit = linked.limits.find(({ outputs }) => outputs.includes(name));
  if (limit === undefined) return { category, ...common };
  const { mode, lower, upper, physicalLower, physicalUpper } = limit;
  const bounds = {
    var_min: finite(physicalLower),
    op_min: finite(lower),
    op_max: finite(upper),
    var_max: finite(physicalUpper),
  };
  return { category, ...common, constraint_type: mode, constraint_bounds: bounds };
}

/** What a prediction is compared with: the plant's own value of the quantity; for a predicted change, no change. */
function baseline(activation: Activation, measured: Float64Array, name: string): number | undefined {
  const [, prefix, quantity] = /^(predicted|delta)_(.+)$/.exec(name) ?? [];
  const at = activation.measuredAt(quantity);
  if (at === undefined) return undefined;
  return prefix === "delta" ? 0 : measured[at];
}

function actuatorsOf(
  { linked }: Activation,
  { x0, x, allocated }: Shown,
  measured: Float64Array,
): Actuator[] {
  const entry = (name: string, units: string, before: number, after: number): Actuator => ({
    name,
    before,
    after,
    delta: after - before,
    units,
  });
  const own = linked.search.flatMap(({ name, type, role, units }, i) =>
    type === "Operative" && role === "decision" ? [entry(name, units, x0[i], x[i])] : []
  );
  const behind = (linked.allocation?.actuators ?? []).map(({ name, units, index }) =>
    entry(name, units, measured[index], allocated.get(name) ?? measured[index])
  );
  return [...own, ...behind];
}

function activeLimits(
  { linked }: Activation,
  { x, lower, upper, after, multipliers }: RunResult,
): ActiveLimit[] {
  const active: ActiveLimit[] = [];
  linked.search.forEach(({ name, scale, units }, i) => {
    const price = priceOf(multipliers?.bounds[i], lower[i] === upper[i]);
    const side = [lower[i], upper[i]].findIndex((limit) => Math.abs(x[i] - limit) <= ACTIVE * scale);
    if (side < 0) return;
    const at = { side: SIDES[side], value: x[i], limit: [lower[i], upper[i]][side] };
    active.push({ name, kind: "bound", ...at, units, ...price });
  });
  for (const limit of linked.limits) {
    const { training, mode, units, lower, upper, output, row } = limit;
    // What only warns holds nobody back.
    if (training && mode === "score") continue;
    const name = training ? limit.name : limit.variable;
    const value = after[output];
    const price = priceOf(row === undefined ? undefined : multipliers?.limits[row], lower === upper);
    [lower, upper].forEach((limit, side) => {
      if (!Number.isFinite(limit) || !(Math.abs(value - limit) <= ACTIVE * Math.max(1, Math.abs(limit)))) {
        return;
      }
      active.push({ name, kind: "limit", side: SIDES[side], value, limit, units, ...price });
    });
  }
  return active;
}

function priceOf(
  multiplier: number | undefined,
  equal: boolean,
): Pick<ActiveLimit, "shadow_price" | "shadow_price_reason"> {
  if (equal) return { shadow_price: null, shadow_price_reason: "both of its limits are the same" };
  if (multiplier === undefined) {
    return { shadow_price: null, shadow_price_reason: "no solve ended at this point" };
  }
  return { shadow_price: finite(multiplier) };
}

const SIDES = ["lower", "upper"] as const;

/** Whether a tiny limit is missed by more than is nothing beside it. */
function missed(
  { lower, upper }: { readonly lower: number; readonly upper: number },
  value: number,
): boolean {
  const [beyond, limit] = value < lower ? [lower - value, lower] : [value - upper, upper];
  return limit !== 0 && beyond > MISSED * Math.abs(limit);
}

function withNames(
  reason: NonNullable<RunResult["reason"]>,
  violations: readonly Violation[],
): Answer["reason"] {
  const names = (alone: boolean) => [
    ...new Set(violations.filter((each) => each.alone === alone).map(({ name }) => `"${name}"`)),
  ];
  const [never, others] = [names(true), names(false)];
  const told = [
    ...(never.length > 0 ? [`nothing within their bounds holds ${listed(never, "or")}`] : []),
    ...(others.length === 0
      ? []
      : never.length > 0
      ? [`beside ${never.length === 1 ? "it" : "them"} ${listed(others, "and")} cannot hold`]
      : [`what cannot hold is ${listed(others, "and")}${others.length > 1 ? " together" : ""}`]),
  ];
  return { ...reason, message: [reason.message, ...told].join("; ") };
}

function listed(names: readonly string[], last: "and" | "or"): string {
  return names.length === 1 ? names[0] : `${names.slice(0, -1).join(", ")} ${last} ${names.at(-1)}`;
}

function decisionsAt({ linked }: Activation, { x }: RunResult): Record<string, number> {
  return Object.fromEntries(
    linked.search.flatMap(({ name, role }, i) => (role === "decision" ? [[name, x[i]]] : [])),
  );
}

function violationsOf(
  activation: Activation,
  { after, lower: lo, upper: hi }: RunResult,
  measured: Float64Array,
): Violation[] {
  const { linked } = activation;
  const ranges = activation.rowRanges(measured, lo, hi);
  return linked.rows.flatMap(({ name, lower, upper, limit: k }, row) => {
    const value = after[1 + row];
    const breaks = (value: number) =>
      excess({ lower, upper }, value) > ACTIVE || missed({ lower, upper }, value);
    if (!breaks(value)) return [];
    const { training, ...of } = k === undefined ? { variable: name, units: "-" } : linked.limits[k];
    const variable = training ? name : of.variable;
    const [side, limit] = value < lower ? [SIDES[0], lower] : [SIDES[1], upper];
    const best = side === "lower" ? ranges.upper[row] : ranges.lower[row];
    const amount = Math.abs(value - limit);
    return [{ name: variable, side, value, limit, amount, units: of.units, alone: breaks(best) }];
  });
}

function summaryOf(variables: Readonly<Record<string, VariableAnswer>>): Answer["summary"] {
  const all = Object.values(variables);
  const changed = all.filter(({ delta }) => delta !== null && Math.abs(delta) > CHANGED);
  const count = (category: string) => all.filter((each) => each.category === category).length;
  return {
    total_variables: all.length,
    total_variables_with_optimizer_changes: changed.length,
    total_optimizable_variables_changed: changed.filter(({ category }) => category === "optimizable").length,
    total_predicted_variables: count("predicted"),
    total_constraints: count("constraint"),
    optimization_impact:
      `${changed.length}/${all.length} variables have optimizer suggestions different from user input`,
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
