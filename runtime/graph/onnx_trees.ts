/** Ensembles of decision trees, as scikit-learn, LightGBM and XGBoost export them. */
import {
  type Aggregate,
  AGGREGATES,
  type Branch,
  encodeForest,
  type ForestSpec,
  nextBelow,
} from "./forest.ts";
import { GraphError } from "./graph_error.ts";
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { rowsOf } from "./onnx_kernel.ts";
import { joined } from "./onnx_linear.ts";
import { NotLowerable, type OnnxValue } from "./onnx_value.ts";

export const TREE_RULES: Readonly<Record<string, OnnxRule>> = {
  "ai.onnx.ml:TreeEnsembleRegressor": (call) => regressor(call),
  "ai.onnx.ml:TreeEnsembleClassifier": (call) => classifier(call),
  "ai.onnx.ml:TreeEnsemble": (call) => ensemble(call),
};

/** As the operator of ai.onnx.ml 5 numbers them. */
const MODES = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"];
const FUNCTIONS: readonly Aggregate[] = ["AVERAGE", "SUM", "MIN", "MAX"];
const TRANSFORMS = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"];
/** So many nodes still fit into what crosses from a cell. */
const MOST_NODES = 240_000;

/** Trees and nodes are numbered below it. */
const MOST_IDS = 2 ** 26;

/** Columns of the nodes, one entry each. */
interface Nodes {
  readonly count: number;
  readonly modes: readonly string[];
  readonly features: readonly number[];
  readonly thresholds: ArrayLike<number>;
  /** Where both sides of a node begin. */
  readonly yes: (node: number) => Branch;
  readonly no: (node: number) => Branch;
  readonly missing: readonly number[];
  readonly bits: 32 | 64;
}

interface Ensemble extends Omit<ForestSpec, "trees" | "bits"> {
  readonly nodes: Nodes;
  readonly roots: readonly Branch[];
  readonly outputs: number;
}

function regressor(call: OnnxCall): OnnxValue {
  const sums = lowered(call, nodesOf(call, "target", call.integer("n_targets", 1)));
  return transformed(call, sums, call.text("post_transform", "NONE"));
}

/** The label, as a number, and a score for each class. */
function classifier(call: OnnxCall): readonly OnnxValue[] {
  const { build } = call;
  const transform = call.text("post_transform", "NONE");
  const labels = call.wholes("classlabels_int64s") ?? [];
  const ids = call.wholes("class_ids") ?? [];
  if (labels.length < 2) throw new NotLowerable("its classes are not two numbers or more");
  if (labels.length > 2 || new Set(ids).size !== 1) {
    const raw = lowered(call, nodesOf(call, "class", labels.length));
    return [labelOf(call, raw, labels), transformed(call, raw, transform)];
  }
  // one score for two classes: the weights tell what it is
  const weights = Array.from(numbersOf(call, "class_weights"));
  const positive = weights.every((weight) => weight >= 0);
  if (positive && transform !== "NONE") {
    throw new NotLowerable(`its post_transform is ${transform.slice(0, 40)}`);
  }
  const ensemble = nodesOf(call, "class", 2);
  const base = ensemble.base.length === 1 ? [...ensemble.base, ...ensemble.base] : ensemble.base;
  const score = build.gather(lowered(call, { ...ensemble, base }), [ids[0]], [1, 1]);
  const above = build.binary("lt", build.scalar(positive ? 0.5 : 0), score);
  const label = build.select(above, build.scalar(labels[1]), build.scalar(labels[0]));
  const one = positive ? build.binary("sub", build.scalar(1), score) : build.unary("neg", score);
  const pair = joined(build, [one, score], [1, 2]);
  return [
    { ...build.reshaped(label, [1]), integer: true },
    positive ? pair : transformed(call, pair, transform),
  ];
}

/** Where the score is greatest, the first of equal ones. */
function labelOf({ build }: OnnxCall, scores: OnnxValue, labels: readonly number[]): OnnxValue {
  const at = (k: number) => build.gather(scores, [k], [1]);
  let [best, label] = [at(0), build.scalar(labels[0])];
  for (let k = 1; k < labels.length; k++) {
    const better = build.binary("lt", best, at(k));
    label = build.select(better, build.scalar(labels[k]), label);
    best = build.binary("max", best, at(k));
  }
  return { ...build.reshaped(label, [1]), integer: true };
}

