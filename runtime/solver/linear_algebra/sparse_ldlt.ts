/// <reference types="../core/portable.d.ts" />
import { subtractOne, subtractTwo } from "./columns.ts";
import { EliminationTree } from "./elimination_tree.ts";

/** A pivot must be at least this large relative to its column; IPOPT asks the same of MUMPS. */
const THRESHOLD: f64 = 1e-6;

/**
 * Sparse LDLᵀ of a symmetric indefinite matrix by the multifrontal method with threshold pivoting in 1×1 and 2×2 blocks
 * (Duff and Reid, ACM Trans. Math. Softw. 9, 1983). A column without an acceptable pivot is delayed to the parent's
 * front. Memory grows in the first factorisations and stays.
 */
export class SparseLdlt {
  readonly tree: EliminationTree;
  /** Entries in the slots that the tree gave out; the caller fills them. Length tree.count. */
  readonly values: Float64Array;
  negatives: i32 = 0;

  private readonly local: Int32Array;
  private front: Float64Array = new Float64Array(4096);
  private index: Int32Array = new Int32Array(64);
  /** Contribution blocks that wait for their parents: sizes, delayed columns, indices, values. */
  private readonly blockSize: Int32Array;
  private readonly blockDelayed: Int32Array;
  private blocks: i32 = 0;
  private stackIndex: Int32Array = new Int32Array(1024);
  private stackValue: Float64Array = new Float64Array(4096);
  private indexTop: i32 = 0;
  private valueTop: i32 = 0;
  /** The factors by supernode: pivots, size of the front, indices, L, and D as (diagonal, off-diagonal). */
  private readonly pivots: Int32Array;
  private readonly sizes: Int32Array;
  private readonly indexAt: Int32Array;
  private readonly valueAt: Int32Array;
  private factorIndex: Int32Array = new Int32Array(1024);
  private factors: Float64Array = new Float64Array(4096);
  private readonly diagonal: Float64Array;
  private readonly besides: Float64Array;
  private readonly work: Float64Array;
  private gathered: Float64Array = new Float64Array(64);

  constructor(n: i32, entries: i32, rows: Int32Array, columns: Int32Array, places: Int32Array) {
    const tree = new EliminationTree(n, entries, rows, columns, places);
    const supernodes = tree.supernodes;
    this.tree = tree;
    this.values = new Float64Array(tree.count);
    this.local = new Int32Array(n);
    this.blockSize = new Int32Array(supernodes + 1);
    this.blockDelayed = new Int32Array(supernodes + 1);
    this.pivots = new Int32Array(supernodes);
    this.sizes = new Int32Array(supernodes);
    this.indexAt = new Int32Array(supernodes + 1);
    this.valueAt = new Int32Array(supernodes + 1);
    this.diagonal = new Float64Array(n);
    this.besides = new Float64Array(n);
    this.work = new Float64Array(n);
  }

  /** Factorises `values`. @returns False where a pivot of the last front is below `tiny`: singular. */
  factor(tiny: f64): boolean {
    const tree = this.tree;
    this.negatives = 0;
    this.blocks = 0;
    this.indexTop = 0;
    this.valueTop = 0;
    this.indexAt[0] = 0;
    this.valueAt[0] = 0;
    let pivot: i32 = 0;
    for (let s: i32 = 0; s < tree.supernodes; s++) {
      const size = this.gather(s);
      const full = size - (tree.belowStart[s + 1] - tree.belowStart[s]);
      const done = this.eliminate(size, full, pivot, tree.above[s] < 0, tiny);
      if (done < 0) return false;
      this.pivots[s] = done;
      this.sizes[s] = size;
      this.keep(s, size, done);
      if (tree.above[s] >= 0) this.push(size, done, full);
      pivot += done;
    }
    return pivot === tree.n;
  }

