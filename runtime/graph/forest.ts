/**
 * Decision trees over a vector: every tree leads to a leaf by comparing elements with thresholds, and the leaves' weights
 * are put together by output. Comparisons are ONNX Runtime's, in 32 or 64 bits.
 *
 * The flat form is five numbers of header (bits, aggregate, trees, records, 0), the base value of each output, then two
 * numbers a record. Trees stand one behind the other, each in the order root, yes side, no side; so cycles, shared nodes
 * and indices outside cannot be written down. A record: a threshold, or the weight of a leaf; then mode, the flag of
 * missing values, element or output, and the place of the no side, packed into one integer.
 */
import { GraphError } from "./graph_error.ts";
import { applyTrees, EQ, FOREST_HEADER as HEADER, LE, LEAF, MISSING, MORE, TREES_HEADER } from "./trees.ts";

/** How the leaves become a value, as trees.ts numbers them. Sums in 64 bits. */
export const AGGREGATES = ["SUM", "AVERAGE", "MIN", "MAX"] as const;
export type Aggregate = (typeof AGGREGATES)[number];

const PLACES = 2 ** 24;
const ELEMENTS = 2 ** 20;

/** A tree as a reader of files gives it. */
export type Branch = Split | Leaf;

export interface Split {
  readonly kind: "le" | "eq";
  readonly feature: number;
  readonly threshold: number;
  /** Whether NaN goes to the yes side; else to the no side. */
  readonly missing: boolean;
  readonly yes: () => Branch;
  readonly no: () => Branch;
}

export interface Leaf {
  readonly kind: "leaf";
  /** By output; an output that is not named gets 0. */
  readonly weights: readonly { readonly output: number; readonly weight: number }[];
}

export interface ForestSpec {
  /** Precision of the comparisons: the vector is rounded to it first. */
  readonly bits: 32 | 64;
  readonly aggregate: Aggregate;
  /** One an output, added to its aggregate. */
  readonly base: readonly number[];
  readonly trees: readonly Branch[];
}

/** @param most Largest number of records. @throws {GraphError} FOREST if there are more, or no trees. */
export function encodeForest(spec: ForestSpec, most = 1 << 20): Float64Array {
  const values: number[] = [];
  const words: number[] = [];
  const write = (value: number, mode: number, element: number) => {
    if (values.length === Math.min(most, PLACES)) throw broken(`it has more than ${most} nodes`);
    values.push(value);
    return words.push(mode + 8 * element) - 1;
  };
  for (const root of spec.trees) {
    const open: { readonly branch: () => Branch; readonly parent: number }[] = [
      { branch: () => root, parent: -1 },
    ];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (next.parent >= 0) words[next.parent] += 8 * ELEMENTS * words.length;
      const branch = next.branch();
      if (branch.kind === "leaf") {
        const weights = new Map<number, number>(branch.weights.length === 0 ? [[0, 0]] : []);
        for (const { output, weight } of branch.weights) {
          weights.set(output, (weights.get(output) ?? 0) + weight);
        }
        let left = weights.size;
        for (const [output, weight] of [...weights].sort((a, b) => a[0] - b[0])) {
          write(weight, --left > 0 ? MORE : LEAF, output);
        }
      } else {
        const mode = (branch.kind === "le" ? LE : EQ) + (branch.missing ? MISSING : 0);
        const parent = write(branch.threshold, mode, branch.feature);
        open.push({ branch: branch.no, parent }, { branch: branch.yes, parent: -1 });
      }
    }
  }
  const { bits, aggregate, base, trees } = spec;
  return Float64Array.from([
    bits,
    AGGREGATES.indexOf(aggregate),
    trees.length,
    words.length,
    0,
    ...base,
    ...words.flatMap((word, i) => [values[i], word]),
  ]);
}

const known = new WeakMap<Float64Array, Forest>();

