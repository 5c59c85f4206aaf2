import { Settings } from "./core/settings.ts";
import type { Iteration } from "./iteration.ts";
import type { SolveResult } from "./result.ts";
import { OPTION_TABLE } from "./option_table.ts";

/** Options by IPOPT's names; those that {@linkcode options} lists, and what a solve is given besides. */
export interface SolveOptions {
  /** Scaled optimality error of a solution; 1e-8. */
  readonly tol?: number;
  /** Most iterations, those of the restoration phase included; 3000. */
  readonly max_iter?: number;
  /** Seconds, 1e20; below 1e19 it needs `now`. Past it the status is −5. */
  readonly max_wall_time?: number;
  /** The same by the same clock; past it the status is −4. */
  readonly max_cpu_time?: number;
  /** Scaled optimality error of an acceptable point; 1e-6. */
  readonly acceptable_tol?: number;
  /** Acceptable iterates in a row that end the solve with status 1; 15. */
  readonly acceptable_iter?: number;
  /** Largest violation of a constraint of a solution, in the user's units; 1e-4. */
  readonly constr_viol_tol?: number;
  /** First barrier parameter; 0.1. */
  readonly mu_init?: number;
  /** How the barrier parameter is chosen; monotone, or adaptive where there is no Hessian. */
  readonly mu_strategy?: "monotone" | "adaptive";
  /** Where the Hessian comes from; exact where the problem has one. */
  readonly hessian_approximation?: "exact" | "limited-memory";
  /** How the problem is scaled; gradient-based. */
  readonly nlp_scaling_method?: "gradient-based" | "none" | "user-scaling";
  /** Whether to start from the multipliers in `warm_start`; no. */
  readonly warm_start_init_point?: "yes" | "no";
  /** Below 5 nothing is printed; 5. */
  readonly print_level?: number;
  /** Monotonic time, ms, e.g. `() => performance.now()`; without it there are no limits of time. */
  readonly now?: () => number;
  /** True once the answer is of no use any more; looked at in every iteration and before every callback. */
  readonly cancelled?: () => boolean;
  /** Stops the solve with status 5, as `cancelled` does. A solve is synchronous: only a callback can abort it. */
  readonly signal?: AbortSignal;
  /** The same from another thread: over a SharedArrayBuffer, entry 0 set to another value than 0. */
  readonly cancel_flag?: Int32Array;
  /** Used in messages, length n. */
  readonly variable_names?: readonly string[];
  /** Used in messages and in `violations`, length m. */
  readonly constraint_names?: readonly string[];
  /** Multipliers for `warm_start_init_point`, e.g. the last result; lengths m, n, n. */
  readonly warm_start?: Pick<SolveResult, "mult_g" | "mult_x_L" | "mult_x_U">;
  /** Which derivatives are compared with differences before the solve; none. */
  readonly derivative_test?: "none" | "first-order" | "second-order" | "only-second-order";
  /** Called at every iterate; false stops the solve with status 5. */
  readonly intermediate?: (at: Iteration) => boolean | void;
  /** Takes the lines that print_level 5 prints. */
  readonly print?: (line: string) => void;
  /** solver.wasm, compiled: `solve` runs larger problems in it. */
  readonly module?: WebAssembly.Module;
  /** Size of one unit of each variable, length n; for `nlp_scaling_method: "user-scaling"`. */
  readonly x_unit?: Float64Array;
  /** Every other option that {@linkcode options} lists. */
  readonly [name: string]: unknown;
}

/** One option as {@linkcode options} tells of it. */
export interface OptionInfo {
  /** As IPOPT calls it. */
  readonly name: string;
  /** IPOPT's. */
  readonly default: number | string;
  /** Least value of a number; where IPOPT's range is open, the number beside its end. */
  readonly min?: number;
  /** Greatest value of a number. */
  readonly max?: number;
  /** Whether it must be a whole number. */
  readonly integer?: boolean;
  /** The values of what is no number. */
  readonly choices?: readonly string[];
  /** A sentence without a period. */
  readonly description: string;
}

const BESIDES = new Set([
  "now",
  "cancelled",
  "x_unit",
  "intermediate",
  "module",
  "print",
  "signal",
  "cancel_flag",
  "variable_names",
  "constraint_names",
  "warm_start",
]);
const BY_NAME = new Map(OPTION_TABLE.map((option) => [option.name, option]));
const DEFAULTS = new Settings();