  /** Overwrites b, in the order of the matrix, with the solution. */
  solve(b: Float64Array): void {
    const tree = this.tree;
    const x = this.work;
    const position = tree.position;
    for (let i: i32 = 0; i < tree.n; i++) x[position[i]] = b[i];
    const l = this.factors;
    const g = this.gathered;
    const diagonal = this.diagonal;
    const besides = this.besides;
    let pivot: i32 = 0;
    for (let s: i32 = 0; s < tree.supernodes; s++) {
      const size = this.sizes[s];
      const done = this.pivots[s];
      const at = this.indexAt[s];
      const from = this.valueAt[s];
      for (let p: i32 = 0; p < done; p++) {
        const u = x[this.factorIndex[at + p]];
        if (u === 0.0) continue;
        const column = from + p * size;
        for (let i: i32 = p + 1; i < size; i++) x[this.factorIndex[at + i]] -= l[column + i] * u;
      }
      for (let p: i32 = 0; p < done; p++) {
        const i = this.factorIndex[at + p];
        const off = besides[pivot + p];
        if (off === 0.0) {
          x[i] /= diagonal[pivot + p];
          continue;
        }
        const j = this.factorIndex[at + p + 1];
        const a = diagonal[pivot + p] / off;
        const c = diagonal[pivot + p + 1] / off;
        const scale = 1.0 / (off * (a * c - 1.0));
        const u = x[i];
        const w = x[j];
        x[i] = (c * u - w) * scale;
        x[j] = (a * w - u) * scale;
        p++;
      }
      pivot += done;
    }
    for (let s = tree.supernodes - 1; s >= 0; s--) {
      const size = this.sizes[s];
      const done = this.pivots[s];
      const at = this.indexAt[s];
      const from = this.valueAt[s];
      for (let i: i32 = 0; i < size; i++) g[i] = x[this.factorIndex[at + i]];
      for (let p = done - 1; p >= 0; p--) {
        const column = from + p * size;
        let sum = g[p];
        for (let i: i32 = p + 1; i < size; i++) sum -= l[column + i] * g[i];
        g[p] = sum;
        x[this.factorIndex[at + p]] = sum;
      }
    }
    for (let i: i32 = 0; i < tree.n; i++) b[i] = x[position[i]];
  }

  /** Assembles the front of a supernode: own columns, delayed ones of the children, rows below. @returns Its size. */
  private gather(s: i32): i32 {
    const tree = this.tree;
    const first = tree.first[s];
    const end = tree.first[s + 1];
    const from = tree.belowStart[s];
    const to = tree.belowStart[s + 1];
    const children = tree.children[s];
    let size: i32 = end - first + to - from;
    for (let c: i32 = 1; c <= children; c++) size += this.blockDelayed[this.blocks - c];
    if (size * size > this.front.length) this.front = new Float64Array(2 * size * size);
    if (size > this.index.length) this.index = new Int32Array(2 * size);
    if (size > this.gathered.length) this.gathered = new Float64Array(2 * size);
    const front = this.front;
    const index = this.index;
    const local = this.local;
    for (let k: i32 = 0; k < size * size; k++) front[k] = 0.0;
    let put: i32 = 0;
    for (let j = first; j < end; j++) {
      local[j] = put;
      index[put++] = j;
    }
    let indexAt = this.indexTop;
    for (let c: i32 = 1; c <= children; c++) {
      indexAt -= this.blockSize[this.blocks - c];
      for (let k: i32 = 0; k < this.blockDelayed[this.blocks - c]; k++) {
        const j = this.stackIndex[indexAt + k];
        local[j] = put;
        index[put++] = j;
      }
    }
    for (let k = from; k < to; k++) {
      local[tree.below[k]] = put;
      index[put++] = tree.below[k];
    }
    for (let j = first; j < end; j++) {
      const column = local[j] * size;
      for (let k = tree.start[j]; k < tree.start[j + 1]; k++) {
        front[column + local[tree.rows[k]]] += this.values[k];
      }
    }
    for (let c: i32 = 0; c < children; c++) this.extend(size);
    return size;
  }

  /** Adds the topmost contribution block to the front and drops it. */
  private extend(size: i32): void {
    const block = this.blockSize[--this.blocks];
    this.indexTop -= block;
    this.valueTop -= block * block;
    const front = this.front;
    const value = this.stackValue;
    const index = this.stackIndex;
    const local = this.local;
    for (let q: i32 = 0; q < block; q++) {
      const column = local[index[this.indexTop + q]];
      const at = this.valueTop + q * block;
      for (let p = q; p < block; p++) {
        const row = local[index[this.indexTop + p]];
        front[row > column ? column * size + row : row * size + column] += value[at + p];
      }
    }
  }