/** The forest in `data`, which is read once and not changed any more. @throws {GraphError} FOREST */
export function forestOf(data: Float64Array, inputs: number, outputs: number): Forest {
  let forest = known.get(data);
  if (forest?.inputs !== inputs || forest.outputs !== outputs) {
    forest = new Forest(data, inputs, outputs);
    known.set(data, forest);
  }
  return forest;
}

/** A checked forest, ready to be evaluated. Its scratch memory is its own: one thread, one forest. */
export class Forest {
  readonly inputs: number;
  readonly outputs: number;
  readonly bits: 32 | 64;
  readonly aggregate: Aggregate;
  /** First record of each tree. */
  readonly roots: Int32Array;
  /** Leaves of all trees, and the most comparisons on the way to one. */
  readonly leaves: number;
  readonly depth: number;
  /** As trees.ts wants them; `words` are those of the records. */
  readonly ints: Int32Array;
  readonly words: Int32Array;
  /** By record: the threshold or the weight. */
  readonly values: Float64Array;
  /** By output. */
  readonly base: Float64Array;
  /** Whether every comparison is ≤. */
  readonly ordered: boolean;
  readonly #data: Float64Array;
  /** By record, for one output: the least and the most of the leaves behind it. */
  readonly #leastBehind: Float64Array;
  readonly #mostBehind: Float64Array;
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #least: Float64Array;
  readonly #most: Float64Array;
  readonly #named: Int32Array;
  readonly #open: Int32Array;
  readonly #firstOpen: Int32Array;
  readonly #spread: Float64Array;

