import type { ErrorCode, Problem } from "../errors.ts";
import { nearestNames } from "../graph/nearest_names.ts";
import type { Warning } from "./types.ts";

/** What the gate knows of a variable; all values in its units. */
export interface GatedVariable {
  readonly name: string;
  readonly units: string;
  readonly validMin?: number;
  readonly validMax?: number;
  /** Oldest usable measurement in s; default: any age. */
  readonly maxAgeS?: number;
  /** Default "reject". */
  readonly onBad?: "reject" | "hold" | "default";
  /** Used by `onBad: default`. */
  readonly default?: number;
}

export interface GateInput {
  /** Variable → value as it arrived; nothing is coerced. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Age of all values in s, where known; negative for a timestamp in the future. */
  readonly ageS?: number;
  /** The last good value of a variable, for `onBad: hold`. */
  readonly held?: (name: string) => number | undefined;
}

/** What was wrong with one value, and what was done about it. */
export interface Verdict {
  readonly variable: string;
  readonly code: ErrorCode;
  readonly message: string;
  readonly action: "reject" | "hold" | "default";
}

export interface GateResult {
  /** One value a variable, in their order; complete only when nothing was rejected. */
  readonly values: Float64Array;
  /** One an unusable value; good ones are not listed. */
  readonly verdicts: readonly Verdict[];
  /** Rejections: the cycle may not run. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Warning[];
}

/** Names that are no variable's and are compared with those that are missing. */
const MOST_HINTS = 20;

/** A clock that runs ahead by more than this many seconds is told; smaller differences between machines are usual. */
const FUTURE_S = 60;

/** Decides for every measured variable whether its value may be used. Nothing missing becomes 0. */
export function gate(variables: readonly GatedVariable[], input: GateInput): GateResult {
  const values = new Float64Array(variables.length).fill(NaN);
  const verdicts: Verdict[] = [];
  const problems: Problem[] = [];
  const warnings: Warning[] = [];
  const known = new Set(variables.map(({ name }) => name));
  const strange = Object.keys(input.values).filter((name) => !known.has(name)).slice(0, MOST_HINTS);
  if (input.ageS !== undefined && input.ageS < -FUTURE_S) {
    warnings.push({
      code: "TIMESTAMP_IN_FUTURE",
      message: `The row is ${(-input.ageS).toFixed(0)} s ahead of the clock`,
    });
  }
  variables.forEach((variable, k) => {
    const found = Object.hasOwn(input.values, variable.name) ? input.values[variable.name] : undefined;
    const fault = faultOf(variable, found, input.ageS, strange);
    if (fault === null) {
      values[k] = found as number;
      return;
    }
    const substitute = substituteFor(variable, input);
    const action = substitute === undefined ? "reject" : variable.onBad!;
    verdicts.push({ variable: variable.name, ...fault, action });
    if (substitute === undefined) {
      problems.push({ ...fault, variable: variable.name });
    } else {
      values[k] = substitute;
      const used = action === "hold" ? "the last good value" : "the declared default";
      warnings.push({
        code: fault.code,
        message: `${fault.message}; used ${used} ${substitute}`,
        variable: variable.name,
      });
    }
  });
  return { values, verdicts, problems, warnings };
}

function faultOf(
  variable: GatedVariable,
  found: unknown,
  ageS: number | undefined,
  strange: readonly string[],
): { code: ErrorCode; message: string } | null {
  const { name, validMin = -Infinity, validMax = Infinity, maxAgeS = Infinity } = variable;
  const unit = variable.units === "-" || variable.units === "" ? "" : ` ${variable.units}`;
  if (found === undefined) {
    const [meant] = nearestNames(name, strange);
    const hint = meant === undefined ? "" : `; "${meant}" is no variable`;
    return {
      code: "INPUT_MISSING",
      message: `Cannot use "${name}": it is missing, expected a number${hint}`,
    };
  }
  if (found === null) {
    return { code: "INPUT_MISSING", message: `Cannot use "${name}": it is null, expected a number` };
  }
  if (typeof found !== "number" || !Number.isFinite(found)) {
    return {
      code: "INPUT_INVALID",
      message: `Cannot use "${name}": got ${show(found)}, expected a finite number`,
    };
  }
  if (found < validMin || found > validMax) {
    return {
      code: "INPUT_OUT_OF_RANGE",
      message:
        `Cannot use "${name}": ${found}${unit} is outside its valid range ${validMin} to ${validMax}${unit}`,
    };
  }
  if (ageS !== undefined && ageS > maxAgeS) {
    return {
      code: "INPUT_STALE",
      message: `Cannot use "${name}": it is ${Math.round(ageS)} s old, expected at most ${maxAgeS} s`,
    };
  }
  return null;
}

function substituteFor(
  { name, onBad, default: fallback }: GatedVariable,
  { held }: GateInput,
): number | undefined {
  if (onBad === "hold") return held?.(name);
  return onBad === "default" ? fallback : undefined;
}

/** A value as its sender wrote it, at most 40 characters. */
function show(value: unknown): string {
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
