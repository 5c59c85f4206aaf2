/** Lowering of operators that pick elements by indices, which must be known, or by their place. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { picked } from "./onnx_shape.ts";
import { axisOf, eachPlace, type OnnxValue, sizeOf, stridesOf } from "./onnx_value.ts";

export const GATHER_RULES: Readonly<Record<string, OnnxRule>> = {
  Gather: (call) => gather(call, call.integer("axis", 0)),
  GatherElements: (call) => gatherElements(call),
  GatherND: (call) => gatherSlices(call),
  ReverseSequence: (call) => reversed(call),
  Trilu: (call) => triangle(call),
  "ai.onnx.ml:ArrayFeatureExtractor": (call) => {
    const picked = gather(call, -1);
    return call.input(0).shape.length === 1 ? call.build.reshaped(picked, [1, sizeOf(picked.shape)]) : picked;
  },
};

function gather(call: OnnxCall, along: number): OnnxValue {
  const x = call.input(0);
  const axis = axisOf(along, x.shape.length);
  const indices = [...call.knownInput(1)].map((index) => checkedIndex(index, x.shape[axis]));
  const inner = along === -1 && call.node.domain !== "" ? [indices.length] : call.input(1).shape;
  const shape = [...x.shape.slice(0, axis), ...inner, ...x.shape.slice(axis + 1)];
  const strides = stridesOf(x.shape);
  const innerStrides = stridesOf(inner);
  return picked(call, x, shape, (index) => {
    let [place, which] = [0, 0];
    index.forEach((i, k) => {
      if (k < axis) place += i * strides[k];
      else if (k < axis + inner.length) which += i * innerStrides[k - axis];
      else place += i * strides[k - inner.length + 1];
    });
    return place + indices[which] * strides[axis];
  });
}

/** As many elements as there are indices: each takes the place of the index along `axis`. */
function gatherElements(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  const axis = axisOf(call.integer("axis", 0), x.shape.length);
  const indices = call.knownInput(1);
  const { shape } = call.input(1);
  if (shape.length !== x.shape.length || shape.some((n, k) => k !== axis && n > x.shape[k])) {
    throw fail(`it takes elements of shape [${shape}] from [${x.shape}]`);
  }
  const strides = stridesOf(x.shape);
  const own = stridesOf(shape);
  return picked(call, x, shape, (index) => {
    const at = index.reduce((sum, i, k) => sum + i * own[k], 0);
    const along = checkedIndex(indices[at], x.shape[axis]);
    return index.reduce((sum, i, k) => sum + (k === axis ? along : i) * strides[k], 0);
  });
}

/** The last dimension of the indices is a place in the first dimensions after `batch_dims`; what is behind it comes along. */
function gatherSlices(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  const batch = call.integer("batch_dims", 0);
  const indices = call.knownInput(1);
  const { shape: given } = call.input(1);
  const depth = given.at(-1) ?? 0;
  const lead = given.slice(0, -1);
  if (
    !(depth > 0) || batch + depth > x.shape.length || lead.slice(0, batch).some((n, k) => n !== x.shape[k])
  ) {
    throw fail(`it takes indices of shape [${given}] from [${x.shape}]`);
  }
  const strides = stridesOf(x.shape);
  const own = stridesOf(lead);
  const shape = [...lead, ...x.shape.slice(batch + depth)];
  return picked(call, x, shape, (index) => {
    const which = lead.reduce((sum, _, k) => sum + index[k] * own[k], 0);
    let place = 0;
    for (let k = 0; k < batch; k++) place += index[k] * strides[k];
    for (let k = 0; k < depth; k++) {
      place += checkedIndex(indices[which * depth + k], x.shape[batch + k]) * strides[batch + k];
    }
    for (let k = lead.length; k < index.length; k++) {
      place += index[k] * strides[k - lead.length + batch + depth];
    }
    return place;
  });
}

export function checkedIndex(index: number, size: number): number {
  const place = index < 0 ? index + size : index;
  if (!Number.isInteger(place) || place < 0 || place >= size) {
    throw fail(`it takes element ${index} of ${size}`);
  }
  return place;
}

/** The first elements along one axis in the other order, as many as the index along another axis says. */
function reversed(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  const time = axisOf(call.integer("time_axis", 0), x.shape.length);
  const batch = axisOf(call.integer("batch_axis", 1), x.shape.length);
  const lengths = call.knownInput(1);
  if (lengths.length !== x.shape[batch] || lengths.some((n) => !(n >= 0 && n <= x.shape[time]))) {
    throw fail(`it turns [${lengths.slice(0, 10)}] elements of shape [${x.shape}]`);
  }
  const strides = stridesOf(x.shape);
  return picked(call, x, x.shape, (index) => {
    const [at, length] = [index[time], lengths[index[batch]]];
    const from = at < length ? length - 1 - at : at;
    return index.reduce((sum, i, k) => sum + (k === time ? from : i) * strides[k], 0);
  });
}

/** The upper or lower triangle of each matrix, from a diagonal on. */
function triangle(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const upper = call.integer("upper", 1) !== 0;
  const diagonal = call.has(1) ? call.knownInput(1)[0] : 0;
  if (x.shape.length < 2) throw fail(`its input has shape [${x.shape}], expected a matrix`);
  const mask = new Float64Array(build.room(x.shape));
  eachPlace(x.shape, (index, at) => {
    const above = index.at(-1)! - index.at(-2)! - diagonal;
    mask[at] = (upper ? above >= 0 : above <= 0) ? 1 : 0;
  });
  return { ...build.binary("mul", x, build.known(x.shape, mask)), integer: x.integer };
}
