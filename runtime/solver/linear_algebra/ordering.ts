/// <reference types="../core/portable.d.ts" />
/**
 * Approximate minimum degree ordering of a symmetric pattern on its quotient graph (Amestoy, Davis and Duff, SIAM J.
 * Matrix Anal. Appl. 17, 1996), with element absorption, mass elimination and indistinguishable variables.
 */
export class Ordering {
  private readonly n: i32;
  /** Adjacency lists; a variable's list holds its elements first. Elements of later pivots go to the end. */
  private list: Int32Array;
  private free: i32 = 0;
  private readonly start: Int32Array;
  private readonly length: Int32Array;
  private readonly elements: Int32Array;
  /** Number of variables merged into each; 0: merged into another or eliminated. Negative while in the new element. */
  private readonly weight: Int32Array;
  private readonly degree: Int32Array;
  private readonly head: Int32Array;
  private readonly next: Int32Array;
  private readonly last: Int32Array;
  private readonly mark: Int32Array;
  private stamp: i32 = 0;
  /** 0 a variable, 1 a living element, 2 gone. */
  private readonly state: Int32Array;
  /** The variables merged into each, as chains. */
  private readonly chain: Int32Array;
  private readonly tail: Int32Array;
  private least: i32 = 0;
  private done: i32 = 0;
  /** Largest |Lₑ| marked and weight of the new element's variables, of the present pivot. */
  private bound: i32 = 0;
  private total: i32 = 0;
  private readonly hash: Int32Array;
  private readonly bucket: Int32Array;

  /** @param start Column pointers, length n + 1. @param rows Both triangles without the diagonal, no duplicates. */
  constructor(n: i32, start: Int32Array, rows: Int32Array) {
    this.n = n;
    const count = start[n];
    // A new element is never longer than what it absorbs; room for one full list makes compaction always enough.
    this.list = new Int32Array(count + (count >> 2) + n + n + 1);
    this.start = new Int32Array(n);
    this.length = new Int32Array(n);
    this.elements = new Int32Array(n);
    this.weight = new Int32Array(n);
    this.degree = new Int32Array(n);
    this.head = new Int32Array(n + 1);
    this.next = new Int32Array(n);
    this.last = new Int32Array(n);
    this.mark = new Int32Array(n);
    this.state = new Int32Array(n);
    this.chain = new Int32Array(n);
    this.tail = new Int32Array(n);
    this.hash = new Int32Array(n);
    this.bucket = new Int32Array(n);
    for (let k: i32 = 0; k < count; k++) this.list[k] = rows[k];
    this.free = count;
    for (let d: i32 = 0; d <= n; d++) this.head[d] = -1;
    for (let i: i32 = 0; i < n; i++) {
      this.start[i] = start[i];
      this.length[i] = start[i + 1] - start[i];
      this.weight[i] = 1;
      this.chain[i] = -1;
      this.tail[i] = i;
      this.bucket[i] = -1;
    }
    for (let i: i32 = n - 1; i >= 0; i--) this.insert(i, this.length[i]);
  }

  /** Writes the elimination order: order[k] is the k-th pivot. */
  run(order: Int32Array): void {
    let at: i32 = 0;
    while (this.done < this.n) {
      const pivot = this.pick();
      this.done += this.weight[pivot];
      this.formElement(pivot);
      this.measure(pivot);
      this.update(pivot);
      this.merge(pivot);
      this.finish(pivot);
      for (let i = pivot; i >= 0; i = this.chain[i]) order[at++] = i;
    }
  }

  private insert(i: i32, degree: i32): void {
    const d = Math.min(degree, this.n - 1) as i32;
    this.degree[i] = d;
    this.last[i] = -1;
    this.next[i] = this.head[d];
    if (this.head[d] >= 0) this.last[this.head[d]] = i;
    this.head[d] = i;
    if (d < this.least) this.least = d;
  }

