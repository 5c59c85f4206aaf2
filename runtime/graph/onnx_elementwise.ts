/** Lowering of operators that work element by element. Formulas: github.com/onnx/onnx, docs/Operators.md. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { fuseGelu, uniform } from "./onnx_gelu.ts";
import { numbersOf } from "./onnx_numbers.ts";
import { isFloatType } from "./onnx_tensor.ts";
import { NotLowerable, type OnnxBuilder, type OnnxValue } from "./onnx_value.ts";
import type { BinaryOp, UnaryOp } from "./ops.ts";

const BOOL = 9;

export const ELEMENTWISE_RULES: Readonly<Record<string, OnnxRule>> = {
  Abs: unary("abs"),
  Ceil: unary("ceil"),
  Cos: unary("cos"),
  Erf: unary("erf"),
  Exp: unary("exp"),
  Floor: unary("floor"),
  Log: (call) => logarithm(call.build, call.input(0)),
  Neg: (call) => call.build.unary("neg", call.input(0), call.input(0).integer),
  Not: (call) => call.build.unary("not", call.input(0), true),
  Round: unary("round"),
  Sigmoid: unary("sigmoid"),
  Sin: unary("sin"),
  Sinh: (call) => halfSum(call.build, call.input(0), "sub"),
  Cosh: (call) => halfSum(call.build, call.input(0), "add"),
  Sqrt: unary("sqrt"),
  Tan: unary("tan"),
  Tanh: unary("tanh"),

  Add: (call) => addition(call),
  Sub: binary("sub"),
  Mul: (call) => fuseGelu(call.build, product(call)),
  Div: (call) => division(call),
  Mod: (call) => modulo(call),
  Pow: binary("pow"),
  And: comparison("and"),
  Or: comparison("or"),
  IsNaN: (call) => {
    const { build } = call;
    const x = call.input(0);
    const numbers = numbersOf(build, x);
    const none = build.known(x.shape, new Float64Array(build.room(x.shape)), true);
    return numbers === undefined ? none : build.binary("eq", numbers, none, true);
  },
  Xor: (call) => call.build.unary("not", call.build.binary("eq", call.input(0), call.input(1), true), true),
  Equal: comparison("eq"),
  Less: comparison("lt"),
  LessOrEqual: comparison("le"),
  Greater: (call) => call.build.binary("lt", call.input(1), call.input(0), true),
  GreaterOrEqual: (call) => call.build.binary("le", call.input(1), call.input(0), true),

  Min: (call) => variadic(call, "min"),
  Max: (call) => variadic(call, "max"),
  Sum: (call) => variadic(call, "add"),
  Mean: (call) => call.build.binary("div", variadic(call, "add"), call.build.scalar(call.count)),
  Where: (call) => call.build.select(call.input(0), call.input(1), call.input(2)),
  Clip: (call) => clip(call),

  Cast: (call) => cast(call),
  CastLike: (call) => {
    if (call.input(1).integer) throw new NotLowerable("it casts to whole numbers");
    return { ...call.input(0), integer: false };
  },
  "ai.onnx.ml:Binarizer": (call) => {
    const above = call.build.binary("lt", call.build.scalar(call.float("threshold", 0)), call.input(0));
    return { ...above, integer: false };
  },
  Reciprocal: (call) => call.build.binary("div", call.build.scalar(1), call.input(0)),
  Sign: (call) => {
    const { build } = call;
    const x = call.input(0);
    return build.binary(
      "sub",
      build.binary("lt", build.scalar(0), x),
      build.binary("lt", x, build.scalar(0)),
    );
  },

  Relu: (call) => call.build.binary("max", call.input(0), call.build.scalar(0)),
  LeakyRelu: (call) => leaky(call.build, call.input(0), call.build.scalar(call.float("alpha", 0.01))),
  PRelu: (call) => leaky(call.build, call.input(0), call.input(1)),
  ThresholdedRelu: (call) => {
    const alpha = call.build.scalar(call.float("alpha", 1));
    return call.build.select(
      call.build.binary("lt", alpha, call.input(0)),
      call.input(0),
      call.build.scalar(0),
    );
  },
  Elu: (call) => exponentialUnit(call, call.float("alpha", 1), 1, 1),
  Celu: (call) => exponentialUnit(call, call.float("alpha", 1), call.float("alpha", 1), 1),
  Selu: (call) =>
    exponentialUnit(
      call,
      call.float("alpha", 1.67326319217681884765625),
      1,
      call.float("gamma", 1.05070102214813232421875),
    ),
  HardSigmoid: (call) => ramp(call.build, call.input(0), call.float("alpha", 0.2), call.float("beta", 0.5)),
  HardSwish: (call) => call.build.binary("mul", call.input(0), ramp(call.build, call.input(0), 1 / 6, 0.5)),
  Softplus: (call) => softplus(call.build, call.input(0)),
  Softsign: (call) => softsign(call.build, call.input(0)),
  Mish: (call) =>
    call.build.binary("mul", call.input(0), call.build.unary("tanh", softplus(call.build, call.input(0)))),
  Swish: (call) => {
    const scaled = call.build.binary("mul", call.input(0), call.build.scalar(call.float("alpha", 1)));
    return call.build.binary("mul", call.input(0), call.build.unary("sigmoid", scaled));
  },
  Gelu: (call) => gelu(call),
};

function unary(op: UnaryOp): OnnxRule {
  return (call) => call.build.unary(op, call.input(0));
}

function binary(op: BinaryOp): OnnxRule {
  return (call) => call.build.binary(op, call.input(0), call.input(1));
}

function comparison(op: BinaryOp): OnnxRule {
  return (call) => call.build.binary(op, call.input(0), call.input(1), true);
}

function variadic(call: OnnxCall, op: BinaryOp): OnnxValue {
  if (call.count === 0) throw fail("it has no inputs");
  return call.inputs().reduce((a, b) => call.build.binary(op, a, b));
}

function addition(call: OnnxCall): OnnxValue {
  const [a, b] = [call.input(0), call.input(1)];
  const { build } = call;
  if (b.data !== undefined && a.data === undefined) return build.affine(a, build.scalar(1), b);
  if (a.data !== undefined && b.data === undefined) return build.affine(b, build.scalar(1), a);
  return build.binary("add", a, b);
}

function product(call: OnnxCall): OnnxValue {
  const [a, b] = [call.input(0), call.input(1)];
  const { build } = call;
  // −0 adds nothing to any number, so that a product stays one.
  if (b.data !== undefined && a.data === undefined && a.once) return build.affine(a, b, build.scalar(-0));
  if (a.data !== undefined && b.data === undefined && b.once) return build.affine(b, a, build.scalar(-0));
  return build.binary("mul", a, b);
}

function division(call: OnnxCall): OnnxValue {
  const [a, b] = [call.input(0), call.input(1)];
  const quotient = call.build.binary("div", a, b);
  if (!a.integer || !b.integer) return quotient;
  if (quotient.data === undefined) {
    throw new NotLowerable("it divides whole numbers that depend on the inputs");
  }
  return call.build.known(quotient.shape, quotient.data.map(Math.trunc), true);
}

/** a − b·floor(a/b): the sign is b's; with fmod the quotient is cut, and the sign is a's. */
function modulo(call: OnnxCall): OnnxValue {
  const [a, b] = [call.input(0), call.input(1)];
  const { build } = call;
  const quotient = build.binary("div", { ...a, integer: false }, { ...b, integer: false });
  const whole = call.integer("fmod", 0) === 0 ? build.unary("floor", quotient) : truncated(build, quotient);
  return { ...build.binary("sub", a, build.binary("mul", b, whole)), integer: a.integer && b.integer };
}

