/** What an optimizer is asked, and what it answers: types only. plugins/sdk.ts gives them to plugin authors. */
import type { LiftedProblem } from "./lifted.ts";
import type { Json } from "./skill.ts";
import type { Tape } from "./tape.ts";

/** Both default to the optimizer's own. */
export interface SearchOptions {
  /** Most iterations of one solve. */
  readonly max_iterations?: number;
  /** Convergence tolerance, relative. */
  readonly tolerance?: number;
}

/** The whole problem: min cost(x) with lo ≤ x ≤ hi and every hard limit. Lengths n are `x0.length`. */
export interface OptimizationProblem {
  /**
   * Output 0: what is minimised, soft penalties included; then one output a hard limit. Parameters are set. Exact, not
   * smooth. Foreign code in it is evaluated in its own process while the call waits; where that fails the value is NaN.
   */
  readonly exact: Tape;
  /** The same problem without corners and jumps, see nonsmooth.ts. Call its `setRun` first: it holds steps at x0, `hold` elsewhere. */
  readonly lifted: LiftedProblem;
  /** Hard limits; output 1 + k of `exact` is kept in [lower, upper], ∓Infinity where a side is open. */
  readonly limits: readonly { readonly lower: number; readonly upper: number }[];
  /** Length `exact.parameters`. */
  readonly parameters: Float64Array;
  /** Length n, in the units of the variables: where the plant is now, and what the variables may become. */
  readonly x0: Float64Array;
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  /** Thresholds, length n: one unit of movement of each variable. */
  readonly scale: Float64Array;
  /** The config of the optimizer's skill, completed by the defaults of its schema. */
  readonly config?: { readonly [key: string]: Json };
  /** What the deployment says about the search; an optimizer has defaults of its own. */
  readonly options: SearchOptions;
  /** Time left, ms; below 0 the process is about to be ended. */
  remaining(): number;
  /** True once the answer is of no use any more: return soon. */
  cancelled(): boolean;
  /** Monotonic time, ms. */
  now(): number;
  /** Uniform in [0, 1), seeded by the run, so that a run can be repeated. */
  random(): number;
}

/** An outcome is a value: a problem that cannot be solved is no exception. */
export interface OptimizationResult {
  /** acceptable: at the end of a search, but not to its tolerance. infeasible: no point holds every limit. */
  readonly status: "solved" | "acceptable" | "infeasible" | "timeout" | "failed";
  /** Length n: the best point known, whatever the status is. */
  readonly x: Float64Array;
  /** Steps of the search, and points at which the problem was computed: for people. */
  readonly iterations: number;
  readonly evaluations: number;
  /** One sentence for a person. */
  readonly message?: string;
  /** Worth of one unit: d cost / d bound of each variable (length n, ≥ 0, 0 where inactive) and of each hard limit. */
  readonly multipliers?: { readonly bounds: Float64Array; readonly limits: Float64Array };
  /** Local searches from different points, and how many of them ended at the cost of the best. */
  readonly starts?: { readonly run: number; readonly agreed: number };
}
