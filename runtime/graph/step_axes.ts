/**
 * The cuts of all steps as places on axes: the variables first, then the quantities that have a row. A cell is an
 * interval between two cuts on every axis; in it no step changes.
 */
import { type Forest, nextAbove, nextBelow } from "./forest.ts";
import type { StepTape } from "./step_tape.ts";
import { LEAF } from "./trees.ts";

/** Most cuts on one axis; beyond, the cells are not all that there are. */
const MOST_CUTS = 4096;

export interface Axis {
  /** The last numbers before each cut, sorted; and the first ones after it. */
  readonly cuts: Float64Array;
  readonly starts: Float64Array;
  readonly low: number;
  readonly high: number;
  readonly bits: 32 | 64;
  /** The quantity of it; −1: a variable. */
  readonly quantity: number;
}

/** A box of cells: on axis i those after the first `from[i]` cuts, and before the cut number `to[i]`. */
export interface Cell {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** A forest with the place of each comparison on the axes. By record. */
export interface PlacedForest {
  readonly forest: Forest;
  /** The axis; −1 where parameters decide. */
  readonly axis: Int32Array;
  /** The last cell of the left side: −1 where there is none, {@linkcode BEYOND} where all are. */
  readonly place: Int32Array;
  /** 1 where the left side is the yes side. */
  readonly left: Uint8Array;
}

const BEYOND = 1 << 30;

export class StepAxes {
  readonly axes: readonly Axis[];
  readonly variables: number;
  /** In the order of the tape. */
  readonly forests: readonly PlacedForest[];
  /** By quantity: whether it rises or falls with its variable in the box; undefined: it has an axis of its own. */
  readonly rising: readonly (boolean | undefined)[];
  /** Whether every cut in the box is known. */
  readonly complete: boolean;
  readonly #steps: StepTape;
  /** By quantity: its axis, and its own cuts with their places on the axis. */
  readonly #axisOf: Int32Array;
  readonly #places: readonly ReadonlyMap<number, number>[];
  /** By quantity: the largest value in the box, of those without a row. */
  readonly #tops: Float64Array;

  constructor(steps: StepTape, lo: Float64Array, hi: Float64Array, x0: Float64Array) {
    const { quantities } = this.#steps = steps;
    const bounds = steps.boxBounds();
    bounds.run(
      lo,
      hi,
      new Float64Array(steps.cost).fill(-Infinity),
      new Float64Array(steps.cost).fill(Infinity),
    );
    const found = Array.from(lo, () => new Map<number, { quantity: number; cut: number }[]>());
    const general: Axis[] = [];
    let complete = true;
    this.#axisOf = new Int32Array(quantities.length).fill(-1);
    this.#tops = new Float64Array(quantities.length);
    this.variables = lo.length;
    this.rising = quantities.map((_, k) => steps.risesIn(bounds, k));
    quantities.forEach(({ variable, bits, cuts }, k) => {
      const [low, high] = [rounded(bounds.lower[k], bits), rounded(bounds.upper[k], bits)];
      const { inside, all } = cutsWithin(cuts, low, high);
      complete &&= all;
      if (variable === -2) {
        this.#tops[k] = low;
        return;
      }
      const rising = this.rising[k];
      if (rising === undefined) {
        this.#tops[k] = high;
        this.#axisOf[k] = lo.length + general.length;
        general.push(axisOf(inside, low, high, bits, k, cuts === undefined));
        return;
      }
      this.#axisOf[k] = variable;
      const cut = new Crossing(steps, k, rising, lo[variable], hi[variable], x0);
      this.#tops[k] = cut.top;
      for (const at of inside) {
        const place = cut.before(at);
        if (place === undefined) continue;
        const here = found[variable].get(place);
        if (here === undefined) found[variable].set(place, [{ quantity: k, cut: at }]);
        else here.push({ quantity: k, cut: at });
      }
    });
    const places = quantities.map(() => new Map<number, number>());
    const own = found.map((map, i): Axis => {
      const cuts = Float64Array.from(map.keys()).sort();
      cuts.forEach((place, at) => {
        for (const { quantity, cut } of map.get(place)!) places[quantity].set(cut, at);
      });
      return axisOf(cuts, lo[i], hi[i], 64, -1);
    });
    general.forEach(({ quantity, cuts }) => cuts.forEach((cut, at) => places[quantity].set(cut, at)));
    this.axes = [...own, ...general];
    this.complete = complete;
    this.#places = places;
    this.forests = steps.forests.map(({ forest, quantities }) => this.#placed(forest, quantities));
  }

  /** All cells. */
  root(): Cell {
    return {
      from: new Int32Array(this.axes.length),
      to: Int32Array.from(this.axes, ({ cuts }) => cuts.length),
    };
  }

  /** The one cell that holds `x`. */
  cellAt(x: Float64Array): Cell {
    const from = Int32Array.from(this.axes, ({ cuts, quantity, bits }, axis) => {
      const value = quantity < 0 ? x[axis] : rounded(this.#steps.quantityAt(x, quantity), bits);
      return countBelow(cuts, value);
    });
    return { from, to: from.slice() };
  }

  /** Bounds of an axis in a cell. */
  low(axis: number, { from }: Cell): number {
    return this.edge(axis, from[axis], false);
  }

  high(axis: number, { to }: Cell): number {
    return this.edge(axis, to[axis], true);
  }

  /** The end of one cell of an axis. */
  edge(axis: number, cell: number, upper: boolean): number {
    const { cuts, starts, low, high } = this.axes[axis];
    if (upper) return cell === cuts.length ? high : cuts[cell];
    return cell === 0 ? low : starts[cell - 1];
  }

  #placed(forest: Forest, quantities: Int32Array): PlacedForest {
    const records = forest.values.length;
    const [axis, place] = [new Int32Array(records).fill(-1), new Int32Array(records).fill(BEYOND)];
    const left = new Uint8Array(records);
    for (let at = 0; at < records && quantities.length > 0; at++) {
      const word = forest.words[2 * at];
      if ((word & LEAF) !== 0) continue;
      const quantity = quantities[word >> 3];
      const cut = forest.values[at];
      axis[at] = this.#axisOf[quantity];
      left[at] = this.rising[quantity] ?? true ? 1 : 0;
      const isBelow = this.#tops[quantity] <= cut;
      place[at] = this.#places[quantity].get(cut) ?? (isBelow === (left[at] === 1) ? BEYOND : -1);
    }
    return { forest, axis, place, left };
  }

  /** The part of `cell` on one side of the cut number `place` of an axis. */
  half(cell: Cell, axis: number, place: number, upper: boolean): Cell {
    return upper
      ? { from: cell.from.with(axis, place + 1), to: cell.to }
      : { from: cell.from, to: cell.to.with(axis, place) };
  }
}

/** @param whole Whether it has integers only. */
function axisOf(
  cuts: Float64Array,
  low: number,
  high: number,
  bits: 32 | 64,
  quantity: number,
  whole = false,
): Axis {
  const starts = cuts.map((cut) => (whole ? cut + 1 : nextAbove(cut, bits)));
  return { cuts, starts, low, high, bits, quantity };
}

/** Finds where a quantity that rises or falls with one variable crosses its cuts. */
class Crossing {
  readonly #steps: StepTape;
  readonly #quantity: number;
  readonly #rising: boolean;
  readonly #x: Float64Array;
  readonly #ends: readonly [number, number];
  readonly #values: readonly [number, number];

