/** Lowering of reductions along axes, and of Softmax. */
import type { NodeId } from "./expr.ts";
import type { OnnxCall, OnnxRule } from "./onnx_call.ts";
import {
  axisOf,
  eachPlace,
  NotLowerable,
  type OnnxBuilder,
  type OnnxValue,
  sizeOf,
  stridesOf,
} from "./onnx_value.ts";

/** Ones that a sum over several groups may need. */
const MAX_ONES = 1 << 20;

type Reduction = (build: OnnxBuilder, groups: Groups) => OnnxValue;

export const REDUCE_RULES: Readonly<Record<string, OnnxRule>> = {
  ReduceSum: reduce((build, groups) => total(build, groups)),
  ReduceMean: reduce((build, groups) => mean(build, groups)),
  ReduceSumSquare: reduce((build, groups) => total(build, squared(build, groups))),
  ReduceL2: reduce((build, groups) => build.unary("sqrt", total(build, squared(build, groups)))),
  ReduceL1: reduce((build, groups) => total(build, { ...groups, x: build.unary("abs", groups.x) })),
  ReduceLogSum: reduce((build, groups) => build.unary("log", total(build, groups))),
  ReduceLogSumExp: reduce((build, groups) => logSumExp(build, groups)),
  ReduceProd: reduce((build, groups) => fold(build, groups, "mul")),
  ReduceMax: reduce((build, groups) => fold(build, groups, "max")),
  ReduceMin: reduce((build, groups) => fold(build, groups, "min")),
  CumSum: (call) => runningSum(call),
  Softmax: (call) => softmax(call),
  LogSoftmax: (call) => {
    const { build } = call;
    const x = call.input(0);
    const groups = groupsOf(build, x, softmaxAxes(call, x));
    return build.binary("sub", x, spreadOver(build, groups, logSumExp(build, groups)));
  },
};

/** The elements of `x` in groups of one size that are reduced to one element each. */
interface Groups {
  readonly x: OnnxValue;
  readonly size: number;
  /** For each element of the result, in the flat order: the place of its group's first element. */
  readonly starts: readonly number[];
  /** What to add to a start for the other elements; the first is 0. */
  readonly offsets: readonly number[];
}

function reduce(rule: Reduction): OnnxRule {
  return (call) => {
    const x = call.input(0);
    const axes = (call.integers("axes", 1) ?? []).map((axis) => axisOf(axis, x.shape.length));
    const all = axes.length === 0 && call.integer("noop_with_empty_axes", 0) === 0;
    const reduced = (axis: number) => all || axes.includes(axis);
    const groups = groupsOf(call.build, x, reduced);
    const keep = call.integer("keepdims", 1) !== 0;
    const shape = x.shape.flatMap((n, axis) => !reduced(axis) ? [n] : keep ? [1] : []);
    return call.build.reshaped(rule(call.build, groups), shape);
  };
}

function groupsOf(build: OnnxBuilder, x: OnnxValue, reduced: (axis: number) => boolean): Groups {
  build.room(x.shape);
  if (sizeOf(x.shape) === 0) throw new NotLowerable("a tensor has no elements");
  const strides = stridesOf(x.shape);
  const places = (wanted: (axis: number) => boolean): number[] => {
    const list: number[] = [];
    eachPlace(
      x.shape.map((n, axis) => wanted(axis) ? n : 1),
      (index) => void list.push(index.reduce((sum, i, axis) => sum + i * strides[axis], 0)),
    );
    return list;
  };
  const offsets = places(reduced);
  return { x, size: offsets.length, offsets, starts: places((axis) => !reduced(axis)) };
}

/** The sum over the dimensions that `reduced` names, flat. */
export function summed(build: OnnxBuilder, x: OnnxValue, reduced: (axis: number) => boolean): OnnxValue {
  return total(build, groupsOf(build, x, reduced));
}

/** Each element the sum of those up to it along an axis. */
function runningSum(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const axis = axisOf(call.knownInput(1)[0], x.shape.length);
  const [exclusive, reverse] = ["exclusive", "reverse"].map((name) => call.integer(name, 0) !== 0);
  const size = x.shape[axis];
  const columns = sizeOf(x.shape);
  build.room(x.shape);
  if (columns * columns > MAX_ONES) throw new NotLowerable(`it sums ${columns} elements one after the other`);
  const stride = stridesOf(x.shape)[axis];
  const ones = new Float64Array(columns * columns);
  for (let row = 0; row < columns; row++) {
    const own = Math.floor(row / stride) % size;
    for (let k = 0; k < size; k++) {
      const counted = reverse ? k > own : k < own;
      if (counted || (k === own && !exclusive)) ones[row * columns + row + (k - own) * stride] = 1;
    }
  }
  return build.linear(x.shape, ones, x);
}