function transformed(
  { build }: OnnxCall,
  scores: OnnxValue,
  transform: string,
): OnnxValue {
  if (transform === "NONE") return scores;
  if (transform === "LOGISTIC") return build.unary("sigmoid", scores);
  if (transform !== "SOFTMAX" || scores.shape[0] !== 1) {
    throw new NotLowerable(`its post_transform is ${String(transform).slice(0, 40)}`);
  }
  const values = Array.from({ length: scores.shape[1] }, (_, k) => build.gather(scores, [k], [1, 1]));
  const most = values.reduce((a, b) => build.binary("max", a, b));
  const powers = build.unary("exp", build.binary("sub", scores, most));
  return build.binary("div", powers, build.wrap([], build.graph.sum(build.node(powers))));
}

/** @param kind What the attributes of the leaves begin with. */
function nodesOf(call: OnnxCall, kind: "target" | "class", outputs: number): Ensemble {
  const columns = (name: string) => call.wholes(name) ?? [];
  const [trees, numbers] = [columns("nodes_treeids"), columns("nodes_nodeids")];
  const modes = call.texts("nodes_modes") ?? [];
  const keyOf = (tree: number, node: number) => tree * MOST_IDS + node;
  const places = new Map(trees.map((tree, i) => [keyOf(tree, numbers[i]), i]));
  const weights = new Map<number, { output: number; weight: number }[]>();
  const values = numbersOf(call, `${kind}_weights`);
  const ids = columns(`${kind}_ids`);
  const nodeIds = columns(`${kind}_nodeids`);
  columns(`${kind}_treeids`).forEach((tree, k) => {
    const key = keyOf(tree, nodeIds[k]);
    if (!weights.has(key)) weights.set(key, []);
    weights.get(key)!.push({ output: ids[k], weight: values[k] });
  });
  const at = (key: number): Branch => {
    const i = places.get(key);
    if (i === undefined) throw fail(`it has no node ${key % MOST_IDS} in tree ${Math.floor(key / MOST_IDS)}`);
    return modes[i] === "LEAF" ? { kind: "leaf", weights: weights.get(key) ?? [] } : branchOf(nodes, i);
  };
  const side = (name: string) => {
    const ids = columns(name);
    return (i: number) => at(keyOf(trees[i], ids[i]));
  };
  const nodes: Nodes = {
    count: trees.length,
    modes,
    features: columns("nodes_featureids"),
    thresholds: numbersOf(call, "nodes_values"),
    yes: side("nodes_truenodeids"),
    no: side("nodes_falsenodeids"),
    missing: columns("nodes_missing_value_tracks_true"),
    bits: bitsOf(call, "nodes_values_as_tensor"),
  };
  // as ONNX Runtime does: a tree begins with the first of its nodes
  const roots = trees.flatMap((
    tree,
    i,
  ) => (i === 0 || trees[i - 1] !== tree ? [keyOf(tree, numbers[i])] : []));
  return {
    nodes,
    roots: roots.map(at),
    outputs,
    base: Array.from(numbersOf(call, "base_values")),
    aggregate: call.text("aggregate_function", "SUM") as Aggregate,
  };
}

function ensemble(call: OnnxCall): OnnxValue {
  const columns = (name: string) => call.wholes(name) ?? [];
  const [targets, values] = [columns("leaf_targetids"), numbersOf(call, "leaf_weights", "")];
  const leaf = (k: number): Branch => {
    if (targets[k] === undefined) throw fail(`it has no leaf ${k}`);
    return { kind: "leaf", weights: [{ output: targets[k], weight: values[k] }] };
  };
  const side = (name: string, leaves: string) => {
    const [ids, flags] = [columns(name), columns(leaves)];
    return (i: number) => flags[i] ? leaf(ids[i]) : branchOf(nodes, ids[i]);
  };
  const modes = Array.from(numbersOf(call, "nodes_modes", ""), (mode) => MODES[mode] ?? `mode ${mode}`);
  const nodes: Nodes = {
    count: modes.length,
    modes,
    features: columns("nodes_featureids"),
    thresholds: numbersOf(call, "nodes_splits", ""),
    yes: side("nodes_truenodeids", "nodes_trueleafs"),
    no: side("nodes_falsenodeids", "nodes_falseleafs"),
    missing: columns("nodes_missing_value_tracks_true"),
    bits: bitsOf(call, "nodes_splits"),
  };
  const sums = lowered(call, {
    nodes,
    roots: columns("tree_roots").map((root) => branchOf(nodes, root)),
    outputs: call.integer("n_targets", 1),
    base: [],
    aggregate: FUNCTIONS[call.integer("aggregate_function", 1)],
  });
  return transformed(call, sums, TRANSFORMS[call.integer("post_transform", 0)]);
}

