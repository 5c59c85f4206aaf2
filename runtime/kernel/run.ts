import type { Clock } from "../clock.ts";
import { SetpointError } from "../errors.ts";
import type { Activation } from "./activation.ts";
import { type GuardedPoint, refuse } from "./guard.ts";
import { searchBounds } from "../strategy/bounds.ts";
import { settle } from "./settle.ts";
import type { Outcome } from "./types.ts";

export interface RunRequest {
  /** In the order of the strategy's measured variables; finite. */
  readonly measured: Float64Array;
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/** What one optimization came to, with the numbers that the answer and the journal need. */
export interface RunResult {
  readonly outcome: Outcome;
  /** Why it is not solved. */
  readonly reason?: { readonly code: string; readonly message: string };
  /** The present and the recommended point, and what the search was bound by; all in the order of the decisions. */
  readonly x0: Float64Array;
  readonly x: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Every output of the exact tape at x0 and at x. */
  readonly before: Float64Array;
  readonly after: Float64Array;
  /** Setpoints behind Calculated decisions, by name. */
  readonly allocated: ReadonlyMap<string, number>;
  readonly solver: {
    readonly status: string;
    readonly iterations: number;
    readonly evaluations: number;
    readonly ms: number;
    /** Local searches from different points, and how many of them ended at the cost of the best. */
    readonly starts?: { readonly run: number; readonly agreed: number };
    /** What a search that ended well leaves open. */
    readonly message?: string;
  };
  readonly multipliers?: { readonly bounds: Float64Array; readonly limits: Float64Array };
  /** False where rounding or a deadband would have broken a limit, so that the setpoints are as they were computed. */
  readonly rounded: boolean;
  readonly timing: { readonly optimize: number; readonly guard: number };
}

/** What a run ends with that cannot even begin: no point, no move. */
interface Ending {
  readonly outcome: Outcome;
  readonly reason: { readonly code: string; readonly message: string };
}

/** Optimizes one state of the plant. Only a point that the guard has passed leaves as solved or acceptable. */
export async function runOnce(clock: Clock, activation: Activation, request: RunRequest): Promise<RunResult> {
  const { measured, deadlineMs, signal } = request;
  const began = clock.monotonic();
  const failed = (present: Present, code: string, message: string) =>
    stay(present, { outcome: endingOf(code), reason: { code, message } }, NOT_RUN, {
      optimize: clock.monotonic() - began,
      guard: 0,
    });
  let x0 = unknownPoint(activation, measured);
  let before = unknownOutputs(activation);
  try {
    await activation.awake(deadlineMs / 2);
    x0 = await activation.startPoint(measured);
    before = await activation.outputs(measured, x0);
  } catch (error) {
    if (!(error instanceof SetpointError)) throw error;
    return failed({ x0, lower: x0, upper: x0, before }, error.code, error.message);
  }
  const broken = notFinite(activation, x0) ?? activation.firstNotFinite(before);
  if (broken !== undefined) {
    const message = `Cannot evaluate the present point: ${broken}`;
    return failed({ x0, lower: x0, upper: x0, before }, "EVALUATION_FAILED", message);
  }
  const { lower, upper } = searchBounds(activation.linked, measured, x0);
  const present: Present = { x0, lower, upper, before };
  const remaining = () => Math.max(1, deadlineMs - (clock.monotonic() - began));
  let answer;
  try {
    answer = await activation.optimize({
      parameters: measured,
      x0,
      lower,
      upper,
      deadlineMs: remaining(),
      signal,
    });
  } catch (error) {
    if (signal?.aborted) return failed(present, "CANCELLED", "The run was cancelled before it had an answer");
    if (!(error instanceof SetpointError)) throw error;
    return failed(present, error.code, error.message);
  }
  const { status, iterations, evaluations, multipliers, message, starts } = answer;
  const open = status === "solved" || status === "acceptable" ? message : undefined;
  const more = { ...(starts && { starts }), ...(open !== undefined && { message: open }) };
  const solver = { status, iterations, evaluations, ms: answer.ms, ...more };
  const optimized = clock.monotonic();
  const timing = () => ({ optimize: optimized - began, guard: clock.monotonic() - optimized });
  if (status !== "solved" && status !== "acceptable") {
    return {
      ...await unsolved(activation, measured, present, answer.x, status, message),
      solver,
      timing: timing(),
    };
  }
  const reject = (code: string, why: string) =>
    stay(present, { outcome: "failed", reason: { code, message: why } }, solver, timing());
  const malformed = refuse({ ...guarded(activation, present, answer.x, before), finite: true });
  if (answer.x.length !== x0.length || !answer.x.every(Number.isFinite)) {
    return reject("ANSWER_REFUSED", refusal(malformed!));
  }
  let reason = "";
  for (const entered of [true, false]) {
    try {
      const settled = await settle(activation, {
        ...present,
        measured,
        x: answer.x,
        deadlineMs: remaining(),
        entered,
      });
      const after = await activation.outputs(measured, settled.x);
      const why = refuse(guarded(activation, present, settled.x, after));
      if (why === null) {
        const { x, allocated } = settled;
        const rounded = entered || !activation.rounds;
        return {
          ...present,
          outcome: status,
          x,
          after,
          allocated,
          rounded,
          solver,
          multipliers,
          timing: timing(),
        };
      }
      reason = refusal(why);
    } catch (error) {
      if (!(error instanceof SetpointError)) throw error;
      return reject(error.code, error.message);
    }
    if (!activation.rounds) break;
  }
  return reject("ANSWER_REFUSED", reason);
}

function refusal(why: string): string {
  return `Cannot publish the optimizer's point: it ${why}`;
}

/** Of a cycle whose plugin failed. */
function endingOf(code: string): Outcome {
  return code === "PLUGIN_TIMEOUT" ? "timeout" : "failed";
}

const NOT_RUN = { status: "not_run", iterations: 0, evaluations: 0, ms: 0 };

interface Present {
  readonly x0: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  readonly before: Float64Array;
}

/** The run of a plant that stays where it is. */
function stay(
  present: Present,
  ending: Ending,
  solver: RunResult["solver"],
  timing: RunResult["timing"],
): RunResult {
  return { ...present, ...ending, ...UNMOVED, x: present.x0, after: present.before, solver, timing };
}

const UNMOVED = { allocated: new Map<string, number>(), rounded: true };

function guarded(
  activation: Activation,
  present: Present,
  x: Float64Array,
  after: Float64Array,
): GuardedPoint {
  const { x0, lower, upper, before } = present;
  const { search, scale, rows } = activation.linked;
  return {
    x,
    x0,
    lower,
    upper,
    scale,
    names: search.map(({ name }) => name),
    cost: after[0],
    costBefore: before[0],
    limits: rows,
    limitValues: after.subarray(1, 1 + rows.length),
    limitValuesBefore: before.subarray(1, 1 + rows.length),
    finite: activation.firstNotFinite(after) === undefined,
  };
}

/** No move; for an infeasible plant with the values at the point of least violation, which the kernel has evaluated. */
async function unsolved(
  activation: Activation,
  measured: Float64Array,
  present: Present,
  x: Float64Array,
  status: "infeasible" | "timeout" | "failed",
  message: string | undefined,
): Promise<Omit<RunResult, "solver" | "timing">> {
  const usable = status === "infeasible" && x.length === present.x0.length && x.every(Number.isFinite);
  const after = usable ? await activation.outputs(measured, x).catch(() => present.before) : present.before;
  const code = { infeasible: "INFEASIBLE", timeout: "PLUGIN_TIMEOUT", failed: "EVALUATION_FAILED" }[status];
  const fallback = `The optimizer ended with "${status}"`;
  return {
    ...present,
    ...UNMOVED,
    x: usable ? x : present.x0,
    after,
    outcome: status,
    reason: { code, message: message ?? fallback },
  };
}

/** Where nothing could be computed: measured values, NaN for the others. */
function unknownPoint({ linked }: Activation, measured: Float64Array): Float64Array {
  return Float64Array.from(linked.search, ({ from, index }) => (from === "measured" ? measured[index] : NaN));
}

function unknownOutputs({ linked: { outputs, rows } }: Activation): Float64Array {
  const last = Math.max(outputs.cost, rows.length, ...Object.values(outputs.variables));
  return new Float64Array(last + 1).fill(NaN);
}

function notFinite({ linked }: Activation, x0: Float64Array): string | undefined {
  const bad = x0.findIndex((value) => !Number.isFinite(value));
  return bad < 0 ? undefined : `"${linked.search[bad].name}" is ${x0[bad]}`;
}