  /** Eliminates what it can of the first `full` columns. @returns How many, or −1 where the last front is singular. */
  private eliminate(size: i32, full: i32, pivot: i32, root: boolean, tiny: f64): i32 {
    let k: i32 = 0;
    let candidate: i32 = 0;
    let misses: i32 = 0;
    while (k < full) {
      const width = misses < full - k
        ? this.choose(candidate, k, size, full, tiny)
        : root
        ? this.force(k, size, tiny)
        : -1;
      if (width < 0) return root ? -1 : k;
      if (width === 0) {
        misses++;
        candidate = candidate + 1 < full ? candidate + 1 : k;
        continue;
      }
      if (width === 1) this.one(k, size, pivot + k);
      else this.two(k, size, pivot + k);
      k += width;
      candidate = k;
      misses = 0;
    }
    return k;
  }

  /** Brings a pivot with column j to the front of the remainder. @returns Its width; 0 where none is acceptable. */
  private choose(j: i32, k: i32, size: i32, full: i32, tiny: f64): i32 {
    const front = this.front;
    let partner: i32 = -1;
    let most: f64 = 0;
    for (let i = k; i < full; i++) {
      const value = Math.abs(this.entry(i, j, size));
      if (i !== j && value > most) {
        most = value;
        partner = i;
      }
    }
    for (let i = full; i < size; i++) most = Math.max(most, Math.abs(front[j * size + i]));
    const own = Math.abs(front[j * size + j]);
    if (own > tiny && own >= THRESHOLD * most) {
      this.exchange(k, j, size);
      return 1;
    }
    if (partner < 0 || !this.fits(j, partner, k, size, full, tiny)) return 0;
    this.exchange(k, j < partner ? j : partner, size);
    this.exchange(k + 1, j < partner ? partner : j, size);
    return 2;
  }

  /** With nothing left to delay to: complete pivoting (Bunch and Parlett 1971). @returns −1 where all is zero. */
  private force(k: i32, size: i32, tiny: f64): i32 {
    const front = this.front;
    let diagonal: f64 = 0;
    let at: i32 = k;
    let most: f64 = 0;
    let row: i32 = k;
    let column: i32 = k;
    for (let j = k; j < size; j++) {
      const own = Math.abs(front[j * size + j]);
      if (own > diagonal) {
        diagonal = own;
        at = j;
      }
      for (let i = j + 1; i < size; i++) {
        const value = Math.abs(front[j * size + i]);
        if (value > most) {
          most = value;
          row = i;
          column = j;
        }
      }
    }
    if (!(Math.max(diagonal, most) > tiny)) return -1;
    if (diagonal >= 0.6403882032022076 * most) {
      this.exchange(k, at, size);
      return 1;
    }
    this.exchange(k, column, size);
    this.exchange(k + 1, row, size);
    return 2;
  }

  private entry(i: i32, j: i32, size: i32): f64 {
    return i > j ? this.front[j * size + i] : this.front[i * size + j];
  }

  /** Duff and Reid's test of a 2×2 pivot: |P⁻¹|·(largest of each column) ≤ 1/u. */
  private fits(j: i32, r: i32, k: i32, size: i32, full: i32, tiny: f64): boolean {
    const u = THRESHOLD;
    const a = this.entry(j, j, size);
    const b = this.entry(r, j, size);
    const c = this.entry(r, r, size);
    if (!(Math.abs(b) > tiny)) return false;
    const det = (a / b) * c - b;
    // Here the pair would be singular to rounding.
    if (!(Math.abs(det) > 1e-10 * Math.max(Math.abs(b), Math.abs((a / b) * c)))) return false;
    let restJ: f64 = 0;
    let restR: f64 = 0;
    for (let i = k; i < size; i++) {
      if (i === j || i === r) continue;
      restJ = Math.max(restJ, Math.abs(i < full ? this.entry(i, j, size) : this.front[j * size + i]));
      restR = Math.max(restR, Math.abs(i < full ? this.entry(i, r, size) : this.front[r * size + i]));
    }
    const scale = Math.abs(b * det);
    return u * (Math.abs(c) * restJ + Math.abs(b) * restR) <= scale &&
      u * (Math.abs(b) * restJ + Math.abs(a) * restR) <= scale;
  }