/** (eˣ ± e⁻ˣ)/2 */
function halfSum(build: OnnxBuilder, x: OnnxValue, op: "add" | "sub"): OnnxValue {
  const sum = build.binary(op, build.unary("exp", x), build.unary("exp", build.unary("neg", x)));
  return build.binary("mul", sum, build.scalar(0.5));
}

function clip(call: OnnxCall): OnnxValue {
  const { build, node } = call;
  const bound = (name: string, index: number) =>
    call.has(index)
      ? call.input(index)
      : node.attributes.has(name)
      ? build.scalar(call.float(name, 0))
      : undefined;
  const [low, high] = [bound("min", 1), bound("max", 2)];
  const raised = low === undefined ? call.input(0) : build.binary("max", call.input(0), low);
  return high === undefined ? raised : build.binary("min", raised, high);
}

function cast(call: OnnxCall): OnnxValue {
  const x = call.input(0);
  const to = call.integer("to", 0);
  if (isFloatType(to)) return { ...x, integer: false };
  if (to === BOOL) return call.build.unary("not", call.build.binary("eq", x, call.build.scalar(0)), true);
  return x.integer ? x : { ...truncated(call.build, x), integer: true };
}

function truncated(build: OnnxBuilder, x: OnnxValue): OnnxValue {
  if (x.data !== undefined) return build.known(x.shape, x.data.map(Math.trunc));
  const negative = build.binary("lt", x, build.scalar(0), true);
  return build.select(negative, build.unary("ceil", x), build.unary("floor", x));
}

