import type { Clock } from "../clock.ts";
import { SetpointError } from "../errors.ts";
import type { Historian, Row } from "../historian/historian.ts";
import type { CycleRecord, LastRun } from "../journal/cycle.ts";
import type { Activation } from "./activation.ts";
import { answerOf } from "./answer.ts";
import { type ControlMode, controlOf } from "./control.ts";
import { excess } from "./guard.ts";
import type { LinkedStrategy } from "../strategy/linked.ts";
import { gate, type GateResult } from "./gate.ts";
import { type Cycle, recordOf, recordWithout } from "./record.ts";
import { runOnce, type RunResult } from "./run.ts";
import type { Answer, Origin, Outcome, Warning } from "./types.ts";

/** A value that is outside of a range by less, relative to max(1, |limit|), lies on its end. */
const OUTSIDE = 1e-6;

/** A cycle that is over: what goes into the journal, and for a caller the answer. */
export interface Finished {
  readonly record: CycleRecord;
  /** Absent where the data were rejected. */
  readonly answer?: Answer;
  /** Where the last run timestamp moves to; absent where it stays. */
  readonly lastRun?: LastRun;
}

export interface StateRequest {
  readonly origin: Origin;
  readonly row: Row | null;
  /** Variable → value, as found. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly ageS?: number;
  readonly held?: (name: string) => number | undefined;
  readonly warnings?: readonly Warning[];
  readonly deadlineMs: number;
  /** What is asked for. Default advisory. */
  readonly control?: ControlMode;
  readonly signal?: AbortSignal;
}

/** Gate, optimize and guard on one state of the plant. */
export async function runState(
  clock: Clock,
  activation: Activation,
  request: StateRequest,
): Promise<Finished & { readonly gated: GateResult }> {
  const began = clock.monotonic();
  const { row, origin, values, control: requested = "advisory" } = request;
  const gated = gate(activation.measuredVariables, request);
  const cycle: Cycle = {
    id: clock.uuid(),
    origin,
    startedAt: clock.now(),
    rowTimestamp: row?.text ?? null,
    inputs: Object.fromEntries(
      activation.linked.measured.flatMap((name) => Object.hasOwn(values, name) ? [[name, values[name]]] : []),
    ),
    verdicts: gated.verdicts,
  };
  const lastRun = origin === "schedule" && row !== null ? { micros: row.micros, text: row.text } : undefined;
  const gateMs = clock.monotonic() - began;
  if (gated.problems.length > 0) {
    const [{ code }] = gated.problems;
    const message = gated.problems.map((problem) => problem.message).join("; ");
    const control = controlOf({ requested, trust: activation.trust, outcome: "data_rejected" });
    const timings = { gate: gateMs, total: gateMs };
    const record = recordWithout(cycle, activation, "data_rejected", { code, message }, control, timings);
    return { record, lastRun, gated };
  }
  const run = await runOnce(clock, activation, { ...request, measured: gated.values });
  const timing = { gate: gateMs, ...run.timing, total: clock.monotonic() - began };
  const control = controlOf({
    requested,
    trust: activation.trust,
    outcome: run.outcome,
    replaced: gated.verdicts.map(({ variable }) => variable),
  });
  const answer = answerOf(activation, run, {
    control,
    cycleId: cycle.id,
    origin,
    now: cycle.startedAt,
    measured: gated.values,
    warnings: [...(request.warnings ?? []), ...gated.warnings, ...runWarnings(activation, run)],
    timing,
  });
  return { record: recordOf(cycle, activation, run, answer), answer, lastRun, gated };
}

/** What an operator should see with every answer: doubts about strategy and models, and what became of rounding. */
function runWarnings({ linked, trust }: Activation, { rounded, after }: RunResult): Warning[] {
  const lasting: Warning[] = [
    ...extrapolations(linked, after),
    ...trust.doubts.map((message) => ({ code: "MODEL_DOUBTED", message })),
    ...linked.notes.filter(({ level }) => level === "warning")
      .map(({ code, message, variable }) => ({ code, message, ...(variable !== undefined && { variable }) })),
  ];
  if (rounded) return lasting;
  const message = "Rounding or a deadband would have broken a limit; the setpoints are as they were computed";
  return [...lasting, { code: "NOT_ROUNDED", message }];
}

/** Models invent where they have seen nothing. */
function extrapolations({ limits }: LinkedStrategy, values: Float64Array): Warning[] {
  return limits.flatMap((limit): Warning[] => {
    const { training, variable, skill, units, lower, upper, output } = limit;
    const value = values[output];
    if (!training || !Number.isFinite(value) || excess(limit, value) <= OUTSIDE) return [];
    const message =
      `The model of ${skill} is used outside of its training range: ${variable} is ${
        printed(value)
      }, trained with ` +
      `${printed(lower)} to ${printed(upper)} ${units}`;
    return [{ code: "MODEL_EXTRAPOLATES", message: message.trimEnd(), variable }];
  });
}

/** As a person reads it. */
function printed(value: number): string {
  return String(Number(value.toPrecision(6)));
}

export interface ScheduledCycle {
  readonly clock: Clock;
  readonly historian: Historian;
  readonly lastRun: LastRun | null;
  /** undefined: no strategy can run. */
  readonly activation: Activation | undefined;
  readonly held: (name: string) => number | undefined;
  readonly deadlineMs: number;
  readonly control?: ControlMode;
  readonly signal: AbortSignal;
}

/** Reads the newest row after the last run and works on it. Every way in which that can fail is an outcome. */
export async function runScheduled(
  cycle: ScheduledCycle,
): Promise<Finished & { readonly gated?: GateResult }> {
  const { clock, historian, activation, lastRun, signal } = cycle;
  const began = clock.monotonic();
  const without = (outcome: Outcome, code: string, message: string): Finished => {
    const blank = {
      id: clock.uuid(),
      origin: "schedule" as const,
      startedAt: clock.now(),
      rowTimestamp: null,
      inputs: {},
      verdicts: [],
    };
    const total = clock.monotonic() - began;
    const control = controlOf({ requested: cycle.control ?? "advisory", trust: activation?.trust, outcome });
    return { record: recordWithout(blank, activation, outcome, { code, message }, control, { total }) };
  };
  if (activation === undefined) {
    return without("failed", "ARTIFACT_MISSING", "Cannot run a cycle: no strategy is loaded");
  }
  let row: Row | null;
  try {
    row = await historian.newestAfter(lastRun, activation.linked.measured, signal);
  } catch (error) {
    if (!(error instanceof SetpointError)) {
      return without(
        "failed",
        "HISTORIAN_UNREACHABLE",
        `Cannot read process data: ${(error as Error).message}`,
      );
    }
    return without("data_rejected", error.code, error.message);
  }
  if (row === null) {
    const since = lastRun === null ? "there is none" : `none is newer than ${lastRun.text}`;
    return without(
      "data_rejected",
      "NO_NEW_ROW",
      `Cannot run a cycle without a row of process data: ${since}`,
    );
  }
  const ageS = (clock.now() - row.timestamp) / 1000;
  try {
    return await runState(clock, activation, { ...cycle, origin: "schedule", row, values: row.values, ageS });
  } catch (error) {
    const why = signal.aborted ? "the process ends" : (error as Error).message;
    return without("failed", "EVALUATION_FAILED", `Cannot finish the cycle: ${why}`);
  }
}
