/// <reference path="../core/portable.d.ts" />
/** The instructions that the twins use, as far as they use them. */
interface Vector {
  readonly lanes: 2;
}
declare const v128: {
  load(address: usize, offset?: usize): Vector;
  store(address: usize, value: Vector, offset?: usize): void;
};
declare const f64x2: {
  splat(value: f64): Vector;
  add(a: Vector, b: Vector): Vector;
  sub(a: Vector, b: Vector): Vector;
  mul(a: Vector, b: Vector): Vector;
  extract_lane(value: Vector, lane: 0 | 1): f64;
};
declare function load<T extends f64>(address: usize): T;
declare function store<T extends f64>(address: usize, value: T): void;
declare const memory: { size(): i32 };
/** Gives back what nothing refers to any more. */
declare function __collect(): void;
