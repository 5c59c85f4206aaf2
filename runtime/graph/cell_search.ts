/**
 * Search for the least cost where foreign code gives steps: a forest of trees is constant in cells of the box. The cuts
 * between the cells are found by looking along lines and closing in on every change; then cells are compared at the point
 * of each that the rest of the cost likes best. Every round is a few large batches.
 */
import { sampleBox } from "./box_sample.ts";
import type { SearchBox } from "./pattern_search.ts";

/** A point with everything that foreign code answered for it. */
export interface Sighted {
  readonly x: Float64Array;
  readonly answers: Float64Array;
}

export interface CellBox<P extends Sighted> extends SearchBox<P> {
  /** One unit of movement of each variable. */
  readonly scale: Float64Array;
  /** Sights the points, in their order. */
  look(points: readonly Float64Array[]): P[];
  /** Where in the box the rest of the cost is least while foreign code answers as at `at`. */
  ideal(at: P): Float64Array;
}

/** The last point before a change and the first one after it. */
type Cut = readonly [number, number];

interface Gap {
  readonly base: Float64Array;
  readonly axis: number;
  readonly from: Sighted;
  readonly to: Sighted;
}

const SAMPLE = 256;
const LINES = 8;
/** Parts of the range of a variable along a line, and of a gap in every round. */
const PARTS = 32;
const SPLIT = 16;
/** Width of a gap that is a cut, in units of movement. */
const CLOSED = 1e-8;
const MOST_GAPS = 512;
/** Gaps in one part of a range that are looked into: lines may cross several cuts there. */
const MOST_ALIKE = 3;
/** Cells that are all tried; beyond, a search goes from cell to cell. */
const MOST_CELLS = 8192;
const ELITES = 4;
const PAIRS = 128;
const ROUNDS = 30;
/** Rounds of looking for cuts before the search ends where nothing new comes. */
const LEAST_ROUNDS = 2;
/** How far two points lie apart, in units of movement, whose answers are the same if they are steps. */
const BESIDE = 1e-3;
const BESIDES = 12;

/** Whether foreign code answers in steps: next to most points it gives the very same. */
export function answersInSteps<P extends Sighted>({ lo, hi, scale, random, look }: CellBox<P>): boolean {
  const points = sampleBox(lo, hi, BESIDES, 0, () => random());
  const beside = points.map((x) =>
    x.map((
      value,
      i,
    ) => (value + BESIDE * scale[i] <= hi[i]
      ? value + BESIDE * scale[i]
      : Math.max(lo[i], value - BESIDE * scale[i]))
    )
  );
  const seen = look([...points, ...beside]);
  // where nothing is answered, or no number, twice the same tells nothing
  const known = points.flatMap((_, k) => (isKnown(seen[k]) ? [alike(seen[k], seen[k + BESIDES])] : []));
  return known.length > 0 && known.filter((same) => same).length >= known.length * 0.75;
}

export interface Cells<P> {
  /** The best point of each of the best cells, best first. */
  readonly points: readonly P[];
  /** The cell that a point is in, as far as its cuts are known. */
  cellAt(x: Float64Array): { readonly lo: Float64Array; readonly hi: Float64Array };
}

/** @param seeds Points to begin with, besides a sample. */
export function cellSearch<P extends Sighted>(box: CellBox<P>, seeds: readonly Float64Array[]): Cells<P> {
  const { lo, hi, random } = box;
  let best = box.rank([...seeds, ...sampleBox(lo, hi, SAMPLE, 64, () => random())]).slice(0, LINES);
  const cuts: Cut[][] = Array.from(lo, () => []);
  const cellAt = (x: Float64Array) => ({
    lo: lo.map((low, i) => Math.max(low, ...cuts[i].map(([, after]) => (after <= x[i] ? after : low)))),
    hi: hi.map((high, i) => Math.min(high, ...cuts[i].map(([before]) => (before >= x[i] ? before : high)))),
  });
  if (best.length === 0) return { points: [], cellAt };
  for (let round = 0; round < ROUNDS && !box.stopped(); round++) {
    const spread = sampleBox(lo, hi, round === 0 ? 2 * LINES : LINES, 0, () => random());
    const bases = [...best.slice(0, round === 0 ? LINES : 2).map(({ x }) => x), ...spread];
    const learnt = learn(box, cuts, bases);
    if (round >= LEAST_ROUNDS && learnt === 0) break;
    const ideal = box.ideal(best[0]);
    const axes = cuts.map((own, i) => standIns(own, lo[i], hi[i], ideal[i]));
    const found = compare(box, axes, best);
    const same = found[0] !== undefined && found[0].x.every((x, i) => x === best[0].x[i]);
    best = found.length > 0 ? found : best;
    if (same && round >= LEAST_ROUNDS) break;
  }
  return { points: best, cellAt };
}

