/**
 * Costs along lines in the direction of one variable, cell by cell. A forest's values in all cells of a line take one
 * walk through the few branches that the line meets, and the rest of the cost is a tape without the forests.
 */
import type { Judge } from "./judge.ts";
import { better, type Judged } from "./merit.ts";
import { countBelow, type PlacedForest, type StepAxes } from "./step_axes.ts";
import type { StepTape } from "./step_tape.ts";
import { LEAF } from "./trees.ts";

const MOST_ROUNDS = 8;
/** Cells of one line that are all tried, and how many levels of a forest's value are told apart beyond. */
const MOST_CELLS = 256;
const LEVELS = 128;

export class StepLines {
  readonly #judge: Judge;
  readonly #axes: StepAxes;
  readonly #steps: StepTape;
  readonly #forests: readonly PlacedForest[];
  /** The branches of a line that are still to be walked: record, first and last cell. */
  readonly #open: Int32Array;
  /** Variables, then values of the forests. */
  readonly #point: Float64Array;
  readonly #out: Float64Array;
  /** By value of a forest: the sum of its leaves in each cell of a line. */
  readonly #changes: Float64Array[];
  #numbers = new Int32Array(0);
  readonly #cells: Int32Array;

  constructor(judge: Judge, axes: StepAxes) {
    const steps = judge.problem.lifted.steps!;
    this.#judge = judge;
    this.#axes = axes;
    this.#steps = steps;
    this.#forests = steps.given.map((k) => axes.forests[k]);
    const deepest = Math.max(0, ...this.#forests.map(({ forest }) => forest.depth));
    this.#open = new Int32Array(3 * (deepest + 2));
    this.#point = new Float64Array(steps.rest.variables);
    this.#out = new Float64Array(steps.rest.outputs);
    this.#cells = new Int32Array(axes.variables);
    const longest = Math.max(...axes.axes.map(({ cuts }) => cuts.length));
    const values = this.#forests.reduce((sum, { forest }) => sum + forest.outputs, 0);
    this.#changes = Array.from({ length: values }, () => new Float64Array(longest + 2));
  }

  /**
   * The end of the way down from `from`: on each axis in turn the best cell, in it the value nearest to `ideal`.
   * @param fine Whether every cell is tried where there are very many.
   */
  descend(from: Float64Array, ideal: Float64Array, fine: boolean, stopped: () => boolean): Float64Array {
    const { variables, axes } = this.#axes;
    const point = this.#point;
    point.set(from);
    for (let i = 0; i < variables; i++) this.#cells[i] = countBelow(axes[i].cuts, from[i]);
    let best: Judged | undefined;
    let still = 0;
    for (let turn = 0; turn < MOST_ROUNDS * variables && still < variables && !stopped(); turn++) {
      const next = this.#along(turn % variables, ideal, fine, best);
      still = next === best ? still + 1 : 1;
      best = next;
    }
    return point.slice(0, variables);
  }

  /** Moves to the best cell of one axis where that is a gain. */
  #along(axis: number, ideal: Float64Array, fine: boolean, before: Judged | undefined): Judged | undefined {
    const { cuts, starts, low, high } = this.#axes.axes[axis];
    const point = this.#point;
    const own = point[axis];
    const wanted = ideal[axis];
    const limited = this.#out.length > 1;
    let [best, bestCell, bestX] = [before, this.#cells[axis], own];
    this.#walk(axis, cuts.length);
    const tried = fine ? undefined : this.#chosen(cuts.length + 1, countBelow(cuts, wanted));
    for (const cell of tried ?? this.#all(cuts.length + 1)) {
      this.#give(cell);
      const from = cell === 0 ? low : starts[cell - 1];
      const to = cell === cuts.length ? high : cuts[cell];
      const stays = before === undefined && cell === this.#cells[axis];
      point[axis] = stays ? own : wanted < from ? from : wanted > to ? to : wanted;
      this.#steps.rest.value(point, this.#out);
      const cost = this.#out[0];
      if (!limited && best !== undefined && cost >= best.cost) continue;
      const next = { cost, violation: this.#judge.violation(this.#out), unit: this.#judge.unit };
      if (best === undefined || better(next, best) === next) {
        [best, bestCell, bestX] = [next, cell, point[axis]];
      }
    }
    point[axis] = bestX;
    this.#cells[axis] = bestCell;
    return best;
  }

  #all(cells: number): Int32Array {
    while (this.#numbers.length < cells) {
      this.#numbers = Int32Array.from({ length: 2 * cells }, (_, cell) => cell);
    }
    return this.#numbers.subarray(0, cells);
  }

  /**
   * Where one forest has very many cells on a line: of those with much the same value the one nearest to the cell
   * that the rest likes best. Undefined where all are to be tried.
   */
  #chosen(cells: number, liked: number): Int32Array | undefined {
    if (this.#changes.length !== 1 || cells <= MOST_CELLS) return undefined;
    const [values] = this.#changes;
    let [least, most] = [Infinity, -Infinity];
    for (let cell = 0; cell < cells; cell++) {
      least = Math.min(least, values[cell]);
      most = Math.max(most, values[cell]);
    }
    const nearest = new Int32Array(LEVELS).fill(-1);
    const factor = most > least ? (LEVELS - 1) / (most - least) : 0;
    for (let cell = 0; cell < cells; cell++) {
      const level = Math.round((values[cell] - least) * factor);
      if (nearest[level] < 0 || Math.abs(cell - liked) < Math.abs(nearest[level] - liked)) {
        nearest[level] = cell;
      }
    }
    return nearest.filter((cell) => cell >= 0);
  }

  /** Puts the values of the forests in a cell into the point. */
  #give(cell: number): void {
    const { variables } = this.#axes;
    let k = 0;
    for (const { forest } of this.#forests) {
      const count = forest.aggregate === "AVERAGE" ? forest.roots.length : 1;
      for (let output = 0; output < forest.outputs; output++, k++) {
        this.#point[variables + k] = this.#changes[k][cell] / count + forest.base[output];
      }
    }
  }

