/** Lowering of matrix products and ai.onnx.ml's linear operators. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { numbersOf } from "./onnx_numbers.ts";
import { NotLowerable, type OnnxBuilder, type OnnxValue, sizeOf } from "./onnx_value.ts";

/** Dot products that one product of two matrices may become where none of them is one `linear`. */
const MAX_PRODUCTS = 4096;

export const LINEAR_RULES: Readonly<Record<string, OnnxRule>> = {
  Gemm: (call) => gemm(call),
  MatMul: (call) => matMul(call.build, call.input(0), call.input(1)),
  "ai.onnx.ml:Scaler": (call) => scaler(call),
  "ai.onnx.ml:Imputer": (call) => imputer(call),
  "ai.onnx.ml:LinearRegressor": (call) => linearRegressor(call),
  "ai.onnx.ml:Normalizer": (call) => normalizer(call),
};

/** alpha·A′·B′ + beta·C. */
function gemm(call: OnnxCall): OnnxValue {
  const { build } = call;
  const [a, b] = [0, 1].map((index) => {
    const matrix = call.input(index);
    if (matrix.shape.length !== 2) {
      throw fail(`its input ${index + 1} has shape [${matrix.shape}], expected a matrix`);
    }
    return call.integer(index === 0 ? "transA" : "transB", 0) === 0 ? matrix : transposed(build, matrix);
  });
  const alpha = call.float("alpha", 1);
  const product = matMul(build, a, alpha === 1 || b.data === undefined ? b : scaled(build, b, alpha));
  const out = alpha === 1 || b.data !== undefined ? product : scaled(build, product, alpha);
  if (!call.has(2)) return out;
  const c = scaled(build, call.input(2), call.float("beta", 1));
  return c.data === undefined
    ? build.binary("add", out, c)
    : build.affine({ ...out, once: true }, build.scalar(1), c);
}

function scaled(build: OnnxBuilder, value: OnnxValue, factor: number): OnnxValue {
  return factor === 1 ? value : build.binary("mul", value, build.scalar(factor));
}

function transposed(build: OnnxBuilder, matrix: OnnxValue): OnnxValue {
  const [rows, columns] = matrix.shape;
  build.room([columns, rows]);
  const places = Int32Array.from(
    { length: rows * columns },
    (_, i) => (i % rows) * columns + Math.floor(i / rows),
  );
  return build.gather(matrix, places, [columns, rows]);
}

/** NumPy's matmul: leading dimensions are batches, a vector is a row on the left and a column on the right. */
export function matMul(build: OnnxBuilder, a: OnnxValue, b: OnnxValue): OnnxValue {
  if (a.shape.length === 0 || b.shape.length === 0) throw fail("it multiplies a number without dimensions");
  const left = a.shape.length === 1 ? [1, a.shape[0]] : a.shape;
  const right = b.shape.length === 1 ? [b.shape[0], 1] : b.shape;
  const [rows, inner] = left.slice(-2);
  const [depth, columns] = right.slice(-2);
  if (inner !== depth) throw fail(`it multiplies shapes [${a.shape}] and [${b.shape}]`);
  const batch = batchShape(left.slice(0, -2), right.slice(0, -2), a, b);
  const spread = (value: OnnxValue, shape: readonly number[]) =>
    build.broadcast(build.reshaped(value, shape), [...batch, ...shape.slice(-2)]);
  const parts: OnnxValue[] = [];
  const [lefts, rights] = [spread(a, left), spread(b, right)];
  for (let i = 0; i < sizeOf(batch); i++) {
    parts.push(
      product2(build, part(build, lefts, i, [rows, inner]), part(build, rights, i, [inner, columns])),
    );
  }
  const shape = [
    ...batch,
    ...(a.shape.length === 1 ? [] : [rows]),
    ...(b.shape.length === 1 ? [] : [columns]),
  ];
  return joined(build, parts, shape);
}

/** One matrix times one matrix. */
function product2(build: OnnxBuilder, a: OnnxValue, b: OnnxValue): OnnxValue {
  const [[rows, inner], columns] = [a.shape, b.shape[1]];
  build.room([rows, columns]);
  if (inner === 0 || rows * columns === 0) throw new NotLowerable("a matrix has no elements");
  if (b.data !== undefined && (rows === 1 || a.data === undefined)) {
    const weight = transposed(build, b).data!;
    checkProducts(rows);
    return joined(
      build,
      rowsOf(build, a).map((row) => build.linear([columns], weight, row)),
      [rows, columns],
    );
  }
  if (a.data !== undefined) {
    checkProducts(columns);
    const parts = rowsOf(build, transposed(build, b));
    const product = parts.map((column) => build.linear([rows], a.data!, column));
    return transposed(build, joined(build, product, [columns, rows]));
  }
  checkProducts(rows * columns);
  const [lefts, rights] = [rowsOf(build, a), rowsOf(build, transposed(build, b))];
  const dots = lefts.flatMap((row) =>
    rights.map((column) => build.wrap([1], build.graph.sum(build.node(build.binary("mul", row, column)))))
  );
  return joined(build, dots, [rows, columns]);
}

