/// <reference types="../core/portable.d.ts" />
import { Ordering } from "./ordering.ts";

/** Columns of a supernode that a parent may take in although that adds zeros. */
const RELAXED: i32 = 8;

/**
 * The symbolic side of a sparse factorisation: a fill-reducing order, its elimination tree (Liu, SIAM J. Matrix Anal.
 * Appl. 11, 1990), and supernodes: runs of columns that are factorised as one dense front.
 */
export class EliminationTree {
  readonly n: i32;
  /** Position of each row of the matrix in the elimination. */
  readonly position: Int32Array;
  /** Lower triangle in elimination order with the diagonal: columns and their rows. */
  readonly start: Int32Array;
  readonly rows: Int32Array;
  count: i32 = 0;
  supernodes: i32 = 0;
  /** First column of each supernode, length supernodes + 1. */
  readonly first: Int32Array;
  /** Supernode above each, −1 at a root. */
  readonly above: Int32Array;
  /** Rows below the columns of each supernode, ascending: below[belowStart[s]] … */
  readonly belowStart: Int32Array;
  below: Int32Array;
  /** Children of each supernode: they precede it directly in the order of the stack. */
  readonly children: Int32Array;

  /** @param rows @param columns Entries of one triangle in any order, duplicates allowed; places gets their slots. */
  constructor(n: i32, entries: i32, rows: Int32Array, columns: Int32Array, places: Int32Array) {
    this.n = n;
    this.position = new Int32Array(n);
    this.start = new Int32Array(n + 1);
    this.rows = new Int32Array(entries + n);
    this.first = new Int32Array(n + 1);
    this.above = new Int32Array(n);
    this.belowStart = new Int32Array(n + 1);
    this.below = new Int32Array(1);
    this.children = new Int32Array(n);
    const order = new Int32Array(n);
    orderByDegree(n, entries, rows, columns, order);
    for (let k: i32 = 0; k < n; k++) this.position[order[k]] = k;
    this.compress(entries, rows, columns, places);
    const parent = new Int32Array(n);
    this.findParents(parent);
    const post = new Int32Array(n);
    postorder(n, parent, post);
    for (let k: i32 = 0; k < n; k++) this.position[order[post[k]]] = k;
    this.compress(entries, rows, columns, places);
    this.findParents(parent);
    this.findSupernodes(parent);
  }

  /** Fills start and rows by counting; duplicates share a slot. */
  private compress(entries: i32, rows: Int32Array, columns: Int32Array, places: Int32Array): void {
    const n = this.n;
    const position = this.position;
    const start = this.start;
    // Sorted by row first, then by column: two stable passes leave every column ascending.
    const byRow = new Int32Array(entries + n);
    const counts = new Int32Array(n + 1);
    for (let k: i32 = 0; k < entries + n; k++) counts[this.rowOf(k, entries, rows, columns)]++;
    sumUp(n, counts);
    for (let k: i32 = 0; k < entries + n; k++) byRow[counts[this.rowOf(k, entries, rows, columns)]++] = k;
    for (let j: i32 = 0; j <= n; j++) counts[j] = 0;
    for (let k: i32 = 0; k < entries + n; k++) counts[this.columnOf(k, entries, rows, columns)]++;
    sumUp(n, counts);
    const sorted = new Int32Array(entries + n);
    for (let q: i32 = 0; q < entries + n; q++) {
      const k = byRow[q];
      sorted[counts[this.columnOf(k, entries, rows, columns)]++] = k;
    }
    let slot: i32 = -1;
    let column: i32 = -1;
    for (let q: i32 = 0; q < entries + n; q++) {
      const k = sorted[q];
      const r = this.rowOf(k, entries, rows, columns);
      const c = this.columnOf(k, entries, rows, columns);
      if (c !== column || r !== this.rows[slot]) {
        slot++;
        this.rows[slot] = r;
        while (column < c) start[++column] = slot;
      }
      if (k < entries) places[k] = slot;
    }
    while (column < n) start[++column] = slot + 1;
    this.count = slot + 1;
    if (position.length === 0) start[0] = 0;
  }

  private rowOf(k: i32, entries: i32, rows: Int32Array, columns: Int32Array): i32 {
    if (k >= entries) return this.position[k - entries];
    const r = this.position[rows[k]];
    const c = this.position[columns[k]];
    return r > c ? r : c;
  }