  /** @throws {GraphError} FOREST if `data` is no forest of `inputs` elements and `outputs` values. */
  constructor(data: Float64Array, inputs: number, outputs: number) {
    const [bits, aggregate, trees, records] = data;
    if (!Number.isInteger(trees) || !Number.isInteger(records)) throw broken("its counts are no counts");
    if (bits !== 32 && bits !== 64) throw broken(`its comparisons have ${bits} bits`);
    if (AGGREGATES[aggregate] === undefined) throw broken("its aggregate is unknown");
    if (data.length !== HEADER + outputs + 2 * records || !(trees >= 1 && trees <= records)) {
      throw broken("its length does not fit its counts");
    }
    this.inputs = inputs;
    this.outputs = outputs;
    this.bits = bits;
    this.aggregate = AGGREGATES[aggregate];
    this.ints = new Int32Array(TREES_HEADER + trees + 2 * records);
    this.ints.set([bits, aggregate, outputs, trees, records]);
    this.roots = this.ints.subarray(TREES_HEADER, TREES_HEADER + trees);
    this.words = this.ints.subarray(TREES_HEADER + trees);
    this.#data = data;
    this.base = data.subarray(HEADER, HEADER + outputs);
    this.values = new Float64Array(records);
    const { leaves, depth } = this.#read(data.subarray(HEADER + outputs));
    this.leaves = leaves;
    this.ordered = !this.words.some((word, i) => i % 2 === 0 && (word & (LEAF | EQ)) === EQ);
    this.depth = depth;
    [this.#leastBehind, this.#mostBehind] = outputs === 1 ? this.#behind() : [this.values, this.values];
    [this.#low, this.#high] = [new Float64Array(inputs), new Float64Array(inputs)];
    [this.#least, this.#most] = [new Float64Array(outputs), new Float64Array(outputs)];
    this.#named = new Int32Array(outputs);
    this.#open = new Int32Array(depth + 1);
    this.#firstOpen = new Int32Array(trees);
    this.#spread = new Float64Array(trees);
  }

  /** Reads the records; no sides are where the yes sides end, or it is no tree. */
  #read(records: Float64Array): { leaves: number; depth: number } {
    const open: { readonly no: number; readonly depth: number }[] = [];
    const every = this.aggregate === "MIN" || this.aggregate === "MAX";
    let [depth, deepest, leaves, weights, trees, root] = [0, 0, 0, 0, 0, true];
    for (let i = 0; i < records.length / 2; i++) {
      const [value, word] = [records[2 * i], records[2 * i + 1]];
      const [mode, rest] = [word % 8, Math.floor(word / 8)];
      const [element, no] = [rest % ELEMENTS, Math.floor(rest / ELEMENTS)];
      const leaf = (mode & 3) >= LEAF;
      if (!(word >= 0 && Number.isInteger(word)) || Number.isNaN(value) || leaf && mode >= MISSING) {
        throw broken(`node ${i} is no node`);
      }
      if (element >= (leaf ? this.outputs : this.inputs)) {
        throw broken(`node ${i} names ${leaf ? "output" : "element"} ${element}`);
      }
      if (leaf && !Number.isFinite(value)) throw broken(`leaf ${i} has the weight ${value}`);
      this.values[i] = value;
      this.words[2 * i] = mode + 8 * element;
      this.words[2 * i + 1] = no;
      if (root && trees < this.roots.length) this.roots[trees] = i;
      if (root) trees++;
      root = false;
      if (!leaf) {
        if (weights > 0) throw broken(`node ${i} stands in the middle of a leaf`);
        open.push({ no, depth: ++depth });
        deepest = Math.max(deepest, depth);
        continue;
      }
      if (weights++ > 0 && element <= this.words[2 * i - 2] >> 3) throw broken(`leaf ${i} is out of order`);
      if ((mode & 3) === MORE) continue;
      if (every && weights !== this.outputs) throw broken(`leaf ${i} does not name every output`);
      weights = 0;
      leaves++;
      const parent = open.pop();
      if (parent === undefined) root = true;
      else if (parent.no !== i + 1) throw broken(`node ${parent.no} is not where a no side begins`);
      depth = parent?.depth ?? 0;
    }
    if (!root) throw broken("its last tree is cut");
    if (trees !== this.roots.length) throw broken(`it has ${trees} trees, not ${this.roots.length}`);
    return { leaves, depth: deepest };
  }

  #behind(): [Float64Array, Float64Array] {
    const [least, most] = [this.values.slice(), this.values.slice()];
    for (let at = least.length - 1; at >= 0; at--) {
      if ((this.words[2 * at] & LEAF) !== 0) continue;
      const no = this.words[2 * at + 1];
      least[at] = Math.min(least[at + 1], least[no]);
      most[at] = Math.max(most[at + 1], most[no]);
    }
    return [least, most];
  }

  /** @param v Holds the vector at `a`; its values are written at `out`. */
  evaluate(v: Float64Array, a: number, out: number): void {
    applyTrees(this.ints, 0, this.#data, 0, v, a, out);
  }

  /** Bounds of the values over all vectors between those at `a`: exact for one tree, and the sum of those of each tree. */
  bound(lower: Float64Array, upper: Float64Array, a: number, out: number): void {
    const { outputs, aggregate } = this;
    const sums = aggregate === "SUM" || aggregate === "AVERAGE";
    const [least, most] = [this.#least, this.#most];
    for (let j = 0; j < this.inputs; j++) {
      this.#low[j] = this.#round(lower[a + j]);
      this.#high[j] = this.#round(upper[a + j]);
    }
    const begin = sums ? 0 : aggregate === "MIN" ? Infinity : -Infinity;
    for (let k = 0; k < outputs; k++) lower[out + k] = upper[out + k] = begin;
    for (let tree = 0; tree < this.roots.length; tree++) {
      this.#firstOpen[tree] = this.#boundTree(this.roots[tree]);
      let spread = 0;
      for (let k = 0; k < outputs; k++) {
        spread += most[k] - least[k];
        const [low, high] = [lower[out + k], upper[out + k]];
        const of = aggregate === "MIN" ? Math.min : Math.max;
        lower[out + k] = sums ? low + least[k] : of(low, least[k]);
        upper[out + k] = sums ? high + most[k] : of(high, most[k]);
      }
      this.#spread[tree] = spread;
    }
    const factor = aggregate === "AVERAGE" ? this.roots.length : 1;
    for (let k = 0; k < outputs; k++) {
      lower[out + k] = lower[out + k] / factor + this.base[k];
      upper[out + k] = upper[out + k] / factor + this.base[k];
    }
  }

  /**
   * After {@linkcode bound}: the record of the first comparison of a tree that goes both ways, and how far the tree's
   * values lie apart; −1 where they do not.
   */
  firstOpen(tree: number): number {
    return this.#spread[tree] > 0 ? this.#firstOpen[tree] : -1;
  }

  spread(tree: number): number {
    return this.#spread[tree];
  }

  /** The least and the most that the tree at `root` gives each output, into the scratch memory; gives the first open comparison. */
  #boundTree(root: number): number {
    const [values, words, open] = [this.values, this.words, this.#open];
    const [least, most, named] = [this.#least, this.#most, this.#named];
    least.fill(Infinity);
    most.fill(-Infinity);
    named.fill(0);
    let leaves = 0;
    let count = 0;
    let first = -1;
    open[count++] = root;
    while (count > 0) {
      let at = open[--count];
      if (this.outputs === 1 && this.#leastBehind[at] >= least[0] && this.#mostBehind[at] <= most[0]) {
        continue;
      }
      for (let word = words[2 * at]; (word & LEAF) === 0; word = words[2 * at]) {
        const from = this.#low[word >> 3];
        const to = this.#high[word >> 3];
        const threshold = values[at];
        const never = word & EQ ? threshold < from || threshold > to : from > threshold;
        const always = word & EQ ? from === threshold && to === threshold : to <= threshold;
        if (!never && !always) {
          open[count++] = words[2 * at + 1];
          if (first < 0) first = at;
        }
        at = never ? words[2 * at + 1] : at + 1;
      }
      leaves++;
      for (;; at++) {
        const k = words[2 * at] >> 3;
        if (values[at] < least[k]) least[k] = values[at];
        if (values[at] > most[k]) most[k] = values[at];
        named[k]++;
        if ((words[2 * at] & 7) === LEAF) break;
      }
    }
    for (let k = 0; k < this.outputs; k++) {
      if (named[k] === leaves) continue;
      least[k] = Math.min(0, least[k]);
      most[k] = Math.max(0, most[k]);
    }
    return first;
  }

  /** Where element `feature` changes a way: the last numbers of the lower sides, in the precision of the comparisons, sorted. */
  cuts(feature: number): Float64Array {
    const found = new Set<number>();
    for (let i = 0; i < this.values.length; i++) {
      const word = this.words[2 * i];
      if ((word & LEAF) !== 0 || word >> 3 !== feature) continue;
      found.add(this.values[i]);
      if (word & EQ) found.add(nextBelow(this.values[i], this.bits));
    }
    return Float64Array.from(found).sort();
  }

  #round(x: number): number {
    return this.bits === 32 ? Math.fround(x) : x;
  }
}

const SINGLE = new Float32Array(1);
const SINGLE_BITS = new Int32Array(SINGLE.buffer);
const DOUBLE = new Float64Array(1);
const DOUBLE_BITS = new BigInt64Array(DOUBLE.buffer);

/** The next greater number of 32 or 64 bits. @param x Of that precision. */
export function nextAbove(x: number, bits: 32 | 64): number {
  return -nextBelow(-x, bits);
}

/** The next smaller number of 32 or 64 bits; −∞ below the smallest. @param x Of that precision. */
export function nextBelow(x: number, bits: 32 | 64): number {
  if (x === -Infinity || x !== x) return x;
  if (bits === 32) {
    SINGLE[0] = x;
    if (x === 0) SINGLE_BITS[0] = -0x7fffffff;
    else SINGLE_BITS[0] += x > 0 ? -1 : 1;
    return SINGLE[0];
  }
  DOUBLE[0] = x;
  if (x === 0) return -Number.MIN_VALUE;
  DOUBLE_BITS[0] += x > 0 ? -1n : 1n;
  return DOUBLE[0];
}

function broken(what: string): GraphError {
  return new GraphError("FOREST", `Cannot read a forest of decision trees: ${what}`);
}