/** Between the cuts of an axis, the values nearest to the ideal one. */
function standIns(cuts: readonly Cut[], low: number, high: number, ideal: number): number[] {
  const ends = [low, ...cuts.toSorted((a, b) => a[0] - b[0]).flat(), high];
  const values = Array.from(
    { length: ends.length / 2 },
    (_, k) => Math.min(Math.max(ends[2 * k], ends[2 * k + 1]), Math.max(ends[2 * k], ideal)),
  );
  return [...new Set(values)];
}

function compare<P extends Sighted>(box: CellBox<P>, axes: readonly number[][], before: readonly P[]): P[] {
  const known = before.map(({ x }) => x);
  const cells = axes.reduce((product, axis) => product * axis.length, 1);
  if (cells <= MOST_CELLS) {
    const all = axes.reduce<number[][]>((points, axis) => points.flatMap((p) => axis.map((v) => [...p, v])), [
      [],
    ]);
    return box.rank([...known, ...all.map((p) => Float64Array.from(p))]).slice(0, LINES);
  }
  let best = before;
  for (let round = 0, stalled = 0; round < ROUNDS && stalled < 2 && !box.stopped(); round++) {
    const elites = best.slice(0, ELITES).map(({ x }) => x);
    const next = box.rank([...elites, ...elites.flatMap((x) => neighbours(x, axes, () => box.random()))]);
    if (next.length === 0) break;
    stalled = next[0].x === elites[0] ? stalled + 1 : 0;
    best = next.slice(0, LINES);
  }
  return [...best];
}

/** Every other cell along each axis, and random pairs of such moves. */
function neighbours(x: Float64Array, axes: readonly number[][], random: () => number): Float64Array[] {
  const single = axes.flatMap((values, i) => values.map((value) => x.with(i, value)));
  const any = (values: readonly number[]) => values[Math.floor(random() * values.length)];
  const pairs = Array.from({ length: PAIRS }, () => {
    const [i, j] = [Math.floor(random() * axes.length), Math.floor(random() * axes.length)];
    return x.with(i, any(axes[i])).with(j, any(axes[j]));
  });
  return [...single, ...pairs];
}

/** Adds the cuts that lines through the bases cross and that are not known; gives their number. */
function learn<P extends Sighted>(box: CellBox<P>, cuts: Cut[][], bases: readonly Float64Array[]): number {
  const { lo, hi, scale, random } = box;
  const shift = random();
  const marks = cuts.map((own, axis) => {
    const inside = Array.from(
      { length: PARTS },
      (_, k) => lo[axis] + (hi[axis] - lo[axis]) * (k + shift) / PARTS,
    );
    return [lo[axis], ...inside, ...own.flat(), hi[axis]].sort((a, b) => a - b);
  });
  const lines = bases.flatMap((base) => marks.map((at, axis) => ({ base, axis, at })));
  const seen = box.look(lines.flatMap(({ base, axis, at }) => at.map((value) => base.with(axis, value))));
  const counts = new Map<string, number>();
  let gaps: Gap[] = [];
  let first = 0;
  for (const { base, axis, at } of lines) {
    for (let k = 0; k + 1 < at.length; k++) {
      const [from, to] = [seen[first + k], seen[first + k + 1]];
      const key = `${axis} ${k}`;
      const count = counts.get(key) ?? 0;
      const known = at[k + 1] - at[k] <= CLOSED * scale[axis];
      if (known || count >= MOST_ALIKE || alike(from, to)) continue;
      counts.set(key, count + 1);
      gaps.push({ base, axis, from, to });
    }
    first += at.length;
  }
  let learnt = 0;
  while (gaps.length > 0 && !box.stopped()) {
    gaps = split(box, gaps.slice(0, MOST_GAPS)).filter(({ axis, from, to }) => {
      const [a, b] = [from.x[axis], to.x[axis]];
      if (b - a > CLOSED * scale[axis]) return true;
      if (!cuts[axis].some((cut) => Math.abs(cut[0] - a) <= 2 * CLOSED * scale[axis])) {
        cuts[axis].push([a, b]);
        learnt++;
      }
      return false;
    });
  }
  return learnt;
}

/** The parts of the gaps in which the answers change. */
function split<P extends Sighted>(box: CellBox<P>, gaps: readonly Gap[]): Gap[] {
  const points = gaps.flatMap(({ base, axis, from, to }) => {
    const [a, b] = [from.x[axis], to.x[axis]];
    return Array.from({ length: SPLIT - 1 }, (_, k) => base.with(axis, a + (b - a) * (k + 1) / SPLIT));
  });
  const seen = box.look(points);
  return gaps.flatMap(({ base, axis, from, to }, gap) => {
    const row = [from, ...seen.slice(gap * (SPLIT - 1), (gap + 1) * (SPLIT - 1)), to];
    return row.slice(1).flatMap((
      next,
      k,
    ) => (alike(row[k], next) ? [] : [{ base, axis, from: row[k], to: next }]));
  });
}

function isKnown({ answers }: Sighted): boolean {
  return answers.length > 0 && answers.every(Number.isFinite);
}

function alike(a: Sighted, b: Sighted): boolean {
  return a.answers.every((value, k) => Object.is(value, b.answers[k]));
}