  private columnOf(k: i32, entries: i32, rows: Int32Array, columns: Int32Array): i32 {
    if (k >= entries) return this.position[k - entries];
    const r = this.position[rows[k]];
    const c = this.position[columns[k]];
    return r > c ? c : r;
  }

  /** Liu's algorithm: rows in ascending order, with path compression through virtual ancestors. */
  private findParents(parent: Int32Array): void {
    const n = this.n;
    const ancestor = new Int32Array(n);
    const count = new Int32Array(n + 1);
    const byRow = new Int32Array(this.count);
    for (let k: i32 = 0; k < this.count; k++) count[this.rows[k]]++;
    sumUp(n, count);
    for (let j: i32 = 0; j < n; j++) {
      for (let k = this.start[j]; k < this.start[j + 1]; k++) byRow[count[this.rows[k]]++] = j;
    }
    let k: i32 = 0;
    for (let i: i32 = 0; i < n; i++) {
      parent[i] = -1;
      ancestor[i] = -1;
      for (; k < count[i]; k++) {
        let j = byRow[k];
        while (j >= 0 && j < i) {
          const up = ancestor[j];
          ancestor[j] = i;
          if (up < 0) parent[j] = i;
          j = up;
        }
      }
    }
  }

  private findSupernodes(parent: Int32Array): void {
    const n = this.n;
    const start = this.start;
    const lengths = new Int32Array(n);
    this.countColumns(parent, lengths);
    const offspring = new Int32Array(n);
    for (let j: i32 = 0; j < n; j++) if (parent[j] >= 0) offspring[parent[j]]++;
    // Fundamental supernodes, with a chain of small columns taken together even where that adds a few zeros.
    const home = new Int32Array(n);
    let s: i32 = -1;
    let zeros: i32 = 0;
    for (let j: i32 = 0; j < n; j++) {
      const chained = j > 0 && parent[j - 1] === j && offspring[j] === 1;
      const extra = j > 0 ? lengths[j] + 1 - lengths[j - 1] : 0;
      const width = s >= 0 ? j - this.first[s] : 0;
      if (chained && extra * width + zeros <= (width < RELAXED ? 2 * RELAXED : 0)) {
        zeros += extra * width;
      } else {
        this.first[++s] = j;
        zeros = 0;
      }
      home[j] = s;
    }
    this.supernodes = s + 1;
    this.first[s + 1] = n;
    let room: i32 = 0;
    for (let t: i32 = 0; t <= s; t++) {
      const end = this.first[t + 1] - 1;
      const up = parent[end];
      this.above[t] = up >= 0 ? home[up] : -1;
      if (up >= 0) this.children[home[up]]++;
      room += lengths[end];
    }
    this.below = new Int32Array(room + 1);
    const seen = new Int32Array(n);
    for (let i: i32 = 0; i < n; i++) seen[i] = -1;
    const firstChild = new Int32Array(s + 1);
    const nextChild = new Int32Array(s + 1);
    for (let t: i32 = 0; t <= s; t++) firstChild[t] = -1;
    for (let t: i32 = s; t >= 0; t--) {
      const up = this.above[t];
      if (up < 0) continue;
      nextChild[t] = firstChild[up];
      firstChild[up] = t;
    }
    let put: i32 = 0;
    for (let t: i32 = 0; t <= s; t++) {
      const end = this.first[t + 1];
      const begin = put;
      for (let j = this.first[t]; j < end; j++) {
        for (let k = start[j]; k < start[j + 1]; k++) {
          const i = this.rows[k];
          if (i >= end && seen[i] !== t) {
            seen[i] = t;
            this.below[put++] = i;
          }
        }
      }
      for (let c = firstChild[t]; c >= 0; c = nextChild[c]) {
        for (let k = this.belowStart[c]; k < this.belowStart[c + 1]; k++) {
          const i = this.below[k];
          if (i >= end && seen[i] !== t) {
            seen[i] = t;
            this.below[put++] = i;
          }
        }
      }
      this.below.subarray(begin, put).sort();
      this.belowStart[t + 1] = put;
    }
  }

