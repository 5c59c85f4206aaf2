import type { CycleRecord } from "../journal/cycle.ts";
import type { Control } from "./control.ts";
import type { Activation } from "./activation.ts";
import type { Verdict } from "./gate.ts";
import type { RunResult } from "./run.ts";
import type { Answer, CycleRow, Origin, Outcome } from "./types.ts";

export interface Cycle {
  readonly id: string;
  readonly origin: Origin;
  /** ms since 1970-01-01 UTC. */
  readonly startedAt: number;
  readonly rowTimestamp: string | null;
  /** As found. */
  readonly inputs: unknown;
  readonly verdicts: readonly Verdict[];
}

/** What a journalled result holds beside the inputs: enough to show the cycle and to run it again bit for bit. */
interface StoredResult {
  readonly cost_before: number | null;
  readonly cost: number | null;
  readonly actuators: Answer["actuators"];
  readonly active_limits?: Answer["active_limits"];
  readonly violations?: Answer["violations"];
  readonly solver?: Answer["solver"];
  readonly warnings?: Answer["warnings"];
  readonly control?: Control;
  /** In the order of the decisions. */
  readonly x0?: Float64Array;
  readonly x?: Float64Array;
  readonly lower?: Float64Array;
  readonly upper?: Float64Array;
}

/** A cycle that came to an answer. */
export function recordOf(cycle: Cycle, activation: Activation, run: RunResult, answer: Answer): CycleRecord {
  const { cost_before, cost_function_value: cost, actuators, active_limits } = answer;
  const { violations, solver, warnings, control } = answer;
  const { x0, x, lower, upper } = run;
  const result: StoredResult = {
    cost_before,
    cost,
    actuators,
    active_limits,
    violations,
    solver,
    warnings,
    control,
    x0,
    x,
    lower,
    upper,
  };
  return {
    ...cycle,
    outcome: run.outcome,
    reason: answer.reason ? printReason(answer.reason) : null,
    strategy: activation.identity,
    result,
    timings: answer.timing_ms,
    details: { artifacts: activation.artifacts },
  };
}

/** A cycle that came to no answer. */
export function recordWithout(
  cycle: Cycle,
  activation: Activation | undefined,
  outcome: Outcome,
  reason: { code: string; message: string },
  control: Control,
  timings: Readonly<Record<string, number>>,
): CycleRecord {
  const result: StoredResult = { cost_before: null, cost: null, actuators: [], control };
  return {
    ...cycle,
    outcome,
    reason: printReason(reason),
    strategy: activation?.identity ?? null,
    result,
    timings,
  };
}

export function rowOf(record: CycleRecord): CycleRow {
  const { cost_before, cost, actuators, control = null } = record.result as StoredResult;
  return {
    cycle_id: record.id,
    origin: record.origin,
    started_at: new Date(record.startedAt).toISOString(),
    row_timestamp: record.rowTimestamp,
    outcome: record.outcome as Outcome,
    reason: record.reason === null ? null : parseReason(record.reason),
    strategy: record.strategy,
    cost_before,
    cost,
    actuators,
    control,
    timing_ms: record.timings as Readonly<Record<string, number>>,
  };
}

/** The measured values of a journalled cycle that its gate had nothing against. */
export function goodInputs({ inputs, verdicts }: CycleRecord): [string, number][] {
  const bad = new Set((verdicts as readonly Verdict[]).map(({ variable }) => variable));
  return Object.entries(inputs as Readonly<Record<string, unknown>>).filter((
    entry,
  ): entry is [string, number] =>
    typeof entry[1] === "number" && Number.isFinite(entry[1]) && !bad.has(entry[0])
  );
}

function printReason({ code, message }: { code: string; message: string }): string {
  return `${code}: ${message}`;
}

function parseReason(text: string): { code: string; message: string } {
  const at = text.indexOf(": ");
  return { code: text.slice(0, at), message: text.slice(at + 2) };
}
