/** Lowering of operators that tell which element is the largest, as numbers that comparisons choose. */
import type { OnnxCall, OnnxRule } from "./onnx_call.ts";
import { picked } from "./onnx_shape.ts";
import { axisOf, NotLowerable, type OnnxValue, stridesOf } from "./onnx_value.ts";

/** Comparisons that one operator may become. */
const MOST = 256;

export const ORDER_RULES: Readonly<Record<string, OnnxRule>> = {
  ArgMax: (call) => place(call, (best, next) => [best, next]),
  ArgMin: (call) => place(call, (best, next) => [next, best]),
  OneHot: (call) => oneHot(call),
};

/** @param order The pair of which the first must be less for the next element to be the best. */
function place(
  call: OnnxCall,
  order: (best: OnnxValue, next: OnnxValue) => [OnnxValue, OnnxValue],
): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const axis = axisOf(call.integer("axis", 0), x.shape.length);
  const size = x.shape[axis];
  if (!(size > 0 && size <= MOST)) throw new NotLowerable(`it compares ${size} elements`);
  const comparison = call.integer("select_last_index", 0) === 0 ? "lt" : "le";
  const strides = stridesOf(x.shape);
  const shape = x.shape.with(axis, 1);
  const element = (k: number) =>
    picked(call, x, shape, (index) => index.reduce((sum, i, at) => sum + i * strides[at], k * strides[axis]));
  let [best, found] = [element(0), build.known(shape, new Float64Array(build.room(shape)), true)];
  for (let k = 1; k < size; k++) {
    const next = element(k);
    const better = build.binary(comparison, ...order(best, next), true);
    found = build.select(better, build.known([], Float64Array.of(k), true), found);
    best = build.select(better, next, best);
  }
  return call.integer("keepdims", 1) !== 0 ? found : build.reshaped(found, shape.toSpliced(axis, 1));
}

/** The second of two values where an index says so, else the first, along a new axis. */
function oneHot(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const [depth] = call.knownInput(1);
  if (!(depth > 0 && depth <= MOST)) throw new NotLowerable(`it makes ${depth} elements of one`);
  const axis = axisOf(call.integer("axis", -1), x.shape.length + 1);
  const [off, on] = [0, 1].map((i) => build.gather(call.input(2), [i], []));
  const along = x.shape.map(() => 1).toSpliced(axis, 0, depth);
  const numbers = Float64Array.from({ length: depth }, (_, k) => k);
  // an index from behind is one from the front
  const wrapped = build.select(
    build.binary("lt", x, build.scalar(0), true),
    build.binary("add", x, build.scalar(depth)),
    x,
  );
  const index = build.reshaped(wrapped, x.shape.toSpliced(axis, 0, 1));
  return build.select(build.binary("eq", index, build.known(along, numbers, true), true), on, off);
}
