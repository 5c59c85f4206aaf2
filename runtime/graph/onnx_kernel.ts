/** Models that compare the input with points of the training data: support vectors and tables of distances. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { joined } from "./onnx_linear.ts";
import { NotLowerable, type OnnxBuilder, type OnnxValue, sizeOf } from "./onnx_value.ts";

export const KERNEL_RULES: Readonly<Record<string, OnnxRule>> = {
  "ai.onnx.ml:SVMRegressor": (call) => supportVectors(call),
  "com.microsoft:CDist": (call) => distances(call),
};

/** Σ coefficient·k(vector, x) + rho; without vectors coefficients·x + rho. */
function supportVectors(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const features = x.shape.at(-1) ?? 1;
  const coefficients = Float64Array.from(call.floats("coefficients") ?? []);
  const vectors = Float64Array.from(call.floats("support_vectors") ?? []);
  const count = call.integer("n_supports", 0);
  if (call.integer("one_class", 0) !== 0) throw new NotLowerable("it tells one class from the rest");
  const transform = call.text("post_transform", "NONE");
  if (transform !== "NONE") throw new NotLowerable(`its post_transform is ${transform}`);
  if (vectors.length !== count * features || coefficients.length !== (count > 0 ? count : features)) {
    throw fail(
      `it has ${coefficients.length} coefficients and ${vectors.length} numbers of ${count} vectors`,
    );
  }
  const rho = Float64Array.of(call.floats("rho")?.[0] ?? 0);
  const rows = rowsOf(build, x, features).map((row) => {
    const terms = count > 0 ? kernelOf(call, row, vectors, count) : row;
    return build.linear([1], coefficients, terms, rho);
  });
  return joined(build, rows, [rows.length, 1]);
}

function kernelOf(call: OnnxCall, row: OnnxValue, vectors: Float64Array, count: number): OnnxValue {
  const { build } = call;
  const [gamma = 0, shift = 0, degree = 3] = call.floats("kernel_params") ?? [];
  const dots = () => build.linear([count], vectors, row);
  const scaled = () =>
    build.binary("add", build.binary("mul", dots(), build.scalar(gamma)), build.scalar(shift));
  const kernel = call.text("kernel_type", "LINEAR");
  switch (kernel) {
    case "LINEAR":
      return dots();
    case "POLY":
      return build.binary("pow", scaled(), build.scalar(degree));
    case "SIGMOID":
      return build.unary("tanh", scaled());
    case "RBF":
      return build.unary(
        "exp",
        build.binary("mul", squaredDistances(build, row, vectors, count), build.scalar(-gamma)),
      );
    default:
      throw new NotLowerable(`its kernel is ${kernel.slice(0, 40)}`);
  }
}

/** |x − v|² for each vector, as |x|² − 2 v·x + |v|²: one product, and exact enough in float64. */
function squaredDistances(
  build: OnnxBuilder,
  row: OnnxValue,
  vectors: Float64Array,
  count: number,
): OnnxValue {
  const features = vectors.length / count;
  const lengths = Float64Array.from(
    { length: count },
    (_, i) => vectors.subarray(i * features, (i + 1) * features).reduce((sum, v) => sum + v * v, 0),
  );
  const cross = build.linear([count], vectors.map((v) => -2 * v), row, lengths);
  const own = build.wrap([], build.graph.sum(build.node(build.binary("mul", row, row))));
  return build.binary("add", cross, own);
}

function distances(call: OnnxCall): OnnxValue {
  const { build } = call;
  const [a, b] = [call.input(0), call.input(1)];
  const vectors = call.knownInput(1);
  const [count, features] = b.shape;
  if (a.shape.length !== 2 || b.shape.length !== 2 || a.shape[1] !== features || vectors.length === 0) {
    throw fail(`it compares shapes [${a.shape}] and [${b.shape}]`);
  }
  const metric = call.text("metric", "sqeuclidean");
  if (metric !== "sqeuclidean" && metric !== "euclidean") throw new NotLowerable(`its metric is ${metric}`);
  const rows = rowsOf(build, a, features).map((row) => squaredDistances(build, row, vectors, count));
  const squares = joined(build, rows, [rows.length, count]);
  if (metric === "sqeuclidean") return squares;
  return build.unary("sqrt", build.binary("max", squares, build.scalar(0)));
}

/** The rows of a matrix; a vector is one row. */
export function rowsOf(build: OnnxBuilder, x: OnnxValue, features: number): OnnxValue[] {
  return Array.from(
    { length: sizeOf(x.shape) / features },
    (_, i) => build.gather(x, Array.from({ length: features }, (_, k) => i * features + k), [features]),
  );
}
