/**
 * Convolutions and pooling as matrix products and maxima over windows, and Pad. Sources: github.com/onnx/onnx,
 * docs/Operators.md; a window's element outside the input is 0, and is nothing to a maximum.
 */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { joined } from "./onnx_linear.ts";
import { eachPlace, NotLowerable, type OnnxValue, sizeOf, stridesOf } from "./onnx_value.ts";

/** Weights of one product that a window slid over the input may need. */
const MAX_WEIGHTS = 1 << 19;
/** Elements of all windows together. */
const MAX_TAPS = 1 << 21;

export const CONVOLUTION_RULES: Readonly<Record<string, OnnxRule>> = {
  Conv: (call) => convolution(call),
  AveragePool: (call) => averagePool(call),
  GlobalAveragePool: (call) => averagePool(call, call.input(0).shape.slice(2)),
  MaxPool: (call) => maxPool(call),
  GlobalMaxPool: (call) => maxPool(call, call.input(0).shape.slice(2)),
  Pad: (call) => pad(call),
};

/** How a window of `kernel` slides over the dimensions after batch and channel. */
interface Windows {
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly out: readonly number[];
  /** Place of the kernel's element `k` for the result at `index`, a dimension; may be outside. */
  readonly at: (axis: number, index: number, k: number) => number;
  /** How many elements of the kernel lie inside the input and its border, a dimension. */
  readonly padded: (axis: number, index: number) => number;
}

function windowsOf(call: OnnxCall, kernel: readonly number[]): Windows {
  const { shape } = call.input(0);
  const size = shape.slice(2);
  if (shape.length < 3 || kernel.length !== size.length) {
    throw fail(`its input has shape [${shape}], its window [${kernel}]`);
  }
  const list = (name: string, otherwise: number, length = size.length) => {
    const found = call.wholes(name);
    if (found !== undefined && (found.length !== length || found.some((n) => n < otherwise))) {
      throw fail(`its ${name} are [${found}]`);
    }
    return found ?? new Array<number>(length).fill(otherwise);
  };
  const [strides, dilations] = [list("strides", 1), list("dilations", 1)];
  const span = kernel.map((n, i) => (n - 1) * dilations[i] + 1);
  const mode = call.text("auto_pad", "NOTSET");
  const before = [...list("pads", 0, 2 * size.length).slice(0, size.length)];
  const after = list("pads", 0, 2 * size.length).slice(size.length);
  const up = call.integer("ceil_mode", 0) !== 0;
  const out = size.map((n, i) => {
    if (mode === "SAME_UPPER" || mode === "SAME_LOWER") {
      const count = Math.ceil(n / strides[i]);
      const total = Math.max(0, (count - 1) * strides[i] + span[i] - n);
      before[i] = mode === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
      after[i] = total - before[i];
      return count;
    }
    if (mode === "VALID") before[i] = after[i] = 0;
    const steps = (n + before[i] + after[i] - span[i]) / strides[i];
    if (!up) return Math.floor(steps) + 1;
    // a window that begins behind the input is left out
    return Math.ceil(steps) + (Math.ceil(steps) * strides[i] < n + before[i] ? 1 : 0);
  });
  if (!(sizeOf(out) * sizeOf(kernel) <= MAX_TAPS)) {
    throw new NotLowerable(`its windows [${kernel}] at [${out}] places have too many elements`);
  }
  if (out.some((n) => !(n > 0))) throw fail(`its window [${kernel}] does not fit into [${size}]`);
  const at = (axis: number, index: number, k: number) =>
    index * strides[axis] + k * dilations[axis] - before[axis];
  const padded = (axis: number, index: number) =>
    Math.min(kernel[axis], Math.ceil((size[axis] + after[axis] - at(axis, index, 0)) / dilations[axis]));
  return { size, kernel, out, at, padded };
}

/** Visits each element of each window inside the input: result, kernel element and input as flat places. */
function eachTap(
  { size, kernel, out, at }: Windows,
  visit: (result: number, element: number, place: number) => void,
): void {
  const strides = stridesOf(size);
  eachPlace(out, (index, result) => {
    eachPlace(kernel, (tap, element) => {
      let place = 0;
      for (let axis = 0; axis < size.length; axis++) {
        const i = at(axis, index[axis], tap[axis]);
        if (i < 0 || i >= size[axis]) return;
        place += i * strides[axis];
      }
      visit(result, element, place);
    });
  });
}

/** One product a row of the batch; `fill` writes the matrix. */
export function product(
  call: OnnxCall,
  channels: number,
  { size, out }: Pick<Windows, "size" | "out">,
  fill: (weight: Float64Array, columns: number) => void,
  bias?: Float64Array,
): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const batch = x.shape[0];
  const columns = x.shape[1] * sizeOf(size);
  const rows = channels * sizeOf(out);
  if (!(rows * columns <= MAX_WEIGHTS)) {
    throw new NotLowerable(`as a matrix product it has ${rows} × ${columns} weights`);
  }
  const weight = new Float64Array(rows * columns);
  fill(weight, columns);
  const results = Array.from({ length: batch }, (_, row) => {
    const places = Array.from({ length: columns }, (_, i) => row * columns + i);
    return build.linear([rows], weight, build.gather(x, places, [columns]), bias);
  });
  return joined(build, results, [batch, channels, ...out]);
}

