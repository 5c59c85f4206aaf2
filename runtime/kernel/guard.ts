/**
 * The kernel's own verdict on a recommended point. It knows nothing of how the point was found: bounds, limits and both
 * costs are the kernel's own evaluations.
 */
export interface GuardedPoint {
  /** The recommended point and the present one, in the order of the decisions, in plant units; length n. */
  readonly x: ArrayLike<number>;
  readonly x0: ArrayLike<number>;
  readonly lower: ArrayLike<number>;
  readonly upper: ArrayLike<number>;
  /** One unit of movement of each variable (its threshold); length n. */
  readonly scale: ArrayLike<number>;
  readonly names: readonly string[];
  /** What is minimised at x and at x0. */
  readonly cost: number;
  readonly costBefore: number;
  /** Values of the hard limits at x and at x0; length m. */
  readonly limits: readonly HardLimit[];
  readonly limitValues: ArrayLike<number>;
  readonly limitValuesBefore: ArrayLike<number>;
  /** Whether every other value of the strategy is finite at x. */
  readonly finite: boolean;
}

export interface HardLimit {
  readonly name: string;
  readonly lower: number;
  readonly upper: number;
}

/** Bounds are accepted within this many thresholds, limits within this relative excess, a cost within this rise. */
const BOUND_TOLERANCE = 1e-9;
const LIMIT_TOLERANCE = 1e-6;
const COST_TOLERANCE = 1e-9;

/** Why the point may not be published, or null where it may. */
export function refuse(point: GuardedPoint): string | null {
  const { x, cost, names } = point;
  if (x.length !== names.length) return `has ${x.length} values, expected ${names.length}`;
  for (let i = 0; i < x.length; i++) {
    if (!Number.isFinite(x[i])) return `sets "${names[i]}" to ${x[i]}, expected a finite number`;
  }
  const bound = outsideBounds(point, x);
  if (bound) return bound;
  if (!Number.isFinite(cost)) return `has the cost ${cost}, expected a finite number`;
  if (!point.finite) return "makes a value of the strategy not finite";
  const broken = point.limits.findIndex((limit, k) => excess(limit, point.limitValues[k]) > LIMIT_TOLERANCE);
  if (broken >= 0) return brokenLimit(point.limits[broken], point.limitValues[broken]);
  const rise = cost - point.costBefore;
  if (startIsAdmissible(point) && rise > COST_TOLERANCE * Math.max(1, Math.abs(point.costBefore))) {
    return `costs ${cost}, more than the ${point.costBefore} of not moving`;
  }
  return null;
}

/** Whether the present point itself holds every bound and limit and has a cost. */
export function startIsAdmissible(point: GuardedPoint): boolean {
  return Number.isFinite(point.costBefore) && outsideBounds(point, point.x0) === null &&
    point.limits.every((limit, k) => excess(limit, point.limitValuesBefore[k]) <= LIMIT_TOLERANCE);
}

/** Relative excess over a limit, 0 where it holds, Infinity where the value is not a number; relative to max(1, |limit|). */
export function excess({ lower, upper }: Pick<HardLimit, "lower" | "upper">, value: number): number {
  if (Number.isNaN(value)) return Infinity;
  if (value < lower) return (lower - value) / Math.max(1, Math.abs(lower));
  if (value > upper) return (value - upper) / Math.max(1, Math.abs(upper));
  return 0;
}

function outsideBounds({ lower, upper, scale, names }: GuardedPoint, x: ArrayLike<number>): string | null {
  for (let i = 0; i < x.length; i++) {
    const slack = BOUND_TOLERANCE * scale[i];
    if (x[i] < lower[i] - slack || x[i] > upper[i] + slack) {
      return `sets "${names[i]}" to ${x[i]}, outside ${lower[i]} to ${upper[i]}`;
    }
  }
  return null;
}

function brokenLimit({ name, lower, upper }: HardLimit, value: number): string {
  return `breaks the limit of "${name}": ${value}, expected ${lower} to ${upper}`;
}