  /** Number of rows below the diagonal of each column of the factor, by walking the row subtrees. */
  private countColumns(parent: Int32Array, lengths: Int32Array): void {
    const n = this.n;
    const seen = new Int32Array(n);
    for (let i: i32 = 0; i < n; i++) seen[i] = -1;
    const count = new Int32Array(n + 1);
    const byRow = new Int32Array(this.count);
    for (let k: i32 = 0; k < this.count; k++) count[this.rows[k]]++;
    sumUp(n, count);
    for (let j: i32 = 0; j < n; j++) {
      for (let k = this.start[j]; k < this.start[j + 1]; k++) byRow[count[this.rows[k]]++] = j;
    }
    let k: i32 = 0;
    for (let i: i32 = 0; i < n; i++) {
      seen[i] = i;
      for (; k < count[i]; k++) {
        let j = byRow[k];
        while (seen[j] !== i) {
          seen[j] = i;
          lengths[j]++;
          j = parent[j];
        }
      }
    }
  }
}

/** Turns counts into first places: counts[i] = Σ of those before. */
function sumUp(n: i32, counts: Int32Array): void {
  let sum: i32 = 0;
  for (let i: i32 = 0; i <= n; i++) {
    const here = counts[i];
    counts[i] = sum;
    sum += here;
  }
}

/** Rows with more entries than this times √n are eliminated last: looking at them again and again would be quadratic. */
const FULL_ROW: f64 = 10;

function orderByDegree(n: i32, entries: i32, rows: Int32Array, columns: Int32Array, order: Int32Array): void {
  const degree = new Int32Array(n);
  for (let k: i32 = 0; k < entries; k++) {
    if (rows[k] === columns[k]) continue;
    degree[rows[k]]++;
    degree[columns[k]]++;
  }
  const most = Math.max(16, FULL_ROW * Math.sqrt(n as f64));
  // The others by their places in the graph that is left.
  const place = new Int32Array(n);
  const name = new Int32Array(n);
  let kept: i32 = 0;
  let last: i32 = n;
  for (let i: i32 = n - 1; i >= 0; i--) {
    place[i] = degree[i] as f64 > most ? -1 : 0;
    if (place[i] < 0) order[--last] = i;
  }
  for (let i: i32 = 0; i < n; i++) {
    if (place[i] < 0) continue;
    place[i] = kept;
    name[kept++] = i;
  }
  const counts = new Int32Array(kept + 1);
  for (let k: i32 = 0; k < entries; k++) {
    const r = place[rows[k]];
    const c = place[columns[k]];
    if (r === c || r < 0 || c < 0) continue;
    counts[r]++;
    counts[c]++;
  }
  sumUp(kept, counts);
  const full = new Int32Array(counts[kept]);
  const end = counts.slice(0);
  for (let k: i32 = 0; k < entries; k++) {
    const r = place[rows[k]];
    const c = place[columns[k]];
    if (r === c || r < 0 || c < 0) continue;
    full[end[r]++] = c;
    full[end[c]++] = r;
  }
  const seen = new Int32Array(kept);
  for (let i: i32 = 0; i < kept; i++) seen[i] = -1;
  const start = new Int32Array(kept + 1);
  let put: i32 = 0;
  for (let i: i32 = 0; i < kept; i++) {
    start[i] = put;
    for (let k = counts[i]; k < end[i]; k++) {
      const j = full[k];
      if (seen[j] === i) continue;
      seen[j] = i;
      full[put++] = j;
    }
  }
  start[kept] = put;
  const among = new Int32Array(kept);
  new Ordering(kept, start, full).run(among);
  for (let k: i32 = 0; k < kept; k++) order[k] = name[among[k]];
}

function postorder(n: i32, parent: Int32Array, post: Int32Array): void {
  const head = new Int32Array(n);
  const next = new Int32Array(n);
  const stack = new Int32Array(n);
  for (let i: i32 = 0; i < n; i++) head[i] = -1;
  for (let i: i32 = n - 1; i >= 0; i--) {
    if (parent[i] < 0) continue;
    next[i] = head[parent[i]];
    head[parent[i]] = i;
  }
  let put: i32 = 0;
  for (let root: i32 = 0; root < n; root++) {
    if (parent[root] >= 0) continue;
    let depth: i32 = 0;
    stack[0] = root;
    while (depth >= 0) {
      const i = stack[depth];
      const child = head[i];
      if (child < 0) {
        post[put++] = i;
        depth--;
      } else {
        head[i] = next[child];
        stack[++depth] = child;
      }
    }
  }
}
