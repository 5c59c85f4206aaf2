/// <reference path="../core/portable.d.ts" />
/** The instructions that the twins use, as far as they use them. */
interface Vector {
  readonly lanes: 2;
}
declare type v128 = Vector;
declare const v128: {
  load(address: usize, offset?: usize): Vector;
  store(address: usize, value: Vector, offset?: usize): void;
  load64_splat(address: usize): Vector;
  not(a: Vector): Vector;
  any_true(a: Vector): boolean;
  /** Bits of `a` where those of `mask` are set, else of `b`. */
  bitselect(a: Vector, b: Vector, mask: Vector): Vector;
};
declare const f64x2: {
  splat(value: f64): Vector;
  add(a: Vector, b: Vector): Vector;
  sub(a: Vector, b: Vector): Vector;
  mul(a: Vector, b: Vector): Vector;
  div(a: Vector, b: Vector): Vector;
  abs(a: Vector): Vector;
  neg(a: Vector): Vector;
  floor(a: Vector): Vector;
  le(a: Vector, b: Vector): Vector;
  lt(a: Vector, b: Vector): Vector;
  gt(a: Vector, b: Vector): Vector;
  ge(a: Vector, b: Vector): Vector;
  extract_lane(value: Vector, lane: 0 | 1): f64;
  replace_lane(value: Vector, lane: 0 | 1, number: f64): Vector;
};
declare const i32x4: {
  trunc_sat_f64x2_s_zero(a: Vector): Vector;
  shr_s(a: Vector, count: i32): Vector;
  extract_lane(a: Vector, lane: 0 | 1 | 2 | 3): i32;
};
declare const i64x2: {
  splat(value: i32): Vector;
  add(a: Vector, b: Vector): Vector;
  shl(a: Vector, count: i32): Vector;
  extend_low_i32x4_s(a: Vector): Vector;
  all_true(a: Vector): boolean;
};
declare function load<T extends f64>(address: usize, offset?: usize): T;
declare function store<T extends f64>(address: usize, value: T, offset?: usize): void;
declare const memory: { size(): i32 };
/** Gives back what nothing refers to any more. */
declare function __collect(): void;
