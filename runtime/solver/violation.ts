import type { DenseProblem } from "./dense_problem.ts";

/** A constraint that the answer does not hold. */
export interface Violation {
  /** Its index. */
  readonly constraint: number;
  /** As in `constraint_names`, else `constraint i`. */
  readonly name: string;
  /** g(x). */
  readonly value: number;
  /** The lower bound that it should be above. */
  readonly lower: number;
  /** The upper bound that it should be below. */
  readonly upper: number;
  /** By how much it is outside. */
  readonly amount: number;
}

/** Those that are violated by more than 1e-6 relative to their bound, worst first. */
export function violationsOf(
  { m, gl, gu }: DenseProblem,
  values: Float64Array,
  names: readonly string[] | undefined,
): readonly Violation[] {
  const found: Violation[] = [];
  for (let i = 0; i < m; i++) {
    const amount = Math.max(gl[i] - values[i], values[i] - gu[i]);
    const bound = values[i] < gl[i] ? gl[i] : gu[i];
    if (!(amount > 1e-6 * Math.max(1, Math.abs(bound)))) continue;
    const name = names?.[i] ?? `constraint ${i}`;
    found.push({ constraint: i, name, value: values[i], lower: gl[i], upper: gu[i], amount });
  }
  return found.sort((a, b) => b.amount - a.amount);
}

/** The worst three in words. */
export function describeViolations(violations: readonly Violation[]): string {
  const said = violations.slice(0, 3).map(({ name, amount, value, lower }) =>
    `${name} is ${amount.toPrecision(3)} ${value < lower ? "below its lower" : "above its upper"} limit`
  );
  const more = violations.length - said.length;
  return said.join(", ") + (more > 0 ? ` and ${more} more` : "");
}
