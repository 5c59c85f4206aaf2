import type { CellStatus } from "../cells/host.ts";
import type { Control } from "./control.ts";
import type { Note } from "../strategy/strategy.ts";

/** How a cycle ended. Only the first two are published. */
export type Outcome = "solved" | "acceptable" | "infeasible" | "timeout" | "data_rejected" | "failed";

/** Who asked for a cycle. Only `schedule` moves the timestamp of the last run. */
export type Origin = "schedule" | "api" | "cli";

/** Every variable in the predecessor's wire format. */
export interface VariableAnswer {
  readonly category: "optimizable" | "operative" | "informative" | "calculated" | "predicted" | "constraint";
  /** The present value; null where there is none. */
  readonly user_input_value: number | null;
  /** The value at the recommended point; equals the present value when nothing is published. */
  readonly optimizer_suggested_value: number | null;
  readonly delta: number | null;
  readonly units: string;
  readonly type: string;
  /** optimizable only: one unit of movement, in `units`. */
  readonly threshold?: number;
  /** optimizable only: lower and upper limit of this run, in `units`. */
  readonly bounds?: readonly [number, number];
  /** predicted only. */
  readonly model_output?: true;
  /** constraint only. */
  readonly constraint_type?: string;
  /** constraint only: var_min, op_min, op_max, var_max; null where there is none. */
  readonly constraint_bounds?: Readonly<Record<"var_min" | "op_min" | "op_max" | "var_max", number | null>>;
}

/** What an operator does: a real setpoint's present and recommended value. */
export interface Actuator {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  readonly delta: number;
  readonly units: string;
}

export interface ActiveLimit {
  readonly name: string;
  readonly kind: "bound" | "limit";
  readonly side: "lower" | "upper";
  readonly value: number;
  readonly limit: number;
  readonly units: string;
  /** What one more unit of room is worth: the fall of the cost, ≥ 0; null where that is not known. */
  readonly shadow_price: number | null;
  /** Why it is not known. */
  readonly shadow_price_reason?: string;
}

export interface Warning {
  readonly code: string;
  readonly message: string;
  readonly variable?: string;
}

/** A limit that cannot hold: its value at the point of least violation, and by how much it is missed. */
export interface Violation {
  readonly name: string;
  readonly side: "lower" | "upper";
  readonly value: number;
  readonly limit: number;
  readonly amount: number;
  readonly units: string;
  /** True: nothing within the setpoints' bounds holds it, whatever the other limits do. False: that is not known. */
  readonly alone: boolean;
}

/** One answer: POST /optimize, `optimize --json`, and what the journal keeps as the result. */
export interface Answer {
  readonly status: "success" | "infeasible" | "timeout" | "failed" | "data_rejected";
  readonly outcome: Outcome;
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  readonly cycle_id: string;
  readonly origin: Origin;
  readonly reason?: { readonly code: string; readonly message: string };
  readonly strategy: { readonly name: string; readonly version: string; readonly digest: string };
  /** Whether a program may apply the answer. */
  readonly control: Control;
  readonly solver: {
    readonly status: string;
    readonly iterations: number;
    readonly evaluations: number;
    readonly ms: number;
    /** Local searches from different points, and how many of them ended at the cost of the best. */
    readonly starts?: { readonly run: number; readonly agreed: number };
    /** What the search left open although it ended well: which cost it could not rule out. */
    readonly message?: string;
  };
  /** The exact cost at the recommended point (at the present one when nothing is published). */
  readonly cost_function_value: number | null;
  /** The exact cost at the present point. */
  readonly cost_before: number | null;
  readonly variables: Readonly<Record<string, VariableAnswer>>;
  readonly optimized_variables: Readonly<Record<string, VariableAnswer>>;
  readonly predicted_variables: Readonly<Record<string, VariableAnswer>>;
  readonly constraint_variables: Readonly<Record<string, VariableAnswer>>;
  readonly actuators: readonly Actuator[];
  readonly active_limits: readonly ActiveLimit[];
  /** infeasible only: the limits that cannot hold (several: not together), each with what it would have to give. */
  readonly violations?: readonly Violation[];
  /** infeasible only: the decisions at the point of least violation, which is what `violations` are told at. */
  readonly least_violation?: Readonly<Record<string, number>>;
  readonly warnings: readonly Warning[];
  readonly summary: {
    readonly total_variables: number;
    readonly total_variables_with_optimizer_changes: number;
    readonly total_optimizable_variables_changed: number;
    readonly total_predicted_variables: number;
    readonly total_constraints: number;
    readonly optimization_impact: string;
  };
  /** record: handing the cycle to the journal, for answers of requests. */
  readonly timing_ms: Readonly<Record<"gate" | "optimize" | "guard" | "total", number> & { record?: number }>;
}

