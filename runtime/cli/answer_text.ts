/** One answer as an operator reads it. */
import type { ActiveLimit, Actuator, Answer, VariableAnswer } from "../kernel/types.ts";
import { type Column, figure, signed, table } from "./table.ts";

/** Who moves less than that does not move; the predecessor's threshold. */
const MOVED = 1e-6;

const VALUES: readonly Column[] = [
  { title: "before", align: "right" },
  { title: "after", align: "right" },
  { title: "delta", align: "right" },
  { title: "unit" },
];

export function answerText(answer: Answer): string {
  const { actuators, active_limits, predicted_variables } = answer;
  const moved = actuators.filter(({ delta }) => Math.abs(delta) > MOVED);
  const sections = [
    head(answer),
    moves(moved, actuators.length),
    effect(predicted_variables),
    limits(active_limits),
    conflicts(answer),
    answer.warnings.map(({ message }) => `Warning: ${message}`),
  ];
  return sections.filter((lines) => lines.length > 0).map((lines) => lines.join("\n")).join("\n\n");
}

function head(
  { outcome, reason, strategy, solver, control, timing_ms, cost_before, cost_function_value }: Answer,
): string[] {
  const name = `${strategy.name} ${strategy.version}`;
  const lines = [
    `${name}: ${outcome} in ${
      figure(Number(timing_ms.total.toFixed(1)))
    } ms, ${solver.iterations} iterations`,
  ];
  if (reason !== undefined) lines.push(`${reason.message} (${reason.code})`);
  if (control.actual === "closed_loop") lines.push("Closed loop: a program may apply it");
  else if (control.requested !== control.actual) lines.push(`Only advisory: ${control.reason}`);
  if (cost_before === null) return lines;
  const published = outcome === "solved" || outcome === "acceptable";
  const then = published && cost_function_value !== null
    ? `, ${figure(cost_function_value)} then (${signed(cost_function_value - cost_before)})`
    : "";
  lines.push(`Cost ${figure(cost_before)} now${then}`);
  return lines;
}

function moves(moved: readonly Actuator[], all: number): string[] {
  if (all === 0) return [];
  if (moved.length === 0) return [`No setpoint moves (${all} stay as they are)`];
  const rows = moved.map((
    { name, before, after, delta, units },
  ) => [name, figure(before), figure(after), signed(delta), units]);
  const others = all - moved.length;
  return [
    ...table([{ title: "Setpoint" }, ...VALUES], rows),
    ...(others > 0
      ? [others === 1 ? "(1 other stays as it is)" : `(${others} others stay as they are)`]
      : []),
  ];
}

function effect(predicted: Readonly<Record<string, VariableAnswer>>): string[] {
  const rows = Object.entries(predicted).map(([name, value]) => [
    name,
    figure(value.user_input_value),
    figure(value.optimizer_suggested_value),
    signed(value.delta),
    value.units,
  ]);
  return rows.length === 0 ? [] : table([{ title: "Effect" }, ...VALUES], rows);
}

function limits(active: readonly ActiveLimit[]): string[] {
  const columns: readonly Column[] = [
    { title: "Active limit" },
    { title: "side" },
    { title: "value", align: "right" },
    { title: "limit", align: "right" },
    { title: "unit" },
    { title: "worth per unit", align: "right" },
  ];
  const rows = active.map(({ name, side, value, limit, units, shadow_price }) => [
    name,
    side,
    figure(value),
    figure(limit),
    units,
    figure(shadow_price),
  ]);
  return rows.length === 0 ? [] : table(columns, rows);
}

function conflicts({ violations = [], least_violation = {}, variables }: Answer): string[] {
  const at = Object.entries(least_violation).map(([name, value]) =>
    `${name} ${figure(value)} ${variables[name]?.units ?? ""}`.trim()
  );
  const lines = violations.map(({ name, side, value, limit, amount, units, alone }) => {
    const than = side === "lower" ? "below" : "above";
    const whatever = alone ? ", whatever else gives" : "";
    return `Cannot hold ${name}: at best ${figure(value)} ${units}, ${
      figure(amount)
    } ${units} ${than} its limit ${figure(limit)}${whatever}`;
  });
  if (lines.length > 1) lines.unshift("Not all of these limits can hold; each would have to give so much:");
  if (at.length > 0) lines.push(`(at the point of least violation: ${at.join(", ")})`);
  return lines;
}