function checkProducts(count: number): void {
  if (count > MAX_PRODUCTS) throw new NotLowerable(`it has ${count} products of rows and columns`);
}

function rowsOf(build: OnnxBuilder, matrix: OnnxValue): OnnxValue[] {
  return Array.from({ length: matrix.shape[0] }, (_, i) => part(build, matrix, i, [matrix.shape[1]]));
}

/** Piece i of `shape` in the flat order. */
export function part(build: OnnxBuilder, value: OnnxValue, i: number, shape: readonly number[]): OnnxValue {
  const size = sizeOf(shape);
  if (size === sizeOf(value.shape)) return build.reshaped(value, shape);
  return build.gather(value, Int32Array.from({ length: size }, (_, k) => i * size + k), shape);
}

/** The parts one after the other. */
export function joined(build: OnnxBuilder, parts: readonly OnnxValue[], shape: readonly number[]): OnnxValue {
  if (parts.length === 1) return build.reshaped(parts[0], shape);
  return build.wrap(
    shape,
    build.graph.concat(parts.map((value) => build.node(value))),
    parts.every((v) => v.integer),
  );
}

function batchShape(a: readonly number[], b: readonly number[], left: OnnxValue, right: OnnxValue): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [m, n] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (m !== n && m !== 1 && n !== 1) {
      throw fail(`it multiplies shapes [${left.shape}] and [${right.shape}]`);
    }
    return m === 1 ? n : m;
  });
}

/** (x − offset)·scale a feature, the last dimension. */
function scaler(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const list = (name: string, otherwise: number) => {
    const values = call.floats(name) ?? [otherwise];
    if (values.length !== 1 && values.length !== x.shape.at(-1)) {
      throw fail(`its ${name} has ${values.length} values for ${x.shape.at(-1)} features`);
    }
    return build.known([values.length], Float64Array.from(values));
  };
  const factor = list("scale", 1);
  const shift = build.unary("neg", build.binary("mul", list("offset", 0), factor));
  return { ...build.affine(x, factor, shift), integer: false };
}

/** Another number in the place of the one that means "missing". */
function imputer(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const missing = call.float("replaced_value_float", 0);
  const values = call.floats("imputed_value_floats") ?? [];
  if (values.length !== 1 && values.length !== x.shape.at(-1)) {
    throw fail(`it has ${values.length} values for ${x.shape.at(-1)} features`);
  }
  const given = build.known([values.length], Float64Array.from(values));
  if (Number.isNaN(missing)) {
    const numbers = numbersOf(build, x);
    return numbers === undefined ? x : build.select(numbers, x, given);
  }
  return build.select(build.binary("eq", x, build.scalar(missing), true), given, x);
}

function linearRegressor(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const transform = call.text("post_transform", "NONE");
  if (transform !== "NONE") throw new NotLowerable(`its post_transform is ${transform}`);
  const targets = call.integer("targets", 1);
  const coefficients = call.floats("coefficients") ?? [];
  const features = x.shape.at(-1) ?? 1;
  if (!(targets > 0) || coefficients.length !== targets * features) {
    throw fail(`it has ${coefficients.length} coefficients, expected ${targets} × ${features}`);
  }
  const weight = transposed(build, build.known([targets, features], Float64Array.from(coefficients)));
  const out = matMul(build, x.shape.length === 1 ? build.reshaped(x, [1, features]) : x, weight);
  const intercepts = call.floats("intercepts");
  if (intercepts === undefined) return out;
  const shift = build.known([intercepts.length], Float64Array.from(intercepts));
  return build.affine({ ...out, once: true }, build.scalar(1), shift);
}

/** Each row divided by its L1 or L2 norm, or by its largest element. */
function normalizer(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const norm = call.text("norm", "MAX");
  if (norm !== "L1" && norm !== "L2" && norm !== "MAX") throw new NotLowerable(`its norm is ${norm}`);
  const features = x.shape.at(-1) ?? 1;
  const count = sizeOf(x.shape) / features;
  const rows = Array.from({ length: count }, (_, i) => {
    const row = part(build, x, i, [features]);
    if (norm === "MAX") {
      const elements = Array.from({ length: features }, (_, k) => build.gather(row, [k], [1]));
      return build.binary("div", row, elements.reduce((a, b) => build.binary("max", a, b)));
    }
    const powers = norm === "L1" ? build.unary("abs", row) : build.binary("mul", row, row);
    const total = build.wrap([], build.graph.sum(build.node(powers)));
    return build.binary("div", row, norm === "L1" ? total : build.unary("sqrt", total));
  });
  return { ...joined(build, rows, x.shape), integer: false };
}