  /** The sums of the forests' leaves in every cell of an axis, the other axes being where they are. */
  #walk(axis: number, last: number): void {
    for (const changes of this.#changes) changes.fill(0, 0, last + 2);
    let first = 0;
    const open = this.#open;
    for (const { forest, axis: axes, place, left } of this.#forests) {
      const { words, values, roots } = forest;
      for (let tree = 0; tree < roots.length; tree++) {
        let count = 0;
        open[count++] = roots[tree];
        open[count++] = 0;
        open[count++] = last;
        while (count > 0) {
          let to = open[--count];
          const from = open[--count];
          let at = open[--count];
          while ((words[2 * at] & LEAF) === 0) {
            const isLeft = left[at] === 1;
            const cut = place[at];
            if (axes[at] !== axis) {
              const cell = axes[at] < 0 ? 0 : this.#cells[axes[at]];
              at = cell <= cut === isLeft ? at + 1 : words[2 * at + 1];
            } else if (cut >= to || cut < from) {
              at = cut >= to === isLeft ? at + 1 : words[2 * at + 1];
            } else {
              open[count++] = isLeft ? words[2 * at + 1] : at + 1;
              open[count++] = cut + 1;
              open[count++] = to;
              to = cut;
              at = isLeft ? at + 1 : words[2 * at + 1];
            }
          }
          for (;; at++) {
            const changes = this.#changes[first + (words[2 * at] >> 3)];
            changes[from] += values[at];
            changes[to + 1] -= values[at];
            if ((words[2 * at] & 7) === LEAF) break;
          }
        }
      }
      first += forest.outputs;
    }
    for (const changes of this.#changes) {
      for (let cell = 1; cell <= last; cell++) changes[cell] += changes[cell - 1];
    }
  }
}
