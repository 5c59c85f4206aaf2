import type { OnnxAttributeSpec, OnnxNodeSpec, OnnxTensorSpec } from "../../runtime/graph/onnx_writer.ts";
import { writeOnnx } from "../../runtime/graph/onnx_writer.ts";

/** A random ONNX model of 32-bit numbers (ONNX Runtime Web has no 64-bit kernel of some operators) from "x" [batch, inputs] to "y". */
export interface RandomOnnx {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly inputs: number;
  /** Whether it has corners: its derivatives are then not compared across them. */
  readonly smooth: boolean;
  readonly operators: ReadonlySet<string>;
}

interface Value {
  readonly name: string;
  readonly shape: readonly number[];
}

const UNARY = ["Tanh", "Sigmoid", "Softplus", "Softsign", "Sin", "Cos", "Neg", "Identity"];
const CORNERED = ["Relu", "LeakyRelu", "Abs", "HardSigmoid", "Elu"];
const BINARY = ["Add", "Sub", "Mul"];
const REDUCTIONS = ["ReduceSum", "ReduceMean", "ReduceSumSquare", "ReduceL2"];

/** Draws one model of 3 to 11 steps, each of one operator or a few. */
export function randomOnnx(next: () => number): RandomOnnx {
  const build = new Builder(next);
  const inputs = 1 + build.whole(4);
  const smooth = next() < 0.5;
  build.values.push({ name: "x", shape: [1, inputs] });
  const nodes = 3 + build.whole(9);
  for (let i = 0; i < nodes; i++) build.step(smooth);
  return { bytes: build.write(inputs), inputs, smooth, operators: new Set(build.nodes.map(({ op }) => op)) };
}

class Builder {
  readonly values: Value[] = [];
  readonly nodes: OnnxNodeSpec[] = [];
  readonly #tensors: OnnxTensorSpec[] = [];
  readonly #next: () => number;

  constructor(next: () => number) {
    this.#next = next;
  }

