/// <reference path="../core/portable.d.ts" />
/** The instructions that the twins use, as far as they use them. */
interface Vector {
  readonly lanes: 2;
}
declare const v128: {
  load(address: usize, offset?: usize): Vector;
  store(address: usize, value: Vector, offset?: usize): void;
  load64_splat(address: usize): Vector;
};
declare const f64x2: {
  splat(value: f64): Vector;
  add(a: Vector, b: Vector): Vector;
  sub(a: Vector, b: Vector): Vector;
  mul(a: Vector, b: Vector): Vector;
  extract_lane(value: Vector, lane: 0 | 1): f64;
  replace_lane(value: Vector, lane: 0 | 1, number: f64): Vector;
};
declare function load<T extends f64>(address: usize, offset?: usize): T;
declare function store<T extends f64>(address: usize, value: T, offset?: usize): void;
declare const memory: { size(): i32 };
/** Gives back what nothing refers to any more. */
declare function __collect(): void;