export interface OptimizeRequest {
  /** One state of the plant: variable → number, not yet checked. */
  readonly input: unknown;
  /** A strategy as JSON in the place of the deployed one. */
  readonly config?: unknown;
  readonly origin: Exclude<Origin, "schedule">;
  readonly signal?: AbortSignal;
}

/** One journalled cycle, newest first in GET /cycles. */
export interface CycleRow {
  readonly cycle_id: string;
  readonly origin: Origin;
  readonly started_at: string;
  /** The row of process data, as found; null for API runs and where there was none. */
  readonly row_timestamp: string | null;
  readonly outcome: Outcome;
  readonly reason: { readonly code: string; readonly message: string } | null;
  readonly strategy: { readonly name: string; readonly version: string; readonly digest: string } | null;
  readonly cost_before: number | null;
  readonly cost: number | null;
  readonly actuators: readonly Actuator[];
  /** null for cycles that were journalled without it. */
  readonly control: Control | null;
  readonly timing_ms: Readonly<Record<string, number>>;
}

export interface CacheStats {
  readonly current_config_version: string | null;
  /** The predecessor's: the timestamp of the last row that was worked on. */
  readonly cached_last_run_timestamp: string | null;
  readonly cache_details: Readonly<
    Record<
      string,
      { readonly active_items: number; readonly expired_items: number; readonly total_items: number }
    >
  >;
  readonly hits: number;
  readonly misses: number;
  readonly hit_rate: number | null;
  readonly bytes: number;
  readonly max_bytes: number;
  readonly entries: number;
  readonly evictions: number;
  readonly oldest_age_s: number | null;
}

export type { CellStatus, OpenPlugin } from "../cells/host.ts";

export interface KernelStatus {
  /** Why the process is not ready, or not at its best; empty when all is well. `critical` ones make /health/ready 503. */
  readonly reasons: readonly {
    readonly code: string;
    readonly message: string;
    readonly critical: boolean;
  }[];
  readonly strategy: { readonly name: string; readonly version: string; readonly digest: string } | null;
  /** Whether a program may apply what the strategy publishes, as the last scheduled cycle left it. */
  readonly control: Control;
  readonly historian:
    | { readonly kind: string; readonly simulated: boolean; readonly connected: boolean }
    | null;
  readonly store: { readonly kind: string; readonly reachable: boolean; readonly serving_last_good: boolean };
  readonly schedule: {
    readonly period: string;
    readonly source: string;
    readonly running: boolean;
    readonly skipped: number;
  } | null;
  readonly last_cycle: CycleRow | null;
  readonly started_at: string;
  readonly uptime_s: number;
}

/** What HTTP and the command line may ask of the kernel. */
export interface Kernel {
  /** Loads the deployed strategy and starts its plugins. @throws {SetpointError} If there is none that can run. */
  load(): Promise<void>;
  /**
   * Runs one cycle on given values; journalled before it resolves.
   * @throws {SetpointError} For what the caller did wrong: INPUT_*, REQUEST_INVALID, STRATEGY_* …, with every problem.
   */
  optimize(request: OptimizeRequest): Promise<Answer>;
  /** Runs the scheduled cycle once: newest row, gate, optimize, guard, record. Never rejects, never overlaps. */
  cycle(): Promise<CycleRow>;
  /** Loads and links a strategy without activating it. @throws {SetpointError} With all problems. */
  validate(text: string, file: string): Promise<ValidationReport>;
  cycles(
    query: { readonly limit: number; readonly before?: string; readonly origin?: Origin },
  ): Promise<readonly CycleRow[]>;
  status(): KernelStatus;
  plugins(): readonly CellStatus[];
  /**
   * Ends a plugin's quarantine. @param name Its name, `name@version`, or the id of its cell. @returns The ids of the
   * cells. @throws {SetpointError} NOT_FOUND
   */
  releasePlugin(name: string): readonly string[];
  cacheStats(): CacheStats;
  /** Drops every cached artifact; the active strategy stays loaded. Gives the number of entries dropped. */
  clearCache(): Promise<number>;
  dispose(): Promise<void>;
}

export interface ValidationReport {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
  readonly variables: number;
  readonly skills: number;
  readonly decisions: readonly string[];
  /** What is worth knowing and stops nothing. */
  readonly notes: readonly Note[];
}
