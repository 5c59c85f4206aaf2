import type { LiftedProblem, Side } from "./lifted.ts";

/** The settings of the switches that the box allows. Two that differ in nothing that matters are one. */
export class BranchSettings {
  readonly #lifted: LiftedProblem;
  readonly #allowed: readonly Side[];
  readonly #seen = new Set<string>();
  /** How many switches the box leaves open. */
  readonly open: number;

  /** @param lower Bounds of z. */
  constructor(lifted: LiftedProblem, lower: Float64Array, upper: Float64Array) {
    this.#lifted = lifted;
    this.#allowed = lifted.branches.length === 0 ? [] : lifted.branchSides(lower, upper);
    this.open = this.#allowed.filter((side) => side === "undecided").length;
  }

  /** The setting with what the box decides in its place. */
  allow(sides: Uint8Array): Uint8Array {
    return sides.map((
      side,
      k,
    ) => (this.#allowed[k] === "undecided" ? side : this.#allowed[k] === "true" ? 1 : 0));
  }

  /** Whether no such setting was asked about before. Leaves the switches at it. */
  isNew(sides: Uint8Array): boolean {
    this.#lifted.setSides(sides);
    const relevant = this.#lifted.relevant();
    const key = sides.map((side, k) => (relevant[k] === 1 ? side : 2)).join("");
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }

  /** Those not seen before that differ from `first` in one switch, in two, and so on. */
  *around(first: Uint8Array): Generator<Uint8Array> {
    const waiting = [first];
    const reached = new Set([first.join("")]);
    for (let sides = waiting.shift(); sides !== undefined; sides = waiting.shift()) {
      if (this.isNew(sides)) yield sides;
      this.#lifted.setSides(sides);
      this.#lifted.relevant().forEach((relevant, k) => {
        const next = sides!.with(k, 1 - sides![k]);
        if (relevant === 0 || this.#allowed[k] !== "undecided" || reached.has(next.join(""))) return;
        reached.add(next.join(""));
        waiting.push(next);
      });
    }
  }
}
