/**
 * Search for the least cost where some of it goes in steps: roundings, conditions, forests of trees. Branch and bound
 * over boxes of cells: bounds of the tape over a box tell which boxes can hold nothing better, the most promising one is
 * cut where the steps differ most, and in a single cell the rest of the cost is minimised by a solver while the steps are
 * held. What the solver finds in a cell counts as that cell's least.
 */
import { AGREEMENT, better, byMerit, holds, noWorse, worse } from "./merit.ts";
import { sampleBox } from "./box_sample.ts";
import type { BoxBounds } from "./interval.ts";
import { type Candidate, clamp, type Judge } from "./judge.ts";
import type { Held } from "./lifted.ts";
import { type Cell, countBelow, leastRounded, mostRounded, StepAxes } from "./step_axes.ts";
import { StepLines } from "./step_lines.ts";
import { Heap, type Node, type Part } from "./step_queue.ts";
import type { StepTape } from "./step_tape.ts";

/** A box in which the steps are held. */
export interface HeldBox {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  readonly held: Held;
}

/** Minimises what is not held over a box, from a point of it. */
export type SolveBox = (box: HeldBox, from: Float64Array) => Candidate;

export interface StepSearch {
  readonly best: Candidate;
  /** Whether no cell can hold anything better, as far as bounds and local solves tell. */
  readonly complete: boolean;
  /** Whether every cell that there is was known. */
  readonly known: boolean;
  readonly boxes: number;
  readonly solved: number;
  /** No cost below it is possible; −∞ where nothing is known. */
  readonly bound: number;
}

/** Boxes that are looked at, and cells that are solved. */
const MOST_BOXES = 5000;
const MOST_SOLVED = 400;
/** Boxes after which what is not ruled out must have become smaller by this part; several times as many without large forests. */
const STRETCH = 250;
const SMALL_STRETCH = 1000;
const SMALL = 500;
const CLOSER = 0.1;
const SAMPLE = 24;
/** Points from which the search goes down axis by axis. */
const STARTS = 4;
/** Cells after whose solves other points are tried too where steps are curved, points to choose from, and how many are tried. */
const LITTLE = 48;
const POOL = 512;
const MOST_SPREAD = 150;
/** Solves after each of which the cost may be looked at more closely. */
const MOST_UNITS = 8;
/** Times without a gain that the best cell is left at random, and on how many axes. */
const KICKS = 24;
const KICKED = 3;
/** How near to the best cost, in its unit, the end of such a way down is looked at in every cell. */
const CLOSE = 0.02;
/** Cells of an axis that are tried between a point and the present value. */
const MOST_SETTLED = 64;
/** How far inside of an edge a point is cleared of it, in units of movement. */
const CLEARANCE = 1e-9;
/** Excess over a limit that a bound may show. */
const SLACK = 1e-7;
/** Distance from an edge of a cell within which a point is tried on it, in units of movement. */
const NEAR = 1e-3;
/** A row is kept so far inside of its cell, relative to max(1, |bound|): a solver ends on bounds but for rounding. */
const MARGIN = 1e-9;

/** Halvings of one cell, and solves in halves of cells in all: a second optimum in a cell is looked for where bounds allow one. */
const HALVINGS = 4;
const MOST_HALVES = 96;

export function stepSearch(judge: Judge, start: Candidate, solveBox: SolveBox): StepSearch {
  return new Search(judge, start, solveBox).run();
}

class Search {
  readonly #judge: Judge;
  readonly #steps: StepTape;
  readonly #axes: StepAxes;
  readonly #bounds: BoxBounds;
  readonly #solveBox: SolveBox;
  readonly #lines: StepLines;
  readonly #lower: Float64Array;
  readonly #upper: Float64Array;
  /** By axis. */
  readonly #totals: Float64Array;
  readonly #solvedCells = new Set<string>();
  #best: Candidate;
  /** Where the rest of the cost would like to be. */
  #ideal: Float64Array;
  #boxes = 0;
  #halved = 0;
  #covered: boolean;

  constructor(judge: Judge, start: Candidate, solveBox: SolveBox) {
    const { lo, hi, x0, lifted } = judge.problem;
    this.#judge = judge;
    this.#steps = lifted.steps!;
    this.#axes = new StepAxes(this.#steps, lo, hi, clamp(x0, judge.problem));
    this.#totals = new Float64Array(this.#axes.axes.length);
    this.#lines = new StepLines(judge, this.#axes);
    this.#bounds = this.#steps.boxBounds();
    this.#solveBox = solveBox;
    this.#lower = new Float64Array(this.#steps.cost).fill(-Infinity);
    this.#upper = new Float64Array(this.#steps.cost).fill(Infinity);
    this.#best = start;
    this.#ideal = start.x;
    this.#covered = this.#axes.complete;
  }

