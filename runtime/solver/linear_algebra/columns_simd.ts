/// <reference types="../wasm/assemblyscript.d.ts" />
/** Twin of `columns.ts` with raw pointers and vectors of two numbers; only `asc` compiles it. */

export function subtractOne(a: Float64Array, to: i32, from: i32, count: i32, w: f64): void {
  subtract(a.dataStart + ((to as usize) << 3), a.dataStart + ((from as usize) << 3), count, w);
}

export function subtractFrom(x: Float64Array, to: i32, a: Float64Array, from: i32, count: i32, w: f64): void {
  subtract(x.dataStart + ((to as usize) << 3), a.dataStart + ((from as usize) << 3), count, w);
}

function subtract(to: usize, from: usize, count: i32, w: f64): void {
  const ws = f64x2.splat(w);
  const end = to + ((count as usize) << 3);
  while (to + 32 <= end) {
    v128.store(to, f64x2.sub(v128.load(to), f64x2.mul(ws, v128.load(from))));
    v128.store(to, f64x2.sub(v128.load(to, 16), f64x2.mul(ws, v128.load(from, 16))), 16);
    to += 32;
    from += 32;
  }
  while (to + 16 <= end) {
    v128.store(to, f64x2.sub(v128.load(to), f64x2.mul(ws, v128.load(from))));
    to += 16;
    from += 16;
  }
  if (to < end) store<f64>(to, load<f64>(to) - w * load<f64>(from));
}

export function subtractTwo(
  a: Float64Array,
  to: i32,
  from1: i32,
  w1: f64,
  from2: i32,
  w2: f64,
  count: i32,
): void {
  const w1s = f64x2.splat(w1);
  const w2s = f64x2.splat(w2);
  let at = a.dataStart + ((to as usize) << 3);
  let p = a.dataStart + ((from1 as usize) << 3);
  let q = a.dataStart + ((from2 as usize) << 3);
  const end = at + ((count as usize) << 3);
  while (at + 16 <= end) {
    const sum = f64x2.add(f64x2.mul(w1s, v128.load(p)), f64x2.mul(w2s, v128.load(q)));
    v128.store(at, f64x2.sub(v128.load(at), sum));
    at += 16;
    p += 16;
    q += 16;
  }
  if (at < end) store<f64>(at, load<f64>(at) - (w1 * load<f64>(p) + w2 * load<f64>(q)));
}

export function dotFrom(a: Float64Array, from: i32, x: Float64Array, at: i32, count: i32): f64 {
  let p = a.dataStart + ((from as usize) << 3);
  let q = x.dataStart + ((at as usize) << 3);
  const end = p + ((count as usize) << 3);
  let sums = f64x2.splat(0);
  while (p + 16 <= end) {
    sums = f64x2.add(sums, f64x2.mul(v128.load(p), v128.load(q)));
    p += 16;
    q += 16;
  }
  let even = f64x2.extract_lane(sums, 0);
  const odd = f64x2.extract_lane(sums, 1);
  if (p < end) even += load<f64>(p) * load<f64>(q);
  return even + odd;
}