function squared(build: OnnxBuilder, groups: Groups): Groups {
  return { ...groups, x: build.binary("mul", groups.x, groups.x) };
}

/** One `linear` with ones where an element belongs to a group. */
function total(build: OnnxBuilder, { x, starts, offsets }: Groups): OnnxValue {
  const id = build.node(x);
  if (starts.length === 1) return build.wrap([1], build.graph.sum(id), x.integer);
  const columns = sizeOf(x.shape);
  if (starts.length * columns > MAX_ONES) {
    throw new NotLowerable(`it sums ${columns} elements in ${starts.length} groups`);
  }
  const ones = new Float64Array(starts.length * columns);
  starts.forEach((start, row) =>
    offsets.forEach((offset) => void (ones[row * columns + start + offset] = 1))
  );
  return build.wrap([starts.length], build.graph.linear(ones, id), x.integer);
}

function fold(build: OnnxBuilder, { x, starts, offsets }: Groups, op: "mul" | "max" | "min"): OnnxValue {
  return offsets
    .map((offset) => build.gather(x, starts.map((start) => start + offset), [starts.length]))
    .reduce((a, b) => build.binary(op, a, b));
}

/**
 * e^x over its sum, shifted by the mean and not by the maximum: the same numbers, no corner, and no overflow while the
 * spread is below 700.
 */
function softmax(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  return softmaxAlong(call.build, x, softmaxAxes(call, x));
}

export function softmaxAlong(
  build: OnnxBuilder,
  x: OnnxValue,
  reduced: (axis: number) => boolean,
): OnnxValue {
  const groups = groupsOf(build, x, reduced);
  const middle = mean(build, { ...groups, x: unmasked(build, x) });
  const grown = build.unary("exp", build.binary("sub", x, spreadOver(build, groups, middle)));
  return build.binary("div", grown, spreadOver(build, groups, total(build, { ...groups, x: grown })));
}

/** Before opset 13 all dimensions from the axis on were one. */
function softmaxAxes(call: OnnxCall, x: OnnxValue): (axis: number) => boolean {
  const axis = axisOf(call.integer("axis", call.opset < 13 ? 1 : -1), x.shape.length);
  return (k) => call.opset < 13 ? k >= axis : k === axis;
}

/** What lies below this is a mask, as attention adds it; e to it is 0 beside anything. */
const MASKED = -500;

/** `x` without the mask in it: the middle of what is masked would be as far away as the mask. */
function unmasked({ graph }: OnnxBuilder, x: OnnxValue): OnnxValue {
  const node = x.id === undefined ? undefined : graph.nodes[x.id];
  if (node?.op !== "add" && node?.op !== "select") return x;
  const isMask = (id: NodeId) => graph.nodes[id].data?.some((value) => value < MASKED) ?? false;
  const rest = node.args.find((id) =>
    graph.nodes[id].op !== "constant" && graph.nodes[id].length === node.length
  );
  return rest !== undefined && node.args.some(isMask) ? { ...x, id: rest } : x;
}

/** The one element of each group in the place of all of them. */
function spreadOver(build: OnnxBuilder, groups: Groups, value: OnnxValue): OnnxValue {
  return build.gather(value, placesOf(groups), groups.x.shape);
}

/** mean + log Σ e^(x − mean), shifted as in {@linkcode softmax}. */
function logSumExp(build: OnnxBuilder, groups: Groups): OnnxValue {
  const middle = mean(build, groups);
  const grown = build.unary("exp", build.binary("sub", groups.x, spreadOver(build, groups, middle)));
  return build.binary("add", middle, build.unary("log", total(build, { ...groups, x: grown })));
}

/** For each element the number of its group. */
function placesOf({ x, starts, offsets }: Groups): Int32Array {
  const places = new Int32Array(sizeOf(x.shape));
  starts.forEach((start, group) => offsets.forEach((offset) => void (places[start + offset] = group)));
  return places;
}

function mean(build: OnnxBuilder, groups: Groups): OnnxValue {
  return build.binary("mul", total(build, groups), build.scalar(1 / groups.size));
}