  constructor(steps: StepTape, quantity: number, rising: boolean, lo: number, hi: number, x0: Float64Array) {
    this.#steps = steps;
    this.#quantity = quantity;
    this.#rising = rising;
    this.#x = x0.slice();
    this.#ends = [lo, hi];
    this.#values = [this.#value(lo), this.#value(hi)];
  }

  /** The largest value, as it is compared. */
  get top(): number {
    return rounded(Math.max(...this.#values), this.#steps.quantities[this.#quantity].bits);
  }

  #value(x: number): number {
    const { variable } = this.#steps.quantities[this.#quantity];
    this.#x[variable] = x;
    return this.#steps.quantityAt(this.#x, this.#quantity);
  }

  /** The last x before the cut; undefined where the whole range is on one side. */
  before(cut: number): number | undefined {
    const { bits, plain } = this.#steps.quantities[this.#quantity];
    if (plain) return lastRoundedTo(cut, bits);
    const isBefore = (value: number) => (rounded(value, bits) <= cut) === this.#rising;
    let [a, b] = this.#ends;
    const [atA, atB] = this.#values;
    if (!isBefore(atA) || isBefore(atB)) return undefined;
    // most quantities are straight lines: begin where such a line crosses, and look a little beside it
    const target = bits === 64 ? cut : (cut + nextAbove(cut, 32)) / 2;
    let guess = a + (target - atA) / (atB - atA) * (b - a);
    if (!(guess > a && guess < b)) guess = a + (b - a) / 2;
    let width = 2 * Number.EPSILON * Math.max(Math.abs(a), Math.abs(b));
    for (; guess > a && guess < b; width *= 4) {
      const before = isBefore(this.#value(guess));
      if (before) a = guess;
      else b = guess;
      if (before && guess + width < b && isBefore(this.#value(guess + width))) guess += width;
      else if (before) b = Math.min(b, guess + width);
      else guess -= width;
      if (before && b <= guess + width) break;
    }
    for (let middle = a + (b - a) / 2; middle > a && middle < b; middle = a + (b - a) / 2) {
      if (isBefore(this.#value(middle))) a = middle;
      else b = middle;
    }
    return a;
  }
}

/** The last number that is the cut, or below it, once it is rounded. */
function lastRoundedTo(cut: number, bits: 32 | 64): number {
  if (bits === 64) return cut;
  const middle = (cut + nextAbove(cut, 32)) / 2;
  return Math.fround(middle) <= cut ? middle : nextBelow(middle, 64);
}

function rounded(x: number, bits: 32 | 64): number {
  return bits === 32 ? Math.fround(x) : x;
}

/** What rounds to the number or above it. */
export function leastRounded(x: number, bits: 32 | 64): number {
  return bits === 64 ? x : x - Math.abs(x) * 2 ** -23;
}

/** What rounds to the number or below it. */
export function mostRounded(x: number, bits: 32 | 64): number {
  return bits === 64 ? x : x + Math.abs(x) * 2 ** -23;
}

/** How many of the sorted numbers lie below `value`. */
export function countBelow(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Cuts with low ≤ cut < high; without a list, every integer but the last. */
function cutsWithin(
  cuts: Float64Array | undefined,
  low: number,
  high: number,
): { inside: Float64Array; all: boolean } {
  if (cuts !== undefined) {
    return { inside: cuts.slice(countBelow(cuts, low), countBelow(cuts, high)), all: true };
  }
  const first = Math.ceil(low);
  const count = Math.ceil(high) - first;
  if (!(count > 0)) return { inside: new Float64Array(0), all: count <= 0 };
  const stride = Math.max(1, count / MOST_CUTS);
  const length = Math.min(count, MOST_CUTS);
  if (!Number.isFinite(length + first)) return { inside: new Float64Array(0), all: false };
  return {
    inside: Float64Array.from({ length }, (_, k) => first + Math.floor(k * stride)),
    all: stride === 1,
  };
}
