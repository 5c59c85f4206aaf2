/**
 * Who may act on an answer. Setpoint itself writes nothing into the plant: whoever does, by hand or by program, reads
 * here whether a person has to agree first.
 */
import type { Config } from "../config.ts";
import type { Outcome } from "./types.ts";

export type ControlMode = Config["optimization"]["control"];

export interface Control {
  /** By the configuration: `optimization.control`. */
  readonly requested: ControlMode;
  /** What holds for this answer: the requested one, or advisory. */
  readonly actual: ControlMode;
  /** What keeps, or would keep, a program from acting. */
  readonly reason?: string;
}

/** What is known of the models that became part of the graph. */
export interface ModelTrust {
  /** A sentence for each model whose numbers are not what its file says. */
  readonly doubts: readonly string[];
  /** A sentence for each model that nothing has vouched for yet. */
  readonly open: readonly string[];
}

export interface ControlFacts {
  readonly requested: ControlMode;
  /** Absent where no strategy is loaded. */
  readonly trust?: ModelTrust;
  /** Absent for the process as a whole. */
  readonly outcome?: Outcome;
  /** Measured variables whose value was not usable, and was replaced. */
  readonly replaced?: readonly string[];
}

export function controlOf({ requested, trust, outcome, replaced = [] }: ControlFacts): Control {
  const published = outcome === undefined || outcome === "solved" || outcome === "acceptable";
  const [reason] = [
    ...(published ? [] : [`the run ended ${outcome}`]),
    ...(trust === undefined ? ["no strategy is loaded"] : trust.doubts),
    // Whoever only advises need not wait for these.
    ...(requested === "advisory" ? [] : [
      ...replaced.map((name) => `the measurement of ${name} is not usable`),
      ...(trust?.open ?? []),
    ]),
  ];
  if (reason === undefined) return { requested, actual: requested };
  return { requested, actual: "advisory", reason };
}
