/** What the log says of a finished cycle. */

/** The part of a journalled cycle that is told. */
export interface LoggedCycle {
  readonly cycle_id: string;
  readonly outcome: string;
  readonly reason: { readonly code: string; readonly message: string } | null;
  readonly cost_before: number | null;
  readonly cost: number | null;
  readonly actuators: readonly {
    readonly name: string;
    readonly delta: number;
    readonly after: number;
    readonly units: string;
  }[];
}

/** Who moves less does not move. */
const MOVED = 1e-6;

/** `Cycle solved: cost -100 → -102; Kiln_Coal_PV 8.45 t/h (-0.05)`, or why there is no move. */
export function cycleLine({ outcome, reason, cost_before, cost, actuators }: LoggedCycle): string {
  if (reason !== null) return `Cycle ${outcome}: ${reason.message} (${reason.code})`;
  const moves = actuators.filter(({ delta }) => Math.abs(delta) > MOVED)
    .map(({ name, after, delta, units }) =>
      `${name} ${short(after)} ${units} (${delta > 0 ? "+" : ""}${short(delta)})`
    );
  const costs = cost_before === null || cost === null ? "" : `cost ${short(cost_before)} → ${short(cost)}; `;
  return `Cycle ${outcome}: ${costs}${moves.length === 0 ? "nothing moves" : moves.join(", ")}`;
}

function short(value: number): number {
  return Number(value.toPrecision(7));
}
