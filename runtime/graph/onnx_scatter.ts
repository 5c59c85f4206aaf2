/** Lowering of operators that put elements into places, which must be known. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { checkedIndex } from "./onnx_gather.ts";
import { joined } from "./onnx_linear.ts";
import { axisOf, eachPlace, NotLowerable, type OnnxValue, sizeOf, stridesOf } from "./onnx_value.ts";
import type { BinaryOp } from "./ops.ts";

export const SCATTER_RULES: Readonly<Record<string, OnnxRule>> = {
  Scatter: (call) => scatterElements(call),
  ScatterElements: (call) => scatterElements(call),
  ScatterND: (call) => scatterSlices(call),
};

const REDUCTIONS: Readonly<Record<string, BinaryOp | undefined>> = {
  add: "add",
  mul: "mul",
  min: "min",
  max: "max",
};

/** Each update takes the place of its index along `axis`. */
function scatterElements(call: OnnxCall): OnnxValue {
  const { shape } = call.input(0);
  const axis = axisOf(call.integer("axis", 0), shape.length);
  const indices = call.knownInput(1);
  const { shape: given } = call.input(1);
  if (given.length !== shape.length || given.some((n, k) => k !== axis && n > shape[k])) {
    throw fail(`it puts elements of shape [${given}] into [${shape}]`);
  }
  const strides = stridesOf(shape);
  const places = new Int32Array(call.build.room(given));
  eachPlace(given, (index, at) => {
    const along = checkedIndex(indices[at], shape[axis]);
    places[at] = index.reduce((sum, i, k) => sum + (k === axis ? along : i) * strides[k], 0);
  });
  return scattered(call, places);
}

/** The last dimension of the indices is a place in the first dimensions; an update is what lies behind it. */
function scatterSlices(call: OnnxCall): OnnxValue {
  const { shape } = call.input(0);
  const indices = call.knownInput(1);
  const { shape: given } = call.input(1);
  const depth = given.at(-1) ?? 0;
  if (!(depth > 0) || depth > shape.length) throw fail(`it puts indices of shape [${given}] into [${shape}]`);
  const strides = stridesOf(shape);
  const block = sizeOf(shape.slice(depth));
  const count = sizeOf(given) / depth;
  const places = new Int32Array(call.build.room([count, block]));
  for (let i = 0; i < count; i++) {
    let start = 0;
    for (let k = 0; k < depth; k++) start += checkedIndex(indices[i * depth + k], shape[k]) * strides[k];
    for (let k = 0; k < block; k++) places[i * block + k] = start + k;
  }
  return scattered(call, places);
}

/** The updates at `places` of the data, in its flat order. */
function scattered(call: OnnxCall, places: Int32Array): OnnxValue {
  const { build } = call;
  const [data, , updates] = [0, 1, 2].map((index) => call.input(index));
  const size = sizeOf(data.shape);
  if (sizeOf(updates.shape) !== places.length) {
    throw fail(`it has ${places.length} places for updates of shape [${updates.shape}]`);
  }
  if (places.length === 0) return data;
  const reduction = call.text("reduction", "none");
  const source = joined(build, [data, updates], [size + places.length]);
  if (reduction === "none") {
    const from = Int32Array.from({ length: size }, (_, i) => i);
    places.forEach((place, i) => void (from[place] = size + i));
    return build.gather(source, from, data.shape);
  }
  const op = REDUCTIONS[reduction];
  if (op === undefined) throw fail(`its reduction is "${reduction.slice(0, 40)}"`);
  if (new Set(places).size !== places.length) {
    throw new NotLowerable("it puts several updates into one place");
  }
  const old = build.gather(source, places, [places.length]);
  const next = build.binary(op, old, build.reshaped(updates, [places.length]));
  const from = Int32Array.from({ length: size }, (_, i) => i);
  places.forEach((place, i) => void (from[place] = size + i));
  return build.gather(joined(build, [data, next], [size + places.length]), from, data.shape);
}
