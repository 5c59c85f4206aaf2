/** The numbers of the operations in a tape. They are part of its format: changing one means a new version. */
import type { BinaryOp, Op, UnaryOp } from "./ops.ts";

export const CODE = {
  constant: 0,
  parameter: 1,
  variable: 2,
  opaque: 3,
  neg: 10,
  exp: 11,
  log: 12,
  log10: 13,
  sqrt: 14,
  sin: 15,
  cos: 16,
  tan: 17,
  tanh: 18,
  erf: 19,
  sigmoid: 20,
  gelu: 21,
  abs: 22,
  floor: 23,
  ceil: 24,
  round: 25,
  not: 26,
  add: 40,
  sub: 41,
  mul: 42,
  div: 43,
  pow: 44,
  mod: 45,
  floordiv: 46,
  min: 47,
  max: 48,
  lt: 49,
  le: 50,
  eq: 51,
  and: 52,
  or: 53,
  select: 60,
  linear: 61,
  concat: 62,
  slice: 63,
  sum: 64,
} as const satisfies Record<Op, number>;

export type OpCode = (typeof CODE)[Op];
export type UnaryCode = (typeof CODE)[UnaryOp];
export type BinaryCode = (typeof CODE)[BinaryOp];

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
};

const NAMES = new Map<number, Op>((Object.keys(CODE) as Op[]).map((op) => [CODE[op], op]));

/** The operation of a number, undefined where the number has none. */
export function opOf(code: number): Op | undefined {
  return NAMES.get(code);
}

export function kindOf(op: Op): Kind {
  return KIND[op];
}