  private remove(i: i32): void {
    const before = this.last[i];
    const after = this.next[i];
    if (before >= 0) this.next[before] = after;
    else this.head[this.degree[i]] = after;
    if (after >= 0) this.last[after] = before;
  }

  private pick(): i32 {
    while (this.head[this.least] < 0) this.least++;
    const pivot = this.head[this.least];
    this.remove(pivot);
    return pivot;
  }

  /** Collects the living variables around the pivot; the elements around it are absorbed. */
  private formElement(pivot: i32): void {
    const weight = this.weight;
    let room: i32 = this.length[pivot];
    for (let k: i32 = 0; k < this.elements[pivot]; k++) room += this.length[this.list[this.start[pivot] + k]];
    if (this.free + room > this.list.length) this.compact(pivot, room);
    const list = this.list;
    const from = this.start[pivot];
    const begin = this.free;
    weight[pivot] = -weight[pivot];
    for (let k: i32 = 0; k < this.length[pivot]; k++) {
      const e = list[from + k];
      if (k >= this.elements[pivot]) {
        this.take(e);
        continue;
      }
      const to = this.start[e] + this.length[e];
      for (let q = this.start[e]; q < to; q++) this.take(list[q]);
      this.state[e] = 2;
    }
    this.state[pivot] = 1;
    this.start[pivot] = begin;
    this.length[pivot] = this.free - begin;
  }

  private take(i: i32): void {
    if (this.weight[i] <= 0) return;
    this.weight[i] = -this.weight[i];
    this.list[this.free++] = i;
    this.remove(i);
  }

  /** Moves all living lists to the front. */
  private compact(pivot: i32, room: i32): void {
    const list = this.list;
    const fresh = new Int32Array(Math.max(list.length, this.free + room + this.n) as i32);
    let free: i32 = 0;
    for (let i: i32 = 0; i < this.n; i++) {
      const alive = this.state[i] === 1 || (this.state[i] === 0 && (this.weight[i] !== 0 || i === pivot));
      if (!alive) continue;
      const from = this.start[i];
      this.start[i] = free;
      for (let k: i32 = 0; k < this.length[i]; k++) fresh[free++] = list[from + k];
    }
    this.list = fresh;
    this.free = free;
  }

  /** mark[e] − stamp = |Lₑ \ Lₚ| for every element e that touches the new element. */
  private measure(pivot: i32): void {
    const list = this.list;
    const mark = this.mark;
    if (this.stamp > 1000000000) {
      this.stamp = 0;
      for (let i: i32 = 0; i < this.n; i++) mark[i] = 0;
    }
    const stamp = this.stamp + 1;
    let largest: i32 = 0;
    const to = this.start[pivot] + this.length[pivot];
    for (let q = this.start[pivot]; q < to; q++) {
      const i = list[q];
      const own = -this.weight[i];
      for (let k: i32 = 0; k < this.elements[i]; k++) {
        const e = list[this.start[i] + k];
        if (this.state[e] !== 1) continue;
        if (mark[e] < stamp) {
          mark[e] = stamp + this.degree[e];
          if (this.degree[e] > largest) largest = this.degree[e];
        }
        mark[e] -= own;
      }
    }
    this.stamp = stamp;
    this.bound = largest;
  }

