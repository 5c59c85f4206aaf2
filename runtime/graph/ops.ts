/**
 * The closed list of operations. A node's value is a dense vector of float64; a scalar has length 1 and broadcasts in
 * elementwise operations. Truth is 1, falsehood 0; any value but 0 is true. Rounding and remainders are Python's.
 */
// deno-fmt-ignore
export const UNARY_OPS = [
  "neg", "exp", "log", "log10", "sqrt", "sin", "cos", "tan", "tanh", "erf", "sigmoid", "gelu", "softplus", "abs", "floor", "ceil", "round", "not",
] as const;

// deno-fmt-ignore
export const BINARY_OPS = [
  "add", "sub", "mul", "div", "pow", "mod", "floordiv", "min", "max", "lt", "le", "eq", "and", "or",
] as const;

// deno-fmt-ignore
export const OPS = [
  "constant", "parameter", "variable", "opaque", ...UNARY_OPS, ...BINARY_OPS, "select", "linear", "concat", "slice", "sum", "trees",
] as const;

export type UnaryOp = (typeof UNARY_OPS)[number];
export type BinaryOp = (typeof BINARY_OPS)[number];
export type Op = (typeof OPS)[number];