/** A comparison as one of the two that a forest has; the sides change places where it is the other way round. */
function branchOf(nodes: Nodes, i: number): Branch {
  if (!(i >= 0 && i < nodes.count)) throw fail(`it has no node ${i}`);
  const mode = nodes.modes[i];
  const threshold = nodes.thresholds[i];
  const flag = nodes.missing[i] === 1;
  const [yes, no] = [() => nodes.yes(i), () => nodes.no(i)];
  const feature = nodes.features[i];
  const straight = { feature, threshold, missing: flag, yes, no };
  const turned = { feature, threshold, missing: !flag, yes: no, no: yes };
  switch (mode) {
    case "BRANCH_LEQ":
      return { kind: "le", ...straight };
    case "BRANCH_LT":
      return { kind: "le", ...straight, threshold: nextBelow(threshold, nodes.bits) };
    case "BRANCH_GTE":
      return { kind: "le", ...turned, threshold: nextBelow(threshold, nodes.bits) };
    case "BRANCH_GT":
      return { kind: "le", ...turned };
    case "BRANCH_EQ":
      return { kind: "eq", ...straight };
    case "BRANCH_NEQ":
      // what is no number is not equal to any
      return { kind: "eq", ...turned, missing: false };
    default:
      throw new NotLowerable(`its node ${i} compares by ${String(mode).slice(0, 40)}`);
  }
}

function lowered(call: OnnxCall, ensemble: Ensemble): OnnxValue {
  const { build } = call;
  const { nodes, roots, outputs, aggregate } = ensemble;
  const x = call.input(0);
  if (!AGGREGATES.includes(aggregate)) throw fail("its aggregate_function is unknown");
  if (nodes.features.length !== nodes.count || nodes.thresholds.length !== nodes.count) {
    throw fail(
      `it has ${nodes.features.length} features and ${nodes.thresholds.length} values of ${nodes.count} nodes`,
    );
  }
  if (!(outputs >= 1 && outputs <= 1000)) throw fail(`it has ${outputs} targets`);
  if (ensemble.base.length > 0 && ensemble.base.length !== outputs) {
    throw fail(`it has ${ensemble.base.length} base values for ${outputs} targets`);
  }
  const base = Array.from({ length: outputs }, (_, k) => ensemble.base[k] ?? 0);
  const features = x.shape.at(-1) ?? 1;
  let data: Float64Array;
  try {
    data = encodeForest({ bits: nodes.bits, aggregate, base, trees: roots }, MOST_NODES);
  } catch (error) {
    if (error instanceof GraphError && error.code === "FOREST") throw new NotLowerable(error.message);
    throw error;
  }
  const rows = rowsOf(build, x, features).map((row) => {
    build.spend(data.length);
    return build.wrap([outputs], build.graph.trees(data, build.node(row), outputs));
  });
  return joined(build, rows, [rows.length, outputs]);
}

/** Thresholds of a tensor of 64 bits, and inputs of a model of 64 bits, are compared in 64 bits. */
function bitsOf(call: OnnxCall, tensor: string): 32 | 64 {
  const type = call.node.attributes.get(tensor)?.tensor?.type;
  return type === DOUBLE || type === undefined && call.double ? 64 : 32;
}

/** The attribute of 32 bits, or the one that holds a tensor instead. */
function numbersOf(call: OnnxCall, name: string, ending = "_as_tensor"): ArrayLike<number> {
  const floats = call.floats(name) ?? [];
  return floats.length > 0 ? floats : call.tensor(`${name}${ending}`)?.data ?? [];
}

/** As onnx.proto numbers data types. */
const DOUBLE = 11;