  /** Prunes the lists of the new element's variables and bounds their degrees. */
  private update(pivot: i32): void {
    const list = this.list;
    const to = this.start[pivot] + this.length[pivot];
    let size: i32 = 0;
    for (let q = this.start[pivot]; q < to; q++) size -= this.weight[list[q]];
    for (let q = this.start[pivot]; q < to; q++) {
      const i = list[q];
      const own = -this.weight[i];
      const from = this.start[i];
      const end = from + this.length[i];
      const variables = from + this.elements[i];
      let put = from;
      let outside: i32 = 0;
      let hash: i32 = pivot;
      for (let k = from; k < variables; k++) {
        const e = list[k];
        if (this.state[e] !== 1) continue;
        const rest = this.mark[e] - this.stamp;
        // An element within the new one adds nothing: it is absorbed although the pivot did not touch it.
        if (rest <= 0) {
          this.state[e] = 2;
          continue;
        }
        outside += rest;
        hash += e;
        list[put++] = e;
      }
      const kept = put - from + 1;
      const firstVariable = put;
      for (let k = variables; k < end; k++) {
        const j = list[k];
        if (this.weight[j] <= 0 || this.state[j] !== 0) continue;
        outside += this.weight[j];
        hash += j;
        list[put++] = j;
      }
      if (outside === 0 && kept === 1) {
        // Same neighbours as the pivot: eliminated with it.
        this.weight[pivot] -= own;
        this.done += own;
        size -= own;
        this.join(pivot, i);
        continue;
      }
      // The new element goes behind the other elements: it takes the place of something that was pruned.
      list[put] = list[firstVariable];
      list[firstVariable] = pivot;
      this.length[i] = put + 1 - from;
      this.elements[i] = kept;
      this.degree[i] = Math.min(this.degree[i], outside) as i32;
      this.hash[i] = (hash & 0x7fffffff) % this.n;
    }
    this.total = size;
  }

  private join(into: i32, i: i32): void {
    this.weight[i] = 0;
    this.state[i] = 2;
    this.chain[this.tail[into]] = i;
    this.tail[into] = this.tail[i];
  }

  /** Variables of the new element with equal lists are merged. */
  private merge(pivot: i32): void {
    const list = this.list;
    const bucket = this.bucket;
    // All marks given so far lie within stamp + bound.
    this.stamp += this.bound + 1;
    const to = this.start[pivot] + this.length[pivot];
    for (let q = this.start[pivot]; q < to; q++) {
      const i = list[q];
      if (this.weight[i] === 0) continue;
      const h = this.hash[i];
      this.next[i] = bucket[h];
      bucket[h] = i;
    }
    for (let q = this.start[pivot]; q < to; q++) {
      const first = list[q];
      if (this.weight[first] === 0) continue;
      const h = this.hash[first];
      let i = bucket[h];
      bucket[h] = -1;
      while (i >= 0 && this.next[i] >= 0) {
        this.stamp++;
        for (let k: i32 = 0; k < this.length[i]; k++) this.mark[list[this.start[i] + k]] = this.stamp;
        let before = i;
        let j = this.next[i];
        while (j >= 0) {
          if (this.same(i, j)) {
            this.weight[i] += this.weight[j];
            this.join(i, j);
            this.next[before] = this.next[j];
          } else {
            before = j;
          }
          j = this.next[j];
        }
        i = this.next[i];
      }
    }
  }

  private same(i: i32, j: i32): boolean {
    if (this.length[i] !== this.length[j] || this.elements[i] !== this.elements[j]) return false;
    const from = this.start[j];
    for (let k: i32 = 0; k < this.length[j]; k++) {
      if (this.mark[this.list[from + k]] !== this.stamp) return false;
    }
    return true;
  }

  /** Leaves the living variables in the new element and puts them back into the degree lists. */
  private finish(pivot: i32): void {
    const list = this.list;
    const from = this.start[pivot];
    const to = from + this.length[pivot];
    let put = from;
    for (let q = from; q < to; q++) {
      const i = list[q];
      const own = -this.weight[i];
      if (own === 0) continue;
      this.weight[i] = own;
      const rest = this.total - own;
      const left = this.n - this.done - own;
      this.insert(i, Math.max(0, Math.min(left, this.degree[i] + rest)) as i32);
      list[put++] = i;
    }
    this.length[pivot] = put - from;
    this.free = put;
    this.degree[pivot] = this.total;
    this.weight[pivot] = 0;
    if (put === from) this.state[pivot] = 2;
  }
}