function convolution(call: OnnxCall): OnnxValue {
  const { shape } = call.input(0);
  const kernel = call.input(1).shape;
  const data = call.knownInput(1);
  const group = call.integer("group", 1);
  const [channels, own] = kernel;
  if (!(group > 0) || channels % group !== 0 || own * group !== shape[1]) {
    throw fail(`its input has shape [${shape}], its weights [${kernel}], in ${group} groups`);
  }
  const windows = windowsOf(call, kernel.slice(2));
  const [area, inside, taps] = [sizeOf(windows.out), sizeOf(windows.size), sizeOf(windows.kernel)];
  const shift = call.has(2) ? call.knownInput(2) : new Float64Array(channels);
  if (shift.length !== channels) throw fail(`it has ${shift.length} biases for ${channels} channels`);
  const fill = (weight: Float64Array, columns: number) => {
    eachTap(windows, (result, element, place) => {
      for (let m = 0; m < channels; m++) {
        const first = Math.floor(m * group / channels) * own;
        for (let c = 0; c < own; c++) {
          weight[(m * area + result) * columns + (first + c) * inside + place] =
            data[(m * own + c) * taps + element];
        }
      }
    });
  };
  const bias = Float64Array.from({ length: channels * area }, (_, i) => shift[Math.floor(i / area)]);
  return product(call, channels, windows, fill, bias);
}

function averagePool(call: OnnxCall, kernel = call.wholes("kernel_shape") ?? []): OnnxValue {
  const windows = windowsOf(call, kernel);
  const channels = call.input(0).shape[1];
  const [area, inside] = [sizeOf(windows.out), sizeOf(windows.size)];
  const counts = new Float64Array(area);
  eachTap(windows, (result) => counts[result]++);
  if (call.integer("count_include_pad", 0) !== 0) {
    eachPlace(windows.out, (index, result) => {
      counts[result] = sizeOf(index.map((i, axis) => windows.padded(axis, i)));
    });
  }
  return product(call, channels, windows, (weight, columns) => {
    eachTap(windows, (result, _, place) => {
      for (let c = 0; c < channels; c++) {
        weight[(c * area + result) * columns + c * inside + place] = 1 / counts[result];
      }
    });
  });
}

function maxPool(call: OnnxCall, kernel = call.wholes("kernel_shape") ?? []): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const windows = windowsOf(call, kernel);
  const blocks = x.shape[0] * x.shape[1];
  const [area, inside, taps] = [sizeOf(windows.out), sizeOf(windows.size), sizeOf(windows.kernel)];
  build.spend(area * taps);
  const inputs: number[][] = Array.from({ length: area }, () => []);
  eachTap(windows, (result, _, place) => inputs[result].push(place));
  if (inputs.some((list) => list.length === 0)) throw fail("a window lies outside its input");
  // A window that is cut at the border takes its first element again: the same maximum.
  const shape = [x.shape[0], x.shape[1], ...windows.out];
  const size = build.room(shape);
  return Array.from({ length: Math.max(...inputs.map((list) => list.length)) }, (_, tap) =>
    build.gather(
      x,
      Int32Array.from({ length: size }, (_, i) => {
        const list = inputs[i % area];
        return Math.floor(i / area) % blocks * inside + (list[tap] ?? list[0]);
      }),
      shape,
    )).reduce((a, b) => build.binary("max", a, b));
}

function pad(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const mode = call.text("mode", "constant");
  const amounts = call.integers("pads", 1) ?? [];
  const axes = call.has(3) ? [...call.knownInput(3)] : x.shape.map((_, axis) => axis);
  if (amounts.length !== 2 * axes.length) throw fail(`it pads [${x.shape}] by [${amounts}]`);
  const before = x.shape.map(() => 0);
  const shape = [...x.shape];
  axes.forEach((wanted, i) => {
    const axis = wanted < 0 ? wanted + x.shape.length : wanted;
    if (!(axis in shape)) throw fail(`it pads axis ${wanted} of [${x.shape}]`);
    before[axis] = amounts[i];
    shape[axis] += amounts[i] + amounts[i + axes.length];
  });
  if (shape.some((n) => !(n > 0))) throw fail(`it pads [${x.shape}] by [${amounts}]`);
  const value = call.has(2) ? call.input(2) : build.scalar(call.float("value", 0));
  const source = joined(build, [x, value], [sizeOf(x.shape) + 1]);
  const strides = stridesOf(x.shape);
  const outside = sizeOf(x.shape);
  const places = new Int32Array(build.room(shape));
  eachPlace(shape, (index, at) => {
    let place = 0;
    for (let axis = 0; axis < shape.length; axis++) {
      const i = insideOf(index[axis] - before[axis], x.shape[axis], mode);
      if (i === undefined) {
        place = outside;
        break;
      }
      place += i * strides[axis];
    }
    places[at] = place;
  });
  return build.gather(source, places, shape);
}

/** The place that stands for `i`; undefined: the constant. */
function insideOf(i: number, size: number, mode: string): number | undefined {
  if (i >= 0 && i < size) return i;
  switch (mode) {
    case "constant":
      return undefined;
    case "edge":
      return i < 0 ? 0 : size - 1;
    case "reflect": {
      const mirrored = i < 0 ? -i : 2 * (size - 1) - i;
      if (mirrored < 0 || mirrored >= size) throw fail(`it reflects ${size} elements by more than they are`);
      return mirrored;
    }
    case "wrap":
      return (i % size + size) % size;
    default:
      throw new NotLowerable(`its mode is ${mode.slice(0, 40)}`);
  }
}