/** max(x, 0) + slope·min(x, 0); where the slope is known to be at most 1, the larger of x and slope·x. */
export function leaky(build: OnnxBuilder, x: OnnxValue, slope: OnnxValue): OnnxValue {
  if (slope.data?.every((value) => value <= 1)) return build.binary("max", x, build.binary("mul", x, slope));
  const zero = build.scalar(0);
  return build.binary(
    "add",
    build.binary("max", x, zero),
    build.binary("mul", slope, build.binary("min", x, zero)),
  );
}

/** gamma·x above 0, gamma·alpha·(e^(x/width) − 1) below. */
function exponentialUnit(call: OnnxCall, alpha: number, width: number, gamma: number): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const grown = build.unary("exp", build.binary("div", x, build.scalar(width)));
  const below = build.binary("mul", build.scalar(gamma * alpha), build.binary("sub", grown, build.scalar(1)));
  return build.select(
    build.binary("lt", x, build.scalar(0)),
    below,
    build.binary("mul", build.scalar(gamma), x),
  );
}

/** alpha·x + beta, kept within 0 … 1. */
export function ramp(build: OnnxBuilder, x: OnnxValue, alpha: number, beta: number): OnnxValue {
  const line = build.binary("add", build.binary("mul", x, build.scalar(alpha)), build.scalar(beta));
  return build.binary("max", build.scalar(0), build.binary("min", build.scalar(1), line));
}

/** log(1 + e^x). */
export function softplus(build: OnnxBuilder, x: OnnxValue): OnnxValue {
  return build.unary("softplus", x);
}

/** log σ(x) and log(1 + e^x), as exporters take apart what they have no operator for, do not overflow. */
function logarithm(build: OnnxBuilder, x: OnnxValue): OnnxValue {
  const { nodes } = build.graph;
  const node = x.id === undefined ? undefined : nodes[x.id];
  if (node?.op === "sigmoid") {
    const turned = build.unary("neg", build.wrap(x.shape, node.args[0]));
    return build.unary("neg", softplus(build, turned));
  }
  if (node?.op === "add" && node.args.some((id) => uniform(build.graph, id) === 1)) {
    const power = node.args.find((id) => nodes[id].op === "exp" && nodes[id].length === node.length);
    if (power !== undefined) return softplus(build, build.wrap(x.shape, nodes[power].args[0]));
  }
  return build.unary("log", x);
}

export function softsign(build: OnnxBuilder, x: OnnxValue): OnnxValue {
  return build.binary("div", x, build.binary("add", build.scalar(1), build.unary("abs", x)));
}

function gelu(call: OnnxCall): OnnxValue {
  const { build } = call;
  const x = call.input(0);
  const approximate = call.text("approximate", "none");
  if (approximate === "none") return build.unary("gelu", x);
  if (approximate !== "tanh") throw fail(`its approximation is "${approximate}", expected none or tanh`);
  const cubic = build.binary(
    "mul",
    build.binary("mul", x, x),
    build.binary("mul", x, build.scalar(0.044715)),
  );
  const inner = build.binary("mul", build.binary("add", x, cubic), build.scalar(Math.sqrt(2 / Math.PI)));
  const share = build.binary("add", build.scalar(1), build.unary("tanh", inner));
  return build.binary("mul", build.binary("mul", x, build.scalar(0.5)), share);
}
