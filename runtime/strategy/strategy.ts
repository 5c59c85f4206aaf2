import type { Position, Problem } from "../errors.ts";
import type { PluginLimits } from "../graph/manifest.ts";
import type { Json } from "../graph/skill.ts";

export const VARIABLE_TYPES = [
  "Operative",
  "Informative",
  "Calculated",
  "Delta",
  "Predicted",
  "Constraint",
  "CalculatedKPI",
] as const; // deno-fmt-ignore

export type VariableType = (typeof VARIABLE_TYPES)[number];

/** Types whose value comes from the plant. */
export const MEASURED_TYPES: ReadonlySet<VariableType> = new Set<VariableType>(["Operative", "Informative"]);

/** A named plant quantity; numbers are in `units` unless said otherwise. */
export interface Variable {
  readonly name: string;
  readonly type: VariableType;
  /** As written, never converted; "" and "-" are dimensionless. */
  readonly units: string;
  readonly description?: string;
  /** One unit of movement, > 0; also the largest move up and down where there is no max_up or max_down. */
  readonly threshold?: number;
  /** Hard limits. */
  readonly min?: number;
  readonly max?: number;
  /** Largest move of one cycle, ≥ 0. */
  readonly maxUp?: number;
  readonly maxDown?: number;
  /** A measured value older than this is stale, s. */
  readonly maxAgeS?: number;
  /** A measured value outside is bad. */
  readonly validMin?: number;
  readonly validMax?: number;
  /** What happens to a bad value: the cycle is rejected (default), the last good one is held, or `default` is taken. */
  readonly onBad?: "reject" | "hold" | "default";
  readonly default?: number;
  /** A smaller move is not published, ≥ 0. */
  readonly deadband?: number;
  /** Published setpoints are multiples of this, > 0. */
  readonly round?: number;
}

/** A named computation. Its meaning is the business of the plugin behind `class`. */
export interface Skill {
  readonly name: string;
  readonly class: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly config: { readonly [key: string]: Json };
  /** False where a part of it could not be read: told already, and of no use to a plugin. */
  readonly readable: boolean;
}

export interface Task {
  readonly name: string;
  readonly sequence: readonly string[];
}

/** What stands behind a class. `at`: where the strategy says so; undefined for a default. */
export type PluginRef =
  & {
    readonly class: string;
    readonly at?: Position;
    /** Lower-case hexadecimal. */
    readonly sha256?: string;
    /** What a user's plugin may have beyond, or less than, the defaults. */
    readonly limits?: PluginLimits;
  }
  & (
    | { readonly source: "builtin"; readonly name: string }
    /** Relative to the strategy's folder; at most one leading `../`. */
    | { readonly source: "path"; readonly path: string }
    | {
      readonly source: "artifact";
      readonly name: string;
      readonly version: string;
      readonly sha256: string;
    }
  );

/** Something worth knowing that stops nothing. */
export interface Note {
  readonly code: NoteCode;
  /** warning: probably not what was meant. */
  readonly level: "note" | "warning";
  readonly message: string;
  readonly at?: Position;
  readonly variable?: string;
}

export type NoteCode =
  | "CONFIG_IGNORED"
  | "DECISION_WITHOUT_EFFECT"
  | "FIXED_GROUP"
  | "KEY_WITHOUT_EFFECT"
  | "KPI_UNREAD"
  | "MODEL_OPAQUE"
  | "NEVER_WRITTEN"
  | "PLUGIN_UNUSED"
  | "RANGE_UNKNOWN"
  | "SKILL_NOTE"
  | "SKILL_UNUSED"
  | "UNDECLARED_VARIABLE"
  | "UNIT_MISMATCH"
  | "WRITES_MEASUREMENT"
  | "WRITTEN_TWICE";

/** A strategy as its file says it: every part readable by itself, not yet linked. Immutable. */
export interface Strategy {
  /** SHA-256 of the text, lower-case hexadecimal. */
  readonly digest: string;
  readonly file?: string;
  /** True without `apiVersion`: the predecessor's format. */
  readonly legacy: boolean;
  readonly apiVersion?: string;
  /** Default "strategy". */
  readonly name: string;
  /** Semantic version; default 0.0.0. */
  readonly version: string;
  readonly description?: string;
  /** Cron, five fields, UTC. */
  readonly schedule?: string;
  /** `objective.minimize`: the variable to minimise. */
  readonly minimize?: string;
  /** How far a search may leave the ranges that models were trained in, for models that do not say so themselves. */
  readonly range?: "off" | "warn" | "soft" | "hard";
  /** In the file's order, as every map here. */
  readonly variables: ReadonlyMap<string, Variable>;
  readonly skills: ReadonlyMap<string, Skill>;
  readonly tasks: readonly Task[];
  /** By class: the defaults and what the strategy adds or replaces. */
  readonly plugins: ReadonlyMap<string, PluginRef>;
  /** What is wrong; empty after `loadStrategy`. `linkStrategy` throws it together with what it finds itself. */
  readonly problems: readonly Problem[];
  readonly notes: readonly Note[];
  /** Where the value at `path` of the file is; `offset`: characters into a text. */
  position(path: readonly (string | number)[], offset?: number): Position;
  /** Where the key that ends `path` is. */
  keyPosition(path: readonly (string | number)[]): Position;
}

/** Whether a variable's own entry is wrong: told already, so that what follows from it is not told again. */
export function isBroken({ problems }: Strategy, variable: string): boolean {
  return problems.some((problem) => problem.variable === variable);
}
