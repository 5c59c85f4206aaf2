/** Random forests of decision trees for the graph, with an evaluation in plain closures beside them. */
import { type Branch, encodeForest } from "../../runtime/graph/forest.ts";

export interface RandomForest {
  readonly data: Float64Array;
  /** By feature: all thresholds. */
  readonly cuts: readonly (readonly number[])[];
  value(x: ArrayLike<number>): number;
}

interface Tree {
  readonly feature: number;
  readonly cut: number;
  readonly below: Tree | number;
  readonly above: Tree | number;
}

/** Thresholds in (0, 1), rounded to 32 bits where they are compared so. Leaves in ±1. */
export function randomForest(
  features: number,
  trees: number,
  depth: number,
  random: () => number,
  bits: 32 | 64 = 32,
): RandomForest {
  const cuts: number[][] = Array.from({ length: features }, () => []);
  const grow = (left: number): Tree | number => {
    if (left === 0 || left < depth && random() < 0.1) return 2 * random() - 1;
    const feature = Math.floor(features * random());
    const cut = bits === 32 ? Math.fround(random()) : random();
    cuts[feature].push(cut);
    return { feature, cut, below: grow(left - 1), above: grow(left - 1) };
  };
  const roots = Array.from({ length: trees }, () => grow(depth));
  const walk = (tree: Tree | number, x: ArrayLike<number>): number => {
    if (typeof tree === "number") return tree;
    const value = bits === 32 ? Math.fround(x[tree.feature]) : x[tree.feature];
    return walk(value <= tree.cut ? tree.below : tree.above, x);
  };
  const branch = (tree: Tree | number): Branch =>
    typeof tree === "number" ? { kind: "leaf", weights: [{ output: 0, weight: tree }] } : {
      kind: "le",
      feature: tree.feature,
      threshold: tree.cut,
      missing: false,
      yes: () => branch(tree.below),
      no: () => branch(tree.above),
    };
  return {
    data: encodeForest({ bits, aggregate: "SUM", base: [0], trees: roots.map(branch) }),
    cuts,
    value: (x) => roots.reduce<number>((sum, tree) => sum + walk(tree, x), 0),
  };
}
