/** Lowering of normalisations. Formulas: github.com/onnx/onnx, docs/Operators.md. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { joined, part } from "./onnx_linear.ts";
import { axisOf, NotLowerable, type OnnxBuilder, type OnnxValue, sizeOf } from "./onnx_value.ts";

export const NORMALIZATION_RULES: Readonly<Record<string, OnnxRule>> = {
  BatchNormalization: (call) => batchNormalization(call),
  LayerNormalization: (call) => layerNormalization(call),
  RMSNormalization: (call) => rmsNormalization(call),
  GroupNormalization: (call) => groupNormalization(call, call.integer("num_groups", 0)),
  InstanceNormalization: (call) => groupNormalization(call, call.input(0).shape[1]),
};

/** (x − mean)/√(var + epsilon)·scale + B a channel, the second dimension. */
function batchNormalization(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  if (call.integer("training_mode", 0) !== 0) throw new NotLowerable("it is in training mode");
  const epsilon = call.float("epsilon", 1e-5);
  const [scale, shift, mean, variance] = [1, 2, 3, 4].map((index) => call.knownInput(index));
  if (call.integer("spatial", 1) === 0) throw new NotLowerable("it has statistics for each place");
  const channels = x.shape.length === 1 ? 1 : x.shape[1];
  for (const [i, list] of [scale, shift, mean, variance].entries()) {
    if (list.length !== channels) {
      throw fail(`its input ${i + 2} has ${list.length} values, expected ${channels}`);
    }
  }
  const factor = scale.map((value, i) => value / Math.sqrt(variance[i] + epsilon));
  const shape = [channels, ...x.shape.slice(2).map(() => 1)];
  return build.affine(
    x,
    build.known(shape, factor),
    build.known(shape, shift.map((value, i) => value - mean[i] * factor[i])),
  );
}

/** (x − mean)/√(var + epsilon)·scale + B over the dimensions from `axis` on. */
function layerNormalization(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const axis = call.integer("axis", -1);
  const outer = x.shape.slice(0, axisOf(axis, x.shape.length));
  const inner = x.shape.slice(outer.length);
  const rows = Array.from({ length: sizeOf(outer) }, (_, i) => {
    const normal = build.binary("mul", standard(call, part(build, x, i, inner)), call.input(1));
    return call.has(2) ? build.binary("add", normal, call.input(2)) : normal;
  });
  return joined(build, rows, x.shape);
}

/** x/√(mean of x² + epsilon)·scale over the dimensions from `axis` on. */
function rmsNormalization(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const axis = axisOf(call.integer("axis", -1), x.shape.length);
  const inner = x.shape.slice(axis);
  const epsilon = build.scalar(call.float("epsilon", 1e-5));
  const rows = Array.from({ length: sizeOf(x.shape.slice(0, axis)) }, (_, i) => {
    const row = part(build, x, i, inner);
    const size = build.unary(
      "sqrt",
      build.binary("add", mean(build, build.binary("mul", row, row)), epsilon),
    );
    return build.binary("mul", build.binary("div", row, size), call.input(1));
  });
  return joined(build, rows, x.shape);
}

/**
 * Each of `groups` groups of channels by its own mean and variance, then scale and B: one a channel, or before opset 21
 * of GroupNormalization one a group.
 */
function groupNormalization(call: OnnxCall, groups: number): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const [rows, channels, ...inner] = x.shape;
  if (!(x.shape.length >= 2) || !(groups > 0) || channels % groups !== 0) {
    throw fail(`its input has shape [${x.shape}], its groups are ${groups}`);
  }
  const parts = Array.from({ length: rows * groups }, (_, i) => {
    return standard(call, part(build, x, i, [channels / groups, ...inner]));
  });
  const factor = (index: number) => {
    const given = call.input(index);
    const count = sizeOf(given.shape);
    if (count !== channels && count !== groups) {
      throw fail(`its input ${index + 1} has ${count} values for ${channels} channels in ${groups} groups`);
    }
    const places = Array.from({ length: channels }, (_, i) => Math.floor(i * count / channels));
    return build.gather(given, places, [channels, ...inner.map(() => 1)]);
  };
  const scaled = build.binary("mul", joined(build, parts, x.shape), factor(1));
  return build.binary("add", scaled, factor(2));
}

/** (x − mean)/√(variance + epsilon) over all elements. */
function standard(call: OnnxCall, x: OnnxValue): OnnxValue {
  const { build } = call;
  const centred = build.binary("sub", x, mean(build, x));
  const variance = mean(build, build.binary("mul", centred, centred));
  const epsilon = build.scalar(call.float("epsilon", 1e-5));
  return build.binary("div", centred, build.unary("sqrt", build.binary("add", variance, epsilon)));
}

function mean(build: OnnxBuilder, x: OnnxValue): OnnxValue {
  const sum = build.wrap([], build.graph.sum(build.node(x)));
  return build.binary("mul", sum, build.scalar(1 / sizeOf(x.shape)));
}
