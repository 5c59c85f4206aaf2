/**
 * Makes the dryer's model: gradient boosted regression trees, fitted to an invented drying curve on a fixed set of
 * points, as an ONNX file with one TreeEnsembleRegressor. The same trees every time.
 *
 * deno run --allow-write=strategies/tree/models strategies/tree/make_model.ts
 */
import { writeOnnx } from "../../runtime/graph/onnx_writer.ts";

/** Air temperature in °C, belt speed in m/min, fan speed in %, inlet moisture in kg/kg. */
const RANGES = [[80, 160], [0.5, 3], [30, 100], [0.3, 0.9]] as const;
const NAMES = ["air_temperature", "belt_speed", "fan_speed", "inlet_moisture"];
const POINTS = 4000;
const TREES = 24;
const DEPTH = 4;
const LEARNING = 0.25;
/** Candidates for a split, evenly over the range. */
const CANDIDATES = 32;

export type Tree = { readonly value: number } | {
  readonly feature: number;
  readonly threshold: number;
  /** x ≤ threshold. */
  readonly below: Tree;
  readonly above: Tree;
};

const folder = new URL("models/", import.meta.url);

if (import.meta.main) {
  const { trees, base, points } = train();
  const golden = points.slice(0, 16).map((point) => {
    const input = point.map(Math.fround);
    return { input, output: [predict({ trees, base }, input)] };
  });
  Deno.mkdirSync(folder, { recursive: true });
  Deno.writeFileSync(new URL("moisture.onnx", folder), forest(trees, base));
  const ranges = Object.fromEntries(NAMES.map((name, i) => [name, RANGES[i]]));
  const metadata = { format: "setpoint/model/v1", ranges, golden };
  Deno.writeTextFileSync(new URL("moisture.metadata.json", folder), `${JSON.stringify(metadata, null, 1)}\n`);
}

export interface Forest {
  readonly trees: readonly Tree[];
  readonly base: number;
}

export function predict({ trees, base }: Forest, point: readonly number[]): number {
  return trees.reduce((sum, tree) => sum + evaluate(tree, point), base);
}

export function train(): Forest & { readonly points: readonly (readonly number[])[] } {
  const points = Array.from({ length: POINTS }, (_, k) => RANGES.map(([low, high], i) => low + (high - low) * spread(k, i)));
  const wanted = points.map(moisture);
  const base = Math.fround(mean(wanted));
  const trees: Tree[] = [];
  const fitted = points.map(() => base);
  for (let k = 0; k < TREES; k++) {
    const rest = wanted.map((value, i) => value - fitted[i]);
    const tree = grow(points, rest, points.map((_, i) => i), DEPTH);
    trees.push(tree);
    points.forEach((point, i) => fitted[i] += evaluate(tree, point));
  }
  return { trees, base, points };
}

/** Water left in the product: exponential drying for the time on the belt, faster in hot and fast air. */
function moisture([temperature, belt, fan, inlet]: readonly number[]): number {
  const minutes = 12 / belt;
  const rate = 0.2 * Math.exp((temperature - 120) / 55) * (fan / 65) ** 0.7;
  return 0.02 + (inlet - 0.02) * Math.exp(-rate * minutes);
}

/** Points that fill the box evenly: the fractional parts of multiples of powers of the plastic ratio's kin. */
function spread(k: number, i: number): number {
  // The root of x⁵ = x + 1, for four dimensions (M. Roberts, "The unreasonable effectiveness of quasirandom sequences").
  const step = 1.1673039782614187 ** -(i + 1);
  return (0.5 + (k + 1) * step) % 1;
}

function grow(points: readonly (readonly number[])[], rest: readonly number[], rows: readonly number[], depth: number): Tree {
  const split = depth === 0 || rows.length < 20 ? undefined : bestSplit(points, rest, rows);
  if (split === undefined) return { value: Math.fround(LEARNING * mean(rows.map((row) => rest[row]))) };
  const { feature, threshold } = split;
  const [below, above] = [true, false].map((side) => rows.filter((row) => points[row][feature] <= threshold === side));
  return { feature, threshold, below: grow(points, rest, below, depth - 1), above: grow(points, rest, above, depth - 1) };
}

/** The split that leaves the least squares. */
function bestSplit(points: readonly (readonly number[])[], rest: readonly number[], rows: readonly number[]) {
  const total = rows.reduce((sum, row) => sum + rest[row], 0);
  let best: { feature: number; threshold: number } | undefined;
  let gain = total * total / rows.length + 1e-12;
  RANGES.forEach(([low, high], feature) => {
    for (let k = 1; k < CANDIDATES; k++) {
      const threshold = Math.fround(low + (high - low) * k / CANDIDATES);
      let [sum, count] = [0, 0];
      for (const row of rows) {
        if (points[row][feature] > threshold) continue;
        sum += rest[row];
        count++;
      }
      if (count < 5 || rows.length - count < 5) continue;
      const found = sum * sum / count + (total - sum) ** 2 / (rows.length - count);
      if (found > gain) [gain, best] = [found, { feature, threshold }];
    }
  });
  return best;
}

function evaluate(tree: Tree, point: readonly number[]): number {
  let node = tree;
  while (!("value" in node)) node = point[node.feature] <= node.threshold ? node.below : node.above;
  return node.value;
}

function forest(trees: readonly Tree[], base: number): Uint8Array {
  const nodes = { tree: [], id: [], feature: [], value: [], yes: [], no: [] } as Record<string, number[]>;
  const modes: string[] = [];
  const leaves = { tree: [], id: [], weight: [] } as Record<string, number[]>;
  trees.forEach((tree, index) => {
    let next = 0;
    const add = (node: Tree): number => {
      const id = next++;
      const at = modes.push("value" in node ? "LEAF" : "BRANCH_LEQ") - 1;
      nodes.tree[at] = index;
      nodes.id[at] = id;
      nodes.feature[at] = "value" in node ? 0 : node.feature;
      nodes.value[at] = "value" in node ? 0 : node.threshold;
      nodes.yes[at] = nodes.no[at] = 0;
      if ("value" in node) {
        leaves.tree.push(index);
        leaves.id.push(id);
        leaves.weight.push(node.value);
      } else {
        nodes.yes[at] = add(node.below);
        nodes.no[at] = add(node.above);
      }
      return id;
    };
    add(tree);
  });
  return writeOnnx({
    name: "moisture",
    opsets: { "": 17, "ai.onnx.ml": 3 },
    inputs: [{ name: "input", shape: ["batch", RANGES.length] }],
    outputs: [{ name: "moisture", shape: ["batch", 1] }],
    nodes: [{
      op: "TreeEnsembleRegressor",
      domain: "ai.onnx.ml",
      name: "forest",
      inputs: ["input"],
      outputs: ["moisture"],
      attributes: {
        n_targets: { int: 1 },
        nodes_treeids: { ints: nodes.tree },
        nodes_nodeids: { ints: nodes.id },
        nodes_featureids: { ints: nodes.feature },
        nodes_values: { floats: nodes.value },
        nodes_modes: { texts: modes },
        nodes_truenodeids: { ints: nodes.yes },
        nodes_falsenodeids: { ints: nodes.no },
        target_treeids: { ints: leaves.tree },
        target_nodeids: { ints: leaves.id },
        target_ids: { ints: leaves.id.map(() => 0) },
        target_weights: { floats: leaves.weight },
        base_values: { floats: [base] },
        post_transform: { text: "NONE" },
      },
    }],
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