/** Every option of IPOPT that is supported, with default and range. */
export function options(): readonly OptionInfo[] {
  return OPTION_TABLE;
}

/**
 * Sets `settings` to the defaults with `given` laid over them.
 * @param dense Whether there is room for a whole quasi-Newton matrix.
 * @returns What is wrong, or undefined.
 */
export function applyOptions(
  given: SolveOptions,
  settings: Settings,
  hasHessian: boolean,
  dense: boolean,
): string | undefined {
  Object.assign(settings, DEFAULTS);
  const target = settings as unknown as Record<string, number | boolean>;
  for (const name in given) {
    const value = given[name];
    if (value === undefined || BESIDES.has(name)) continue;
    const option = BY_NAME.get(name);
    if (option === undefined) return `Cannot set option "${name}": ${notKnown(name)}`;
    const problem = complaint(option, value);
    if (problem !== undefined) return `Cannot set option "${name}" to ${JSON.stringify(value)}: ${problem}`;
    if (option.choices === undefined) {
      if (name in target) target[name] = value as number;
    } else choose(settings, target, name, value as string);
  }
  if (settings.max_refinement_steps < settings.min_refinement_steps) {
    const { min_refinement_steps: least, max_refinement_steps: most } = settings;
    return `Cannot set option "max_refinement_steps" to ${most}: min_refinement_steps is ${least}`;
  }
  for (const limit of ["max_wall_time", "max_cpu_time"] as const) {
    if (given.now !== undefined || !(given[limit]! < 1e19)) continue;
    return `Cannot set option "${limit}" without the clock \`now\`, for example () => performance.now()`;
  }
  if (!hasHessian && given.hessian_approximation === "exact") {
    return 'Cannot set option "hessian_approximation" to "exact": the problem has no Hessian';
  }
  settings.damped = dense && !hasHessian && given.hessian_approximation === undefined;
  if (!hasHessian) settings.limited_memory = true;
  // IPOPT does the same: quasi-Newton steps do not deserve the accuracy that the monotone rule asks for.
  if (settings.limited_memory && given.mu_strategy === undefined) settings.adaptive = true;
  return undefined;
}

function complaint(option: OptionInfo, value: unknown): string | undefined {
  if (option.choices !== undefined) {
    return option.choices.includes(value as string) ? undefined : `expected ${option.choices.join(" or ")}`;
  }
  if (typeof value !== "number" || Number.isNaN(value)) return "expected a number";
  if (option.integer && !Number.isInteger(value)) return "expected a whole number";
  const { min = -Infinity, max = Infinity } = option;
  return value < min || value > max ? `expected ${described(min, max)}` : undefined;
}

/** A range in words; an end just beside a round number is that number left out. */
function described(min: number, max: number): string {
  const open = (end: number) => Math.abs(end) < Infinity && end !== Number(end.toPrecision(12));
  const from = min === Number.MIN_VALUE
    ? "above 0"
    : open(min)
    ? `above ${min.toPrecision(1)}`
    : `at least ${min}`;
  const to = open(max) ? `below ${Number(max.toPrecision(12))}` : `at most ${max}`;
  if (min === -Infinity && max === Infinity) return "a number";
  if (max === Infinity) return `a number ${from}`;
  return min === -Infinity ? `a number ${to}` : `a number ${from} and ${to}`;
}

/** Names a person might have meant. */
function notKnown(name: string): string {
  const near = [...BY_NAME.keys()]
    .map((known) => ({ known, away: distance(name, known) }))
    .filter(({ known, away }) =>
      away <= Math.max(2, known.length / 4) || known.includes(name) || name.startsWith(known)
    )
    .sort((a, b) => a.away - b.away)
    .slice(0, 3)
    .map(({ known }) => `"${known}"`);
  return near.length === 0
    ? "this solver does not have it; options() lists what it has"
    : `did you mean ${near.join(" or ")}?`;
}

/** Levenshtein's: insertions, deletions and replacements of letters. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, k) => k);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j] + (a[i] === b[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1));
    }
    row = next;
  }
  return row[b.length];
}

function choose(
  settings: Settings,
  target: Record<string, number | boolean>,
  name: string,
  value: string,
): void {
  if (name === "mu_strategy") settings.adaptive = value === "adaptive";
  else if (name === "hessian_approximation") settings.limited_memory = value === "limited-memory";
  else if (name === "nlp_scaling_method") {
    settings.scaling = value !== "none";
    settings.user_scaling = value === "user-scaling";
  } else if (name in target) target[name] = value === "yes";
}
