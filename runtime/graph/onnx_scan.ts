/** Scan: a loop over an axis of known length is unrolled. Source: github.com/onnx/onnx, docs/Operators.md, Scan-11. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { joined } from "./onnx_linear.ts";
import { axisOf, eachPlace, NotLowerable, type OnnxValue, sizeOf, stridesOf } from "./onnx_value.ts";

const MAX_TRIPS = 10_000;

export const SCAN_RULES: Readonly<Record<string, OnnxRule>> = { Scan: (call) => scan(call) };

function scan(call: OnnxCall): OnnxValue[] {
  if (call.opset < 9) throw new NotLowerable("before opset 9 it has a batch dimension of its own");
  const body = call.graph("body");
  const scanned = call.integer("num_scan_inputs", 0);
  const states = call.count - scanned;
  const stacked = body.outputs.length - states;
  if (!(scanned > 0) || states < 0 || stacked < 0 || body.inputs.length !== call.count) {
    throw fail(`its body has ${body.inputs.length} inputs and ${body.outputs.length} outputs`);
  }
  const inputs = call.inputs();
  const axes = inputs.slice(states).map((value, i) =>
    axisOf(call.wholes("scan_input_axes")?.[i] ?? 0, value.shape.length)
  );
  const trips = inputs[states].shape[axes[0]];
  if (inputs.slice(states).some(({ shape }, i) => shape[axes[i]] !== trips)) {
    throw fail("its scan inputs differ in length");
  }
  if (trips > MAX_TRIPS) throw new NotLowerable(`it makes ${trips} steps`);
  if (trips === 0) throw new NotLowerable("it makes no step");
  let state = inputs.slice(0, states);
  const pieces: OnnxValue[][] = Array.from({ length: stacked }, () => []);
  for (let step = 0; step < trips; step++) {
    const elements = inputs.slice(states).map((value, i) => {
      const backwards = call.wholes("scan_input_directions")?.[i] === 1;
      return element(call, value, axes[i], backwards ? trips - 1 - step : step);
    });
    const outputs = call.body(body, [...state, ...elements]);
    state = outputs.slice(0, states);
    outputs.slice(states).forEach((value, i) => {
      if (call.wholes("scan_output_directions")?.[i] === 1) pieces[i].unshift(value);
      else pieces[i].push(value);
    });
  }
  return [
    ...state,
    ...pieces.map((parts, i) => stack(call, parts, call.wholes("scan_output_axes")?.[i] ?? 0)),
  ];
}

/** `value` at `place` of `axis`, without that dimension. */
function element({ build }: OnnxCall, value: OnnxValue, axis: number, place: number): OnnxValue {
  const strides = stridesOf(value.shape);
  const kept = value.shape.map((_, k) => k).filter((k) => k !== axis);
  const shape = kept.map((k) => value.shape[k]);
  const places = new Int32Array(build.room(shape));
  eachPlace(shape, (index, at) => {
    places[at] = index.reduce((sum, i, k) => sum + i * strides[kept[k]], place * strides[axis]);
  });
  return build.gather(value, places, shape);
}

export function stack({ build }: OnnxCall, parts: readonly OnnxValue[], wanted: number): OnnxValue {
  const { shape } = parts[0];
  if (parts.some((part) => part.shape.length !== shape.length || part.shape.some((n, k) => n !== shape[k]))) {
    throw fail("its body's outputs change their shape");
  }
  const axis = axisOf(wanted, shape.length + 1);
  const size = sizeOf(shape);
  if (size === 0) throw new NotLowerable("a tensor has no elements");
  const flat = joined(build, parts, [parts.length, ...shape]);
  if (axis === 0) return flat;
  const out = shape.toSpliced(axis, 0, parts.length);
  const strides = stridesOf(shape).toSpliced(axis, 0, size);
  const places = new Int32Array(build.room(out));
  eachPlace(out, (index, at) => {
    places[at] = index.reduce((sum, i, k) => sum + i * strides[k], 0);
  });
  return build.gather(flat, places, out);
}
