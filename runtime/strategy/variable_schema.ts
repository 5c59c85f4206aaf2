import type { Fields } from "./fields.ts";
import { MEASURED_TYPES, type Variable, VARIABLE_TYPES, type VariableType } from "./strategy.ts";

/** Types that an optimizer or an operator can move. */
const MOVABLE: ReadonlySet<VariableType> = new Set<VariableType>(["Operative", "Calculated"]);
const OF_MOVES = ["max_up", "max_down", "deadband", "round"];
const OF_MEASUREMENTS = ["max_age_s", "valid_min", "valid_max", "on_bad", "default"];

/** One entry of `variables`. A wrong part reads as undefined, so that the name at least is known. */
export function readVariable(name: string, fields: Fields): Variable {
  const type = fields.choice("type", VARIABLE_TYPES);
  if (type === undefined && fields.raw("type") === undefined) {
    fields.problem(
      "STRATEGY_INVALID",
      `Cannot use ${fields.what} without "type": expected ${VARIABLE_TYPES.join(", ")}`,
    );
  }
  const parts = {
    units: fields.text("units") ?? "",
    description: fields.text("description"),
    threshold: fields.number("threshold", { above: 0 }),
    min: fields.number("min"),
    max: fields.number("max"),
    maxUp: fields.number("max_up", { least: 0 }),
    maxDown: fields.number("max_down", { least: 0 }),
    maxAgeS: fields.number("max_age_s", { above: 0 }),
    validMin: fields.number("valid_min"),
    validMax: fields.number("valid_max"),
    onBad: fields.choice("on_bad", ["reject", "hold", "default"]),
    default: fields.number("default"),
    deadband: fields.number("deadband", { least: 0 }),
    round: fields.number("round", { above: 0 }),
  };
  const variable: Variable = { name, type: type ?? "Informative", ...withoutGaps(parts) };
  checkOrder(fields, "min", variable.min, variable.max, variable.units);
  checkOrder(fields, "valid_min", variable.validMin, variable.validMax, variable.units);
  if (variable.onBad === "default" && variable.default === undefined && fields.raw("default") === undefined) {
    fields.problem(
      "STRATEGY_INVALID",
      `Cannot replace a bad value of ${fields.what}: "on_bad" is default, expected "default" with a number`,
      [...fields.path, "on_bad"],
    );
  }
  if (type !== undefined) noteIdleKeys(fields, type);
  return Object.freeze(variable);
}

function checkOrder(
  fields: Fields,
  key: string,
  lower: number | undefined,
  upper: number | undefined,
  units: string,
): void {
  if (lower === undefined || upper === undefined || lower <= upper) return;
  const message = `Cannot bound ${fields.what}: lower ${lower} ${units} is above upper ${upper} ${units}`;
  fields.problem("BOUNDS_REVERSED", message.replaceAll("  ", " ").trimEnd(), [...fields.path, key]);
}

/** A key that is accepted and does nothing must not look as if it did. */
function noteIdleKeys(fields: Fields, type: VariableType): void {
  const idle = [
    ...(MOVABLE.has(type) ? [] : OF_MOVES),
    ...(MEASURED_TYPES.has(type) ? [] : OF_MEASUREMENTS),
    ...(type === "Informative" ? ["min", "max"] : []),
  ];
  for (const key of idle) {
    if (fields.raw(key) === undefined) continue;
    const hint = key === "min" || key === "max" ? `; what may be measured is valid_${key}` : "";
    const message = `"${key}" of ${fields.what} has no effect: its type is ${type}${hint}`;
    const where = { key: true, variable: fields.variable };
    fields.findings.note("KEY_WITHOUT_EFFECT", [...fields.path, key], message, where);
  }
}

function withoutGaps<T extends object>(parts: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined)) as never;
}
