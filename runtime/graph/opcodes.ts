/** What the operations in a tape are: their numbers by name, and their kinds. */
import * as codes from "./codes.ts";
import type { Op } from "./ops.ts";

export const CODE = {
  constant: codes.CONSTANT,
  parameter: codes.PARAMETER,
  variable: codes.VARIABLE,
  opaque: codes.OPAQUE,
  neg: codes.NEG,
  exp: codes.EXP,
  log: codes.LOG,
  log10: codes.LOG10,
  sqrt: codes.SQRT,
  sin: codes.SIN,
  cos: codes.COS,
  tan: codes.TAN,
  tanh: codes.TANH,
  erf: codes.ERF,
  sigmoid: codes.SIGMOID,
  gelu: codes.GELU,
  softplus: codes.SOFTPLUS,
  abs: codes.ABS,
  floor: codes.FLOOR,
  ceil: codes.CEIL,
  round: codes.ROUND,
  not: codes.NOT,
  add: codes.ADD,
  sub: codes.SUB,
  mul: codes.MUL,
  div: codes.DIV,
  pow: codes.POW,
  mod: codes.MOD,
  floordiv: codes.FLOORDIV,
  min: codes.MIN,
  max: codes.MAX,
  lt: codes.LT,
  le: codes.LE,
  eq: codes.EQ,
  and: codes.AND,
  or: codes.OR,
  select: codes.SELECT,
  linear: codes.LINEAR,
  concat: codes.CONCAT,
  slice: codes.SLICE,
  sum: codes.SUM,
  trees: codes.TREES,
} as const satisfies Record<Op, number>;

export type OpCode = (typeof CODE)[Op];

/**
 * What an operation is to the derivative rules. leaf: no instruction. step: derivative 0 almost everywhere. unary: one
 * smooth argument. pick: passes on one of its arguments. quotient: two arguments with partials of their own.
 */
export type Kind =
  | "leaf"
  | "step"
  | "neg"
  | "unary"
  | "abs"
  | "add"
  | "sub"
  | "mul"
  | "quotient"
  | "pick"
  | "linear"
  | "copy"
  | "sum"
  | "opaque";

const KIND: Record<Op, Kind> = {
  constant: "leaf",
  parameter: "leaf",
  variable: "leaf",
  slice: "leaf",
  opaque: "opaque",
  neg: "neg",
  exp: "unary",
  log: "unary",
  log10: "unary",
  sqrt: "unary",
  sin: "unary",
  cos: "unary",
  tan: "unary",
  tanh: "unary",
  erf: "unary",
  sigmoid: "unary",
  gelu: "unary",
  softplus: "unary",
  abs: "abs",
  floor: "step",
  ceil: "step",
  round: "step",
  not: "step",
  add: "add",
  sub: "sub",
  mul: "mul",
  div: "quotient",
  pow: "quotient",
  mod: "quotient",
  floordiv: "step",
  min: "pick",
  max: "pick",
  lt: "step",
  le: "step",
  eq: "step",
  and: "step",
  or: "step",
  select: "pick",
  linear: "linear",
  concat: "copy",
  sum: "sum",
  trees: "step",
};

const NAMES = new Map<number, Op>((Object.keys(CODE) as Op[]).map((op) => [CODE[op], op]));

/** The operation of a number, undefined where the number has none. */
export function opOf(code: number): Op | undefined {
  return NAMES.get(code);
}

export function kindOf(op: Op): Kind {
  return KIND[op];
}