  /** Exchanges rows and columns p ≤ q of the front. */
  private exchange(p: i32, q: i32, size: i32): void {
    if (p === q) return;
    const a = this.front;
    const index = this.index;
    const held = index[p];
    index[p] = index[q];
    index[q] = held;
    for (let i: i32 = 0; i < p; i++) swap(a, i * size + p, i * size + q);
    for (let i = p + 1; i < q; i++) swap(a, p * size + i, i * size + q);
    for (let i = q + 1; i < size; i++) swap(a, p * size + i, q * size + i);
    swap(a, p * size + p, q * size + q);
  }

  private one(k: i32, size: i32, pivot: i32): void {
    const a = this.front;
    const d = a[k * size + k];
    if (d < 0) this.negatives++;
    this.diagonal[pivot] = d;
    this.besides[pivot] = 0.0;
    const inverse = 1.0 / d;
    const from = k * size;
    for (let j = k + 1; j < size; j++) {
      const value = a[from + j];
      if (value === 0.0) continue;
      const u = value * inverse;
      subtractOne(a, j * size + j, from + j, size - j, u);
    }
    for (let j = k + 1; j < size; j++) a[from + j] *= inverse;
  }

  private two(k: i32, size: i32, pivot: i32): void {
    const a = this.front;
    const first = k * size;
    const second = first + size;
    const d1 = a[first + k];
    const off = a[first + k + 1];
    const d2 = a[second + k + 1];
    this.diagonal[pivot] = d1;
    this.diagonal[pivot + 1] = d2;
    this.besides[pivot] = off;
    this.besides[pivot + 1] = 0.0;
    const p = d1 / off;
    const q = d2 / off;
    const det = p * q - 1.0;
    if (det < 0) this.negatives++;
    else if (d1 < 0) this.negatives += 2;
    const scale = 1.0 / (off * det);
    for (let j = k + 2; j < size; j++) {
      const x = a[first + j];
      const y = a[second + j];
      if (x === 0.0 && y === 0.0) continue;
      const u = (q * x - y) * scale;
      const w = (p * y - x) * scale;
      subtractTwo(a, j * size + j, first + j, u, second + j, w, size - j);
    }
    for (let j = k + 2; j < size; j++) {
      const x = a[first + j];
      const y = a[second + j];
      a[first + j] = (q * x - y) * scale;
      a[second + j] = (p * y - x) * scale;
    }
    a[first + k + 1] = 0.0;
  }

  private keep(s: i32, size: i32, done: i32): void {
    const at = this.indexAt[s];
    const from = this.valueAt[s];
    this.factorIndex = roomI(this.factorIndex, at + size, at);
    this.factors = roomF(this.factors, from + size * done, from);
    const index = this.index;
    const front = this.front;
    const l = this.factors;
    for (let i: i32 = 0; i < size; i++) this.factorIndex[at + i] = index[i];
    for (let k: i32 = 0; k < size * done; k++) l[from + k] = front[k];
    this.indexAt[s + 1] = at + size;
    this.valueAt[s + 1] = from + size * done;
  }

  private push(size: i32, done: i32, full: i32): void {
    const block = size - done;
    this.blockSize[this.blocks] = block;
    this.blockDelayed[this.blocks++] = full - done;
    this.stackIndex = roomI(this.stackIndex, this.indexTop + block, this.indexTop);
    this.stackValue = roomF(this.stackValue, this.valueTop + block * block, this.valueTop);
    for (let i: i32 = 0; i < block; i++) this.stackIndex[this.indexTop + i] = this.index[done + i];
    for (let q: i32 = 0; q < block; q++) {
      const column = (done + q) * size + done;
      const to = this.valueTop + q * block;
      for (let p = q; p < block; p++) this.stackValue[to + p] = this.front[column + p];
    }
    this.indexTop += block;
    this.valueTop += block * block;
  }
}

function roomI(array: Int32Array, length: i32, used: i32): Int32Array {
  if (length <= array.length) return array;
  const larger = new Int32Array(length + (length >> 1));
  for (let i: i32 = 0; i < used; i++) larger[i] = array[i];
  return larger;
}

function roomF(array: Float64Array, length: i32, used: i32): Float64Array {
  if (length <= array.length) return array;
  const larger = new Float64Array(length + (length >> 1));
  for (let i: i32 = 0; i < used; i++) larger[i] = array[i];
  return larger;
}

function swap(a: Float64Array, i: i32, j: i32): void {
  const held = a[i];
  a[i] = a[j];
  a[j] = held;
}
