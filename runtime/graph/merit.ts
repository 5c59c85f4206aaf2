/** Which of two points is better, by cost and by how far hard limits are broken. */

export interface Judged {
  readonly cost: number;
  /** Largest relative excess over a hard limit; 0 where all hold. */
  readonly violation: number;
  /** What differences of the cost are measured in. Default max(1, |cost|). */
  readonly unit?: number;
}

/** An excess that counts as holding: a tenth of what the guard accepts. */
const FEASIBLE = 1e-7;
/** Fall of the cost, in its unit, below which a point is no better. */
const WORTHWHILE = 1e-9;
/** The same below which two starts agree. */
export const AGREEMENT = 1e-6;

/** Feasible before infeasible, then by cost, or by violation. A difference that is not worthwhile keeps `b`. */
export function better<T extends Judged>(a: T, b: T): T {
  const aHolds = holds(a);
  const bHolds = holds(b);
  if (aHolds !== bHolds) return aHolds ? a : b;
  if (!aHolds) return worse(b, a) || Number.isNaN(b.cost) ? a : b;
  return a.cost < b.cost - WORTHWHILE * unitOf(a, b) ? a : b;
}

export function holds({ cost, violation }: Judged): boolean {
  return violation <= FEASIBLE && Number.isFinite(cost);
}

/**
 * Whether `a` may take the place of `b`: it holds as well, and what it costs more is not worth telling. Where it lies less
 * far outside a limit it may cost more: what `b` saves there is no merit.
 */
export function noWorse(a: Judged, b: Judged): boolean {
  const loss = a.violation < b.violation ? AGREEMENT : WORTHWHILE;
  return holds(a) && (!holds(b) || a.cost <= b.cost + loss * unitOf(a, b));
}

/** Whether `a` is told apart from `b`, and worse. */
export function worse(a: Judged, b: Judged): boolean {
  if (holds(a) && holds(b)) return a.cost > b.cost + AGREEMENT * unitOf(a, b);
  return a.violation > b.violation * (1 + AGREEMENT) + FEASIBLE;
}

/** The lesser of two: a point that was judged before may have been judged in what is too large by now. */
function unitOf(a: Judged, b: Judged): number {
  const own = ({ cost, unit = Math.max(1, Math.abs(cost)) }: Judged) => unit;
  return Math.min(own(a), own(b));
}

/** For sorting: best first, and last what cannot be computed. */
export function byMerit(a: Judged, b: Judged): number {
  const lost = Number(Number.isNaN(a.cost)) - Number(Number.isNaN(b.cost));
  return lost || (holds(a) && holds(b) ? 0 : a.violation - b.violation) || a.cost - b.cost || 0;
}
