/** A kernel whose plant has two numbers, for tests of what is in front of it. */
import { type Problem, SetpointError, setpointError } from "../../runtime/errors.ts";
import type { Answer, CycleRow, Kernel, KernelStatus, OptimizeRequest } from "../../runtime/kernel/types.ts";

export interface FakeKernel extends Kernel {
  /** What was asked. */
  readonly requests: OptimizeRequest[];
  /** Answers wait until it resolves. */
  gate: Promise<void> | undefined;
  /** What `status` says. */
  reasons: KernelStatus["reasons"];
}

const STRATEGY = { name: "tanks", version: "1.0.0", digest: "ab".repeat(32) };
const VARIABLES = ["coal", "feed"];

export function fakeKernel(): FakeKernel {
  const kernel: FakeKernel = {
    requests: [],
    gate: undefined,
    reasons: [],
    load: () => Promise.resolve(),
    async optimize(request) {
      kernel.requests.push(request);
      const problems = problemsOf(request.input);
      if (problems.length > 0) throw new SetpointError(problems);
      await kernel.gate;
      return answerOf(request.input as Record<string, number>);
    },
    cycle: () => Promise.reject(new Error("not asked for")),
    validate: () => Promise.reject(new Error("not asked for")),
    cycles: ({ limit }) => Promise.resolve(Array.from({ length: Math.min(limit, 3) }, (_, i) => rowOf(i))),
    status: () => ({
      reasons: kernel.reasons,
      strategy: STRATEGY,
      control: { requested: "advisory", actual: "advisory" },
      historian: { kind: "sqlite", simulated: true, connected: true },
      store: { kind: "directory", reachable: true, serving_last_good: false },
      schedule: null,
      last_cycle: null,
      started_at: "2026-01-01T00:00:00.000Z",
      uptime_s: 1,
    }),
    plugins: () => [{
      id: "builtin",
      state: "ready",
      pid: 1,
      plugins: [],
      limits: {},
      ...{
        p50_ms: null,
        p99_ms: null,
        last_failure: null,
        quarantine_ms: null,
        starts_last_hour: 1,
        heartbeat_age_ms: 5,
      },
      calls: 0,
      failures: 0,
      restarts: 0,
      rss_bytes: null,
      heap_bytes: null,
    }],
    releasePlugin(name) {
      if (name !== "shut") throw setpointError("NOT_FOUND", `Cannot release "${name}"`);
      return ["shut"];
    },
    cacheStats: () => ({
      current_config_version: "1.0.0",
      cached_last_run_timestamp: null,
      cache_details: {
        model: { active_items: 2, expired_items: 1, total_items: 3 },
        strategy: { active_items: 1, expired_items: 0, total_items: 1 },
      },
      hits: 3,
      misses: 1,
      hit_rate: 0.75,
      bytes: 1000,
      max_bytes: 100_000,
      entries: 4,
      evictions: 0,
      oldest_age_s: 1,
    }),
    clearCache: () => Promise.resolve(4),
    dispose: () => Promise.resolve(),
  };
  return kernel;
}

function problemsOf(input: unknown): Problem[] {
  const values = input as Record<string, unknown>;
  return VARIABLES.flatMap((variable): Problem[] => {
    const value = values?.[variable];
    if (value === undefined) {
      return [{ code: "INPUT_MISSING", message: `Cannot optimize: "${variable}" is missing`, variable }];
    }
    if (typeof value === "number") return [];
    return [{
      code: "INPUT_INVALID",
      message: `Cannot use ${JSON.stringify(value)} for "${variable}", expected a finite number`,
      variable,
    }];
  });
}

function answerOf({ coal, feed }: Record<string, number>): Answer {
  const value = {
    category: "predicted",
    user_input_value: 520,
    optimizer_suggested_value: 521.5,
    delta: 1.5,
    units: "A",
    type: "Predicted",
    model_output: true,
  } as const;
  return {
    status: "success",
    outcome: "solved",
    timestamp: "2026-01-01T00:00:00.000Z",
    cycle_id: "019a0000-0000-7000-8000-000000000000",
    origin: "api",
    strategy: STRATEGY,
    control: { requested: "advisory", actual: "advisory" },
    solver: { status: "solved", iterations: 8, evaluations: 9, ms: 2 },
    cost_function_value: -102,
    cost_before: -100,
    variables: { predicted_current: value },
    optimized_variables: {},
    predicted_variables: { predicted_current: value },
    constraint_variables: {},
    actuators: [
      { name: "coal", before: coal, after: coal - 0.05, delta: -0.05, units: "t/h" },
      { name: "feed", before: feed, after: feed, delta: 0, units: "t/h" },
    ],
    active_limits: [{
      name: "coal",
      kind: "bound",
      side: "lower",
      value: coal - 0.05,
      limit: coal - 0.05,
      units: "t/h",
      shadow_price: 20,
    }],
    warnings: [],
    summary: {
      total_variables: 1,
      total_variables_with_optimizer_changes: 1,
      total_optimizable_variables_changed: 0,
      total_predicted_variables: 1,
      total_constraints: 0,
      optimization_impact: "1/1 variables have optimizer suggestions different from user input",
    },
    timing_ms: { gate: 0.1, optimize: 2, guard: 0.1, record: 0.1, total: 2.3 },
  };
}

function rowOf(i: number): CycleRow {
  return {
    cycle_id: `019a0000-0000-7000-8000-00000000000${i}`,
    origin: "schedule",
    started_at: "2026-01-01T00:00:00.000Z",
    row_timestamp: null,
    outcome: "solved",
    reason: null,
    strategy: STRATEGY,
    cost_before: -100,
    cost: -102,
    actuators: [],
    control: null,
    timing_ms: {},
  };
}
