/** Lowering of operators that move elements, and of those that compute shapes. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { joined } from "./onnx_linear.ts";
import {
  axisOf,
  broadcastShape,
  eachPlace,
  NotLowerable,
  type OnnxValue,
  sizeOf,
  stridesOf,
} from "./onnx_value.ts";

export const SHAPE_RULES: Readonly<Record<string, OnnxRule>> = {
  Identity: (call) => call.input(0),
  Dropout: (call) => dropout(call),
  Constant: (call) => constant(call),
  ConstantOfShape: (call) => constantOfShape(call),
  Shape: (call) => {
    const { shape } = call.input(0);
    const list = shape.slice(call.integer("start", 0), call.node.attributes.get("end")?.integer);
    return call.build.known([list.length], Float64Array.from(list), true);
  },
  Size: (call) => call.build.known([], Float64Array.of(sizeOf(call.input(0).shape)), true),
  Range: (call) => {
    const [start, limit, step] = [0, 1, 2].map((index) => call.knownInput(index)[0]);
    const size = call.build.room([Math.max(0, Math.ceil((limit - start) / step))]);
    const data = Float64Array.from({ length: size }, (_, k) => start + k * step);
    return call.build.known([size], data, call.input(0).integer);
  },
  Reshape: (call) => reshape(call),
  Flatten: (call) => {
    const x = call.input(0);
    const axis = call.integer("axis", 1);
    const cut = axis === x.shape.length ? axis : axisOf(axis, Math.max(1, x.shape.length));
    return call.build.reshaped(x, [sizeOf(x.shape.slice(0, cut)), sizeOf(x.shape.slice(cut))]);
  },
  Squeeze: (call) => squeeze(call),
  Unsqueeze: (call) => unsqueeze(call),
  Transpose: (call) => transpose(call),
  Expand: (call) => {
    const x = call.input(0);
    return call.build.broadcast(x, broadcastShape(x.shape, [...call.knownInput(1)]));
  },
  Tile: (call) => tile(call),
  Concat: (call) => concat(call),
  Slice: (call) => slice(call),
  Split: (call) => split(call),
  "ai.onnx.ml:FeatureVectorizer": (call) => concatenated(call, call.inputs(), 1),
};

function dropout(call: OnnxCall): OnnxValue {
  if (call.has(2) && call.knownInput(2)[0] !== 0) throw new NotLowerable("it is in training mode");
  return call.input(0);
}

function constant(call: OnnxCall): OnnxValue {
  const { build, node: { attributes } } = call;
  const tensor = call.tensor("value");
  if (tensor !== undefined) return tensor;
  const number = attributes.get("value_float")?.float;
  if (number !== undefined) return build.scalar(number);
  const whole = attributes.get("value_int")?.integer;
  if (whole !== undefined) return build.known([], Float64Array.of(whole), true);
  const numbers = attributes.get("value_floats")?.floats;
  if (numbers !== undefined) return build.known([numbers.length], Float64Array.from(numbers));
  const integers = attributes.get("value_ints")?.integers;
  if (integers !== undefined) return build.known([integers.length], Float64Array.from(integers), true);
  throw new NotLowerable("its value is not a number");
}

function constantOfShape(call: OnnxCall): OnnxValue {
  const shape = [...call.knownInput(0)];
  if (shape.some((dimension) => !(dimension >= 0))) throw fail(`it makes a tensor of shape [${shape}]`);
  const value = call.tensor("value") ?? call.build.scalar(0);
  const size = call.build.room(shape);
  return call.build.known(shape, new Float64Array(size).fill(value.data![0]), value.integer);
}

function reshape(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  const wanted = call.integers("shape", 1) ?? [];
  const keepZero = call.integer("allowzero", 0) !== 0;
  const shape = wanted.map((dimension, axis) => dimension === 0 && !keepZero ? x.shape[axis] : dimension);
  const open = shape.indexOf(-1);
  if (open >= 0) shape[open] = sizeOf(x.shape) / sizeOf(shape.filter((_, axis) => axis !== open));
  if (
    shape.some((dimension) => !Number.isInteger(dimension) || dimension < 0) ||
    sizeOf(shape) !== sizeOf(x.shape)
  ) {
    throw fail(`it reshapes [${x.shape}] to [${wanted}]`);
  }
  return call.build.reshaped(x, shape);
}

function squeeze(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  const axes = call.integers("axes", 1)?.map((axis) => axisOf(axis, x.shape.length));
  const wrong = axes?.find((axis) => x.shape[axis] !== 1);
  if (wrong !== undefined) throw fail(`it drops dimension ${wrong} of shape [${x.shape}]`);
  const keep = (dimension: number, axis: number) =>
    axes === undefined ? dimension !== 1 : !axes.includes(axis);
  return call.build.reshaped(x, x.shape.filter(keep));
}

function unsqueeze(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  const wanted = call.integers("axes", 1) ?? [];
  const rank = x.shape.length + wanted.length;
  const axes = new Set(wanted.map((axis) => axisOf(axis, rank)));
  if (axes.size !== wanted.length) throw fail(`it adds the dimensions [${wanted}]`);
  const rest = [...x.shape];
  return call.build.reshaped(
    x,
    Array.from({ length: rank }, (_, axis) => axes.has(axis) ? 1 : rest.shift()!),
  );
}

function transpose(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  const rank = x.shape.length;
  const order = call.integers("perm", rank + 1) ?? x.shape.map((_, axis) => rank - 1 - axis);
  if (order.length !== rank || new Set(order.map((axis) => axisOf(axis, rank))).size !== rank) {
    throw fail(`it orders ${rank} dimensions as [${order}]`);
  }
  const shape = order.map((axis) => x.shape[axis]);
  const strides = stridesOf(x.shape);
  return picked(call, x, shape, (index) => index.reduce((sum, i, axis) => sum + i * strides[order[axis]], 0));
}

function tile(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  const repeats = call.knownInput(1);
  if (repeats.length !== x.shape.length || repeats.some((count) => !(count >= 0))) {
    throw fail(`it repeats [${x.shape}] by [${repeats}]`);
  }
  const strides = stridesOf(x.shape);
  const shape = x.shape.map((dimension, axis) => dimension * repeats[axis]);
  return picked(
    call,
    x,
    shape,
    (index) => index.reduce((sum, i, axis) => sum + (i % x.shape[axis]) * strides[axis], 0),
  );
}

function concat(call: OnnxCall): OnnxValue {
  const parts = call.inputs();
  if (parts.length === 0) throw fail("it has no inputs");
  return concatenated(call, parts, axisOf(call.integer("axis", 0), parts[0].shape.length));
}

function concatenated(call: OnnxCall, all: readonly OnnxValue[], axis: number): OnnxValue {
  const { shape } = all[0];
  for (const part of all) {
    if (part.shape.length !== shape.length || part.shape.some((n, i) => i !== axis && n !== shape[i])) {
      throw fail(`it joins shapes ${all.slice(0, 10).map((value) => `[${value.shape}]`).join(", ")}`);
    }
  }
  const out = shape.map((n, i) => i === axis ? all.reduce((sum, part) => sum + part.shape[axis], 0) : n);
  const parts = all.filter((part) => sizeOf(part.shape) > 0);
  if (parts.length === 0) return call.build.known(out, new Float64Array(0), all[0].integer);
  // One after the other in the flat order; then each outer index takes its block of every part.
  const flat = joined(call.build, parts, [sizeOf(out)]);
  const outer = sizeOf(shape.slice(0, axis));
  if (outer === 1) return call.build.reshaped(flat, out);
  const places: number[] = [];
  for (let i = 0; i < outer; i++) {
    let start = 0;
    for (const part of parts) {
      const size = sizeOf(part.shape);
      const block = size / outer;
      for (let k = 0; k < block; k++) places.push(start + i * block + k);
      start += size;
    }
  }
  return call.build.gather(flat, places, out);
}

function slice(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  const starts = call.integers("starts", 1);
  const ends = call.integers("ends", 2);
  if (starts === undefined || ends === undefined || starts.length !== ends.length) {
    throw fail("its starts and ends do not fit");
  }
  const axes = (call.integers("axes", 3) ?? starts.map((_, i) => i)).map((axis) =>
    axisOf(axis, x.shape.length)
  );
  const steps = call.integers("steps", 4) ?? starts.map(() => 1);
  if (axes.length !== starts.length || steps.length !== starts.length || steps.includes(0)) {
    throw fail("its axes and steps do not fit its starts");
  }
  const first = x.shape.map(() => 0);
  const stride = x.shape.map(() => 1);
  const shape = [...x.shape];
  axes.forEach((axis, i) => {
    const size = x.shape[axis];
    const step = steps[i];
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const clamp = (place: number) => Math.min(high, Math.max(low, place < 0 ? place + size : place));
    first[axis] = clamp(starts[i]);
    stride[axis] = step;
    shape[axis] = Math.max(0, Math.ceil((clamp(ends[i]) - first[axis]) / step));
  });
  const strides = stridesOf(x.shape);
  const place = (index: readonly number[]) =>
    index.reduce((sum, i, axis) => sum + (first[axis] + i * stride[axis]) * strides[axis], 0);
  return picked(call, x, shape, place);
}

function split(call: OnnxCall): OnnxValue[] {
  const x = call.input(0);
  const axis = axisOf(call.integer("axis", 0), x.shape.length);
  const count = call.node.outputs.length;
  const size = x.shape[axis];
  const chunk = Math.ceil(size / count);
  const lengths = call.integers("split", 1) ??
    Array.from({ length: count }, (_, i) => Math.max(0, Math.min(chunk, size - i * chunk)));
  if (
    lengths.length !== count || lengths.reduce((sum, length) => sum + length, 0) !== size ||
    lengths.some((n) => n < 0)
  ) {
    throw fail(`it splits ${size} elements into [${lengths}]`);
  }
  const strides = stridesOf(x.shape);
  let start = 0;
  return lengths.map((length) => {
    const from = start;
    start += length;
    const shape = x.shape.map((n, i) => i === axis ? length : n);
    const place = (index: readonly number[]) =>
      index.reduce((sum, i, k) => sum + (k === axis ? from + i : i) * strides[k], 0);
    return picked(call, x, shape, place);
  });
}

/** The tensor of `shape` whose element at `index` is the element of `x` at the flat place `place(index)`. */
export function picked(
  call: OnnxCall,
  x: OnnxValue,
  shape: readonly number[],
  place: (index: readonly number[]) => number,
): OnnxValue {
  const places = new Int32Array(call.build.room(shape));
  eachPlace(shape, (index, at) => {
    places[at] = place(index);
  });
  if (places.length === 0) return call.build.known(shape, new Float64Array(0), x.integer);
  return call.build.gather(x, places, shape);
}