  run(): StepSearch {
    const found = this.#search();
    const curved = this.#axes.axes.length > this.#axes.variables;
    if (curved ? this.#solvedCells.size >= LITTLE : !found.complete) this.#spreadOut(curved);
    this.#settle();
    return { ...found, solved: this.#solvedCells.size, best: this.#best };
  }

  #search(): StepSearch {
    this.#begin();
    const open = new Heap();
    const root = this.#node(this.#whole(this.#axes.root()));
    if (root !== undefined) open.push(root);
    const leaves = this.#steps.forests.reduce((sum, { forest }) => sum + forest.leaves, 0);
    const stretch = leaves <= SMALL ? SMALL_STRETCH : STRETCH;
    let gap = Infinity;
    let next = stretch;
    while (open.size > 0 && !this.#ended()) {
      if (this.#boxes >= next) {
        const left = this.#best.cost - open.least();
        if (holds(this.#best) && left > (1 - CLOSER) * gap) break;
        [gap, next] = [left, this.#boxes + stretch];
      }
      const node = open.pop();
      if (!this.#promises(node.bound)) return this.#result(true, node.bound);
      if (node.branch === undefined) {
        const parts = node.values === undefined ? this.#cut(node) : [];
        if (parts.length > 0) {
          this.#try(node);
          for (const part of parts) open.push(part);
          continue;
        }
        this.#covered &&= node.values !== undefined;
        this.#leaf(node);
        for (const half of this.#halves(node)) open.push(half);
        continue;
      }
      this.#try(node);
      for (const upper of [false, true]) {
        const child = this.#node(
          this.#whole(this.#axes.half(node, node.branch.axis, node.branch.place, upper)),
        );
        if (child !== undefined && this.#promises(child.bound)) open.push(child);
      }
    }
    return this.#result(open.size === 0, open.size === 0 ? this.#best.cost : open.least());
  }

  #result(complete: boolean, bound: number): StepSearch {
    return {
      best: this.#best,
      complete: complete && this.#covered,
      known: this.#covered,
      boxes: this.#boxes,
      solved: this.#solvedCells.size,
      bound,
    };
  }

  /** The first points: where the rest of the cost would be at the present steps, and the best cells around a sample. */
  #begin(): void {
    const { lo, hi, random } = this.#judge.problem;
    const sample = sampleBox(lo, hi, SAMPLE, 0, () => random());
    let points = this.#judge.judgeAll(sample).sort(byMerit);
    if (this.#judge.measure(this.#best, points)) {
      points = this.#judge.judgeAll(sample).sort(byMerit);
      this.#best = this.#judge.judge(this.#best.x);
    }
    const free = this.#solveBox({
      lo,
      hi,
      held: this.#heldIn(undefined, this.#steps.heldAt(this.#best.x).slice()),
    }, this.#best.x);
    this.#ideal = free.x;
    this.#take(free);
    this.#solveCell(this.#axes.cellAt(this.#best.x), this.#best.x);
    for (let k = 0; k < MOST_UNITS && holds(this.#best) && this.#judge.weaken(this.#best, points); k++) {
      this.#solveIn(this.#axes.cellAt(this.#best.x), this.#best.x);
    }
    const ends = [this.#best, ...points.slice(0, STARTS - 1)].map(({ x }) => this.#descend(x));
    for (const end of ends) this.#solveCell(this.#axes.cellAt(end.x), end.x);
    this.#kick();
  }

  /** From cell to cell along one axis after the other, as long as something is gained. */
  #descend(from: Float64Array): Candidate {
    const down = (x: Float64Array, fine: boolean) =>
      this.#judge.judge(this.#lines.descend(x, this.#ideal, fine, () => this.#judge.stopped()));
    let end = down(from, false);
    const close = { ...end, cost: end.cost - CLOSE * this.#judge.unit };
    if (!worse(close, this.#best)) end = down(end.x, true);
    this.#take(end);
    return end;
  }

  /** Leaves the best cell on some axes at random, and goes down again from there. */
  #kick(): void {
    const { random } = this.#judge.problem;
    const { axes, variables } = this.#axes;
    const open = axes.slice(0, variables).flatMap(({ cuts }, axis) => (cuts.length > 0 ? [axis] : []));
    for (let without = 0; without < KICKS && open.length > 0 && !this.#judge.stopped(); without++) {
      const x = this.#best.x.slice();
      for (let k = 0; k < KICKED; k++) {
        const axis = open[Math.floor(open.length * random())];
        const { low, high } = axes[axis];
        x[axis] = low + (high - low) * random();
      }
      const before = this.#best;
      const end = this.#descend(x);
      if (this.#best === before) continue;
      this.#solveCell(this.#axes.cellAt(end.x), end.x);
      without = 0;
    }
  }

  /** From the best points in the best cells of a sample, any others and some near the best one, and in the cells around the best. */
  #spreadOut(curved: boolean): void {
    const { lo, hi, random } = this.#judge.problem;
    const pool = this.#judge.judgeAll(sampleBox(lo, hi, POOL, 0, () => random())).sort(byMerit);
    const nearby = () => {
      const width = 0.1 + 0.4 * random();
      return clamp(
        this.#best.x.map((x, i) => x + (2 * random() - 1) * width * (hi[i] - lo[i])),
        this.#judge.problem,
      );
    };
    const cells = new Map(pool.toReversed().map((point) => [String(this.#axes.cellAt(point.x).from), point]));
    const firsts = [...cells.values()].sort(byMerit);
    this.#around();
    for (let k = 0; k < MOST_SPREAD && !this.#judge.stopped(); k++) {
      const from =
        [firsts[Math.floor(k / 3) % firsts.length].x, pool[Math.floor(random() * POOL)].x, nearby()][k % 3];
      const before = this.#best;
      if (curved) this.#solveIn(this.#axes.cellAt(from), from);
      else this.#descend(from);
      if (this.#best !== before) this.#around();
    }
  }

  /** Every cell beside the best one, as long as one is a gain. */
  #around(): void {
    const { axes } = this.#axes;
    for (let turn = 0; turn < 2 * axes.length && !this.#judge.stopped(); turn++) {
      const axis = turn >> 1;
      const own = this.#axes.cellAt(this.#best.x);
      const next = own.from[axis] + (turn % 2 === 0 ? -1 : 1);
      if (next < 0 || next > axes[axis].cuts.length) continue;
      const beside = own.from.with(axis, next);
      const node = this.#node(this.#whole({ from: beside, to: beside }));
      if (node?.values === undefined || !this.#promises(node.bound)) continue;
      const before = this.#best;
      this.#solveCell(node, before.x, node.values);
      if (this.#best !== before) turn = -1;
    }
  }

  /** Of cells that cost the same on one axis, the one nearest to the present value: a move that buys nothing is none. */
  #settle(): void {
    const { x0 } = this.#judge.problem;
    for (let axis = 0; axis < this.#axes.variables && holds(this.#best); axis++) {
      const { cuts } = this.#axes.axes[axis];
      const [present, own] = [countBelow(cuts, x0[axis]), countBelow(cuts, this.#best.x[axis])];
      const stride = Math.max(1, Math.abs(own - present) / MOST_SETTLED);
      for (let away = 0; away <= Math.abs(own - present) && !this.#judge.stopped(); away += stride) {
        const cell = present + Math.sign(own - present) * Math.floor(away);
        const [low, high] = [this.#axes.edge(axis, cell, false), this.#axes.edge(axis, cell, true)];
        const value = Math.min(high, Math.max(low, x0[axis]));
        if (Math.abs(value - x0[axis]) >= Math.abs(this.#best.x[axis] - x0[axis])) break;
        const next = this.#judge.judge(this.#best.x.with(axis, value), this.#best.solve);
        if (!noWorse(next, this.#best)) continue;
        this.#best = next;
        break;
      }
      this.#clear(axis);
    }
  }

  /** A point on an edge that is no number that somebody wrote stays a little inside of it: others may round. */
  #clear(axis: number): void {
    const { cuts } = this.#axes.axes[axis];
    const value = this.#best.x[axis];
    if (Number(value.toPrecision(12)) === value) return;
    const cell = countBelow(cuts, value);
    const [low, high] = [this.#axes.edge(axis, cell, false), this.#axes.edge(axis, cell, true)];
    const { lo, hi, scale } = this.#judge.problem;
    const inward = value === low && low > lo[axis] ? 1 : value === high && high < hi[axis] ? -1 : 0;
    const moved = value + inward * CLEARANCE * scale[axis];
    if (inward === 0 || moved <= low || moved >= high) return;
    const next = this.#judge.judge(this.#best.x.with(axis, moved), this.#best.solve);
    if (noWorse(next, this.#best)) this.#best = next;
  }

  #ended(): boolean {
    return this.#judge.stopped() || this.#boxes >= MOST_BOXES || this.#solvedCells.size >= MOST_SOLVED;
  }

  #promises(bound: number): boolean {
    return !holds(this.#best) ||
      bound < this.#best.cost - AGREEMENT * this.#judge.unit;
  }

  #take(next: Candidate): boolean {
    const best = better(next, this.#best);
    if (best === this.#best) return false;
    this.#best = best;
    return true;
  }

  /** Looks at the point of the box that the rest of the cost likes best. */
  #try(cell: Part): void {
    const point = this.#judge.judge(clamp(this.#ideal, cell));
    if (this.#take(point)) this.#solveCell(this.#axes.cellAt(point.x), point.x);
  }

  #leaf(node: Node): void {
    const point = this.#judge.judge(clamp(this.#ideal, node));
    this.#take(point);
    // nothing in the cell is better than its bound
    if (!this.#promises(node.bound)) return;
    if (node.halvings === 0) {
      this.#solveCell(node, point.x, node.values);
      return;
    }
    const middle = node.lo.map((low, i) => (low + node.hi[i]) / 2);
    const end = this.#solveBox({
      ...node,
      held: this.#heldIn(node, node.values ?? this.#steps.heldAt(middle).slice()),
    }, middle);
    if (this.#take(end)) this.#ideal = end.x;
  }

  /** Halves of a cell in which bounds allow something better than what was found, across its longest side. */
  #halves(node: Node): Node[] {
    if (node.values === undefined || node.halvings === HALVINGS || !this.#promises(node.bound)) return [];
    if (this.#halved + 2 > MOST_HALVES) return [];
    const halves = this.#cut(node).filter(({ values }) => values !== undefined);
    this.#halved += halves.length;
    return halves;
  }

  /** What is promising of both halves of a box across its longest side; nothing where it is too small. */
  #cut(node: Node): Node[] {
    const { scale } = this.#judge.problem;
    const lengths = node.lo.map((low, i) => (node.hi[i] - low) / scale[i]);
    const axis = lengths.indexOf(Math.max(...lengths));
    if (!(lengths[axis] > NEAR)) return [];
    const middle = (node.lo[axis] + node.hi[axis]) / 2;
    const halvings = node.halvings + 1;
    const parts = [
      { ...node, hi: node.hi.with(axis, middle), halvings },
      { ...node, lo: node.lo.with(axis, middle), halvings },
    ];
    this.#take(this.#judge.judge(node.lo.map((low, i) => (low + node.hi[i]) / 2)));
    return parts.flatMap((part) => {
      const half = this.#node(part);
      return half !== undefined && this.#promises(half.bound) ? [half] : [];
    });
  }

  /** @param values Of the steps in the cell. Default: those at `from`, which is in it. */
  #solveCell(cell: Cell, from: Float64Array, values?: Float64Array): void {
    const key = `${cell.from} ${cell.to}`;
    if (this.#judge.stopped() || this.#solvedCells.has(key)) return;
    this.#solvedCells.add(key);
    this.#solveIn(cell, from, values);
  }

  #solveIn(cell: Cell, from: Float64Array, values?: Float64Array): void {
    const { lo, hi } = this.#boxOf(cell);
    const inside = clamp(from, { lo, hi });
    const held = this.#heldIn(cell, values ?? this.#steps.heldAt(inside).slice());
    const end = this.#solveBox({ lo, hi, held }, inside);
    if (this.#take(end)) this.#ideal = end.x;
    // a barrier stays a little inside of the cell, and the clearance of the solver's bounds may carry it just outside
    const { scale } = this.#judge.problem;
    const edge = clamp(end.x, { lo, hi }).map((x, i) =>
      x - lo[i] <= NEAR * scale[i] ? lo[i] : hi[i] - x <= NEAR * scale[i] ? hi[i] : x
    );
    if (edge.every((x, i) => x === end.x[i])) return;
    const next = this.#judge.judge(edge, end.solve);
    if (next.x !== this.#best.x && (noWorse(next, this.#best) || better(next, this.#best) === next)) {
      this.#best = next;
    }
  }

  #whole(cell: Cell): Part {
    return { ...cell, ...this.#boxOf(cell), halvings: 0 };
  }

  #boxOf(cell: Cell): { lo: Float64Array; hi: Float64Array } {
    const { lo, hi } = this.#judge.problem;
    return { lo: lo.map((_, i) => this.#axes.low(i, cell)), hi: hi.map((_, i) => this.#axes.high(i, cell)) };
  }

  /** Held values, and what has a row kept within `cell`. */
  #heldIn(cell: Cell | undefined, values: Float64Array): Held {
    const { quantities } = this.#steps;
    const lower = new Float64Array(quantities.length).fill(-Infinity);
    const upper = new Float64Array(quantities.length).fill(Infinity);
    this.#axes.axes.forEach(({ quantity, cuts }, axis) => {
      if (cell === undefined || quantity < 0) return;
      const [low, high] = this.#smoothWithin(axis, cell);
      const margin = high - low > 1e-6 ? MARGIN * Math.max(1, Math.abs(low), Math.abs(high)) : 0;
      if (cell.from[axis] > 0) lower[quantity] = low + margin;
      if (cell.to[axis] < cuts.length) upper[quantity] = high - margin;
    });
    return { values, lower, upper };
  }

  /** Bounds of the smooth number behind the quantity of an axis. */
  #smoothWithin(axis: number, cell: Cell): [number, number] {
    const { unit, below, above } = this.#steps.quantities[this.#axes.axes[axis].quantity];
    return [unit * (this.#axes.low(axis, cell) + below), unit * (this.#axes.high(axis, cell) + above)];
  }

  /** The cell with what is known of it; undefined where it can hold nothing that keeps the limits. */
  #node(cell: Part): Node | undefined {
    this.#boxes++;
    this.#axes.axes.forEach(({ quantity, bits, cuts }, axis) => {
      if (quantity < 0) return;
      const [first, last] = [cell.from[axis] === 0, cell.to[axis] === cuts.length];
      const smooth = this.#steps.quantities.length + quantity;
      const [low, high] = this.#smoothWithin(axis, cell);
      this.#lower[quantity] = first ? -Infinity : leastRounded(this.#axes.low(axis, cell), bits);
      this.#upper[quantity] = last ? Infinity : mostRounded(this.#axes.high(axis, cell), bits);
      this.#lower[smooth] = first ? -Infinity : low - MARGIN * Math.max(1, Math.abs(low));
      this.#upper[smooth] = last ? Infinity : high + MARGIN * Math.max(1, Math.abs(high));
    });
    this.#bounds.run(cell.lo, cell.hi, this.#lower, this.#upper);
    const { lower, upper } = this.#bounds;
    const { cost, held, heldElements } = this.#steps;
    for (let k = 0; k < cost; k++) if (lower[k] > upper[k]) return undefined;
    const { limits } = this.#judge.problem;
    for (let k = 0; k < limits.length; k++) {
      const [low, high] = [lower[cost + 1 + k], upper[cost + 1 + k]];
      const limit = limits[k];
      if (low > limit.upper + SLACK * Math.max(1, Math.abs(limit.upper))) return undefined;
      if (high < limit.lower - SLACK * Math.max(1, Math.abs(limit.lower))) return undefined;
    }
    let decided = true;
    for (let k = held; k < held + heldElements; k++) decided &&= lower[k] === upper[k];
    const bound = lower[cost];
    const values = decided ? lower.slice(held, held + heldElements) : undefined;
    return { ...cell, bound, values, branch: decided ? undefined : this.#branch(cell) };
  }

  /** Where to cut: on the axis on which the forests differ most, at the middle of the weight; else on the longest other axis. */
  #branch(cell: Cell): Node["branch"] {
    const totals = this.#totals.fill(0);
    this.#eachOpen(cell, (axis, _, spread) => totals[axis] += spread);
    const axis = totals.indexOf(Math.max(...totals));
    if (totals[axis] > 0) {
      const own: { readonly place: number; readonly spread: number }[] = [];
      this.#eachOpen(cell, (each, place, spread) => {
        if (each === axis) own.push({ place, spread });
      });
      own.sort((a, b) => a.place - b.place);
      let half = totals[axis] / 2;
      return { axis, place: (own.find(({ spread }) => (half -= spread) <= 0) ?? own[0]).place };
    }
    let best: Node["branch"];
    let longest = 0;
    for (let axis = 0; axis < this.#axes.axes.length; axis++) {
      const count = cell.to[axis] - cell.from[axis];
      if (count <= longest) continue;
      longest = count;
      best = { axis, place: (cell.from[axis] + cell.to[axis]) >> 1 };
    }
    return best;
  }

  /** The trees that differ in a box whose bounds were made last, by the axis of the first comparison that goes both ways. */
  #eachOpen(cell: Cell, visit: (axis: number, place: number, spread: number) => void): void {
    for (const { forest, axis, place } of this.#axes.forests) {
      for (let tree = 0; tree < forest.roots.length; tree++) {
        const at = forest.firstOpen(tree);
        if (at < 0 || axis[at] < 0) continue;
        if (place[at] >= cell.from[axis[at]] && place[at] < cell.to[axis[at]]) {
          visit(axis[at], place[at], forest.spread(tree));
        }
      }
    }
  }
}