  /** 0 … below. */
  whole(below: number): number {
    return Math.floor(this.#next() * below);
  }

  step(smooth: boolean): void {
    const x = this.#recent();
    const kinds = [
      () => this.#dense(x),
      () => this.#dense(x),
      () => this.#node(this.#pick(smooth ? UNARY : [...UNARY, ...CORNERED]), [x], x.shape),
      () => this.#pair(x, smooth),
      () => this.#pair(x, smooth),
      () => this.#constant(x),
      () => this.#reduction(x),
      () => this.#join(x),
      () => this.#slice(x),
      () => this.#fold(x),
      () => this.#softmax(x),
      () => this.#norm(x),
      () => this.#convolution(x),
    ];
    kinds[this.whole(kinds.length)]();
  }

  /** All that nothing reads is summed up with the last value: nothing of the model is dead. */
  write(inputs: number): Uint8Array<ArrayBuffer> {
    const read = new Set(this.nodes.flatMap((node) => node.inputs));
    const ends = this.values.filter(({ name }) => !read.has(name)).map((value) => {
      const size = sizeOf(value);
      return this.#node("Reshape", [value, this.#whole([1, size])], [1, size]);
    });
    const all = ends.length === 1 ? ends[0] : this.#node(
      "Concat",
      ends,
      [1, ends.reduce((sum, end) => sum + sizeOf(end), 0)],
      { axis: { int: 1 } },
    );
    const weight = this.#tensor([sizeOf(all), 2], 0.5);
    this.nodes.push({ op: "MatMul", inputs: [all.name, weight.name], outputs: ["y"] });
    return writeOnnx({
      name: "random",
      opsets: { "": this.#pick([13, 14, 15, 16, 17]) },
      inputs: [{ name: "x", shape: ["batch", inputs] }],
      outputs: [{ name: "y", shape: ["batch", 2] }],
      initializers: this.#tensors,
      nodes: this.nodes,
    });
  }

  #recent(): Value {
    const { length } = this.values;
    return this.values[Math.max(0, length - 1 - this.whole(Math.min(length, 4)))];
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.whole(list.length)];
  }

  #node(
    op: string,
    inputs: readonly Value[],
    shape: readonly number[],
    attributes: Readonly<Record<string, OnnxAttributeSpec>> = {},
  ): Value {
    const value = { name: `v${this.nodes.length}`, shape };
    this.nodes.push({ op, inputs: inputs.map(({ name }) => name), outputs: [value.name], attributes });
    this.values.push(value);
    return value;
  }

  #tensor(shape: readonly number[], size = 1, shift = 0): Value {
    const name = `w${this.#tensors.length}`;
    const count = shape.reduce((a, b) => a * b, 1);
    const data = Array.from({ length: count }, () => Math.fround(shift + size * (2 * this.#next() - 1)));
    this.#tensors.push({ name, shape, data, typed: this.#next() < 0.5 });
    return { name, shape };
  }

  #whole(data: readonly number[]): Value {
    const name = `w${this.#tensors.length}`;
    this.#tensors.push({ name, shape: [data.length], data, type: "int64" });
    return { name, shape: [data.length] };
  }

  #dense(x: Value): Value {
    const width = 1 + this.whole(5);
    const inner = x.shape.at(-1)!;
    const weight = this.#tensor([inner, width], 1 / Math.sqrt(inner));
    if (x.shape.length !== 2 || this.#next() < 0.5) {
      return this.#node("MatMul", [x, weight], [...x.shape.slice(0, -1), width]);
    }
    return this.#node("Gemm", [x, weight, this.#tensor([width])], [x.shape[0], width]);
  }

  /** Two values that broadcast. */
  #pair(x: Value, smooth: boolean): Value {
    const fits = this.values.filter(({ shape }) => broadcast(x.shape, shape) !== undefined);
    const other = this.#pick(fits);
    const shape = broadcast(x.shape, other.shape)!;
    return this.#node(this.#pick(smooth ? BINARY : [...BINARY, "Min", "Max"]), [x, other], shape);
  }

  /** A constant that broadcasts: some dimensions are 1, some in front are missing. */
  #constant(x: Value): Value {
    const shape = x.shape.slice(this.whole(x.shape.length + 1)).map((n) => this.#next() < 0.4 ? 1 : n);
    const op = this.#pick([...BINARY, "Div"]);
    return this.#node(op, [x, this.#tensor(shape, 0.5, op === "Div" ? 1.5 : 0)], x.shape);
  }

  #reduction(x: Value): Value {
    const axis = this.whole(x.shape.length);
    const keep = this.#next() < 0.7 || x.shape.length < 3;
    const shape = x.shape.flatMap((n, k) => k !== axis ? [n] : keep ? [1] : []);
    const op = this.#pick(REDUCTIONS);
    const keepdims = { int: keep ? 1 : 0 };
    // A square root at 0 has no derivative: one is added to what goes below it.
    const lifted = op === "ReduceL2" ? this.#node("Exp", [this.#node("Tanh", [x], x.shape)], x.shape) : x;
    if (op === "ReduceSum") return this.#node(op, [lifted, this.#whole([axis])], shape, { keepdims });
    return this.#node(op, [lifted], shape, { axes: { ints: [axis] }, keepdims });
  }

  #join(x: Value): Value {
    const axis = this.whole(x.shape.length);
    const fits = this.values.filter(({ shape }) =>
      shape.length === x.shape.length && shape.every((n, k) => k === axis || n === x.shape[k])
    );
    const other = this.#pick(fits);
    const shape = x.shape.map((n, k) => k === axis ? n + other.shape[k] : n);
    return sizeOf({ name: "", shape }) > 60 ? x : this.#node("Concat", [x, other], shape, {
      axis: { int: axis - (this.#next() < 0.5 ? shape.length : 0) },
    });
  }

  #slice(x: Value): Value {
    const axis = this.whole(x.shape.length);
    const size = x.shape[axis];
    const start = this.whole(size);
    const end = start + 1 + this.whole(size - start);
    const shape = x.shape.map((n, k) => k === axis ? end - start : n);
    // An end before the last element may be counted from behind.
    const written = end < size && this.#next() < 0.5 ? end - size : end;
    const inputs = [[start], [written], [axis]].map((list) => this.#whole(list));
    return this.#node("Slice", [x, ...inputs], shape);
  }

  /** The same elements in another shape or order. */
  #fold(x: Value): Value {
    const rank = x.shape.length;
    switch (this.whole(4)) {
      case 0: {
        const order = x.shape.map((_, k) => k).toReversed();
        return this.#node("Transpose", [x], order.map((k) => x.shape[k]), { perm: { ints: order } });
      }
      case 1:
        if (rank > 3) return x;
        return this.#node("Unsqueeze", [x, this.#whole([rank])], [...x.shape, 1]);
      case 2:
        return this.#node("Flatten", [x], [x.shape[0], x.shape.slice(1).reduce((a, b) => a * b, 1)]);
      default: {
        const size = sizeOf(x);
        const rows = this.#pick([1, 2, 3].filter((n) => size % n === 0));
        return this.#node("Reshape", [x, this.#whole([rows, -1])], [rows, size / rows]);
      }
    }
  }

  #softmax(x: Value): Value {
    return this.#node("Softmax", [x], x.shape, { axis: { int: -1 } });
  }

  #norm(x: Value): Value {
    const width = x.shape.at(-1)!;
    if (width < 3) return x;
    const mean = this.#node("ReduceMean", [x], [...x.shape.slice(0, -1), 1], { axes: { ints: [-1] } });
    const centred = this.#node("Sub", [x, mean], x.shape);
    const squares = this.#node("Mul", [centred, centred], x.shape);
    const variance = this.#node("ReduceMean", [squares], mean.shape, { axes: { ints: [-1] } });
    const lifted = this.#node("Add", [variance, this.#tensor([], 0.1, 0.5)], mean.shape);
    return this.#node("Div", [centred, this.#node("Sqrt", [lifted], mean.shape)], x.shape);
  }

  #convolution(x: Value): Value {
    const size = sizeOf(x);
    if (size < 4 || size > 24) return x;
    const series = this.#node("Reshape", [x, this.#whole([1, 1, size])], [1, 1, size]);
    const kernel = 2 + this.whole(2);
    const padding = this.whole(2);
    const weight = this.#tensor([2, 1, kernel], 0.7);
    const width = Math.floor((size + 2 * padding - kernel) / 2) + 1;
    return this.#node("Conv", [series, weight, this.#tensor([2])], [1, 2, width], {
      strides: { ints: [2] },
      pads: { ints: [padding, padding] },
      kernel_shape: { ints: [kernel] },
    });
  }
}

function sizeOf({ shape }: Value): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Undefined where the shapes do not fit, or would grow large. */
function broadcast(a: readonly number[], b: readonly number[]): number[] | undefined {
  const rank = Math.max(a.length, b.length);
  const shape = Array.from({ length: rank }, (_, k) => {
    const [left, right] = [a[k - rank + a.length] ?? 1, b[k - rank + b.length] ?? 1];
    return left === right || right === 1 ? left : left === 1 ? right : 0;
  });
  const size = shape.reduce((product, n) => product * n, 1);
  return size === 0 || size > 60 ? undefined : shape;
}
