/// <reference types="../solver/wasm/assemblyscript.d.ts" />
/**
 * Twin of `curves.ts`: the operations of special.ts, in their order, on two numbers at a time. What lies far out goes the
 * way of single numbers. Only `asc` compiles this file.
 */
import { exp, FRACTIONS, normalCdfWith, sigmoid, tanh } from "./special.ts";

/** Where a rational function of its own begins for √½·|x|. */
const NEAR: f64 = 0.46875;
const FAR: f64 = 4;

export function applyGelu(
  v: Float64Array,
  first: Float64Array,
  second: Float64Array,
  a: i32,
  out: i32,
  length: i32,
): void {
  let p = v.dataStart + ((a as usize) << 3);
  let to = v.dataStart + ((out as usize) << 3);
  let to1 = first.dataStart + ((out as usize) << 3);
  let to2 = second.dataStart + ((out as usize) << 3);
  const end = p + ((length as usize) << 3);
  while (p + 16 <= end) {
    const x = v128.load(p);
    const y = f64x2.mul(f64x2.abs(x), f64x2.splat(0.7071067811865476));
    if (v128.any_true(v128.not(f64x2.le(y, f64x2.splat(FAR))))) {
      single(p, to, to1, to2);
      single(p + 8, to + 8, to1 + 8, to2 + 8);
    } else {
      const e = pairExp(f64x2.mul(f64x2.mul(f64x2.splat(-0.5), x), x));
      const isNear = f64x2.le(y, f64x2.splat(NEAR));
      let cdf = e;
      if (!v128.any_true(isNear)) {
        cdf = phiFar(x, f64x2.div(farTop(y), farBottom(y)), e);
      } else {
        const t = f64x2.mul(x, f64x2.splat(0.7071067811865476));
        const z = f64x2.mul(t, t);
        let top = nearTop(t, z);
        let bottom = nearBottom(z);
        if (i64x2.all_true(isNear)) {
          cdf = phiNear(f64x2.div(top, bottom));
        } else {
          // divisions are dear: one for both
          top = v128.bitselect(top, farTop(y), isNear);
          bottom = v128.bitselect(bottom, farBottom(y), isNear);
          const quotient = f64x2.div(top, bottom);
          cdf = v128.bitselect(phiNear(quotient), phiFar(x, quotient, e), isNear);
        }
      }
      v128.store(to, f64x2.mul(x, cdf));
      v128.store(to1, cdf);
      v128.store(to2, e);
    }
    p += 16;
    to += 16;
    to1 += 16;
    to2 += 16;
  }
  if (p < end) single(p, to, to1, to2);
}

function single(p: usize, to: usize, to1: usize, to2: usize): void {
  const x = load<f64>(p);
  const e = exp(-0.5 * x * x);
  const cdf = normalCdfWith(x, e);
  store<f64>(to, cdf === 0 ? 0.0 : x * cdf);
  store<f64>(to1, cdf);
  store<f64>(to2, e);
}

export function applyTanh(v: Float64Array, a: i32, out: i32, length: i32): void {
  let p = v.dataStart + ((a as usize) << 3);
  let to = v.dataStart + ((out as usize) << 3);
  const end = p + ((length as usize) << 3);
  while (p + 16 <= end) {
    const x = v128.load(p);
    const y = f64x2.abs(x);
    if (v128.any_true(v128.not(f64x2.le(y, f64x2.splat(20))))) {
      store<f64>(to, tanh(load<f64>(p)));
      store<f64>(to, tanh(load<f64>(p, 8)), 8);
    } else {
      const isNear = f64x2.lt(y, f64x2.splat(0.5493061443340549));
      if (i64x2.all_true(isNear)) v128.store(to, tanhNear(x));
      else if (!v128.any_true(isNear)) v128.store(to, tanhFar(x, y));
      else v128.store(to, v128.bitselect(tanhNear(x), tanhFar(x, y), isNear));
    }
    p += 16;
    to += 16;
  }
  if (p < end) store<f64>(to, tanh(load<f64>(p)));
}

export function applySigmoid(v: Float64Array, a: i32, out: i32, length: i32): void {
  let p = v.dataStart + ((a as usize) << 3);
  let to = v.dataStart + ((out as usize) << 3);
  const end = p + ((length as usize) << 3);
  const one = f64x2.splat(1);
  while (p + 16 <= end) {
    const x = v128.load(p);
    const y = f64x2.abs(x);
    if (v128.any_true(v128.not(f64x2.le(y, f64x2.splat(600))))) {
      store<f64>(to, sigmoid(load<f64>(p)));
      store<f64>(to, sigmoid(load<f64>(p, 8)), 8);
    } else {
      const e = pairExp(f64x2.neg(y));
      const top = v128.bitselect(one, e, f64x2.ge(x, f64x2.splat(0)));
      v128.store(to, f64x2.div(top, f64x2.add(one, e)));
    }
    p += 16;
    to += 16;
  }
  if (p < end) store<f64>(to, sigmoid(load<f64>(p)));
}

/** x + x³·P(x²)/Q(x²). */
function tanhNear(x: v128): v128 {
  const z = f64x2.mul(x, x);
  let p = next(f64x2.splat(-9.6437492777225469787e-1), z, -9.9225929672236083313e1);
  p = next(p, z, -1.6134119023996228053e3);
  let q = f64x2.add(z, f64x2.splat(1.1274474380534949335e2));
  q = next(q, z, 2.2337720718962312926e3);
  q = next(q, z, 4.8402357071988688686e3);
  return f64x2.add(x, f64x2.div(f64x2.mul(f64x2.mul(x, z), p), q));
}

/** ±(1 − 2/(e^2y + 1)) for y = |x|. */
function tanhFar(x: v128, y: v128): v128 {
  const two = f64x2.splat(2);
  const one = f64x2.splat(1);
  const t = f64x2.sub(one, f64x2.div(two, f64x2.add(pairExp(f64x2.mul(two, y)), one)));
  return v128.bitselect(t, f64x2.neg(t), f64x2.gt(x, f64x2.splat(0)));
}

/** e^x for |x| < 690. */
function pairExp(x: v128): v128 {
  const count = f64x2.floor(f64x2.add(f64x2.mul(x, f64x2.splat(46.16624130844683)), f64x2.splat(0.5)));
  const k = i32x4.trunc_sat_f64x2_s_zero(count);
  const high = f64x2.sub(x, f64x2.mul(count, f64x2.splat(0.021660849392446835)));
  const r = f64x2.sub(high, f64x2.mul(count, f64x2.splat(5.145609244655338e-14)));
  const z = f64x2.mul(r, r);
  let inner = f64x2.add(f64x2.splat(1.0 / 24.0), f64x2.mul(r, f64x2.splat(1.0 / 120.0)));
  inner = f64x2.mul(z, f64x2.add(inner, f64x2.mul(z, f64x2.splat(1.0 / 720.0))));
  const outer = f64x2.add(f64x2.splat(0.5), f64x2.mul(r, f64x2.splat(1.0 / 6.0)));
  const tail = f64x2.mul(z, f64x2.add(outer, inner));
  const table = FRACTIONS.dataStart;
  const lower = load<f64>(table + (((i32x4.extract_lane(k, 0) & 31) as usize) << 3));
  const upper = load<f64>(table + (((i32x4.extract_lane(k, 1) & 31) as usize) << 3));
  const fraction = f64x2.replace_lane(f64x2.splat(lower), 1, upper);
  const power = f64x2.add(fraction, f64x2.mul(fraction, f64x2.add(r, tail)));
  // 2^m by its bits: exact, as the table of special.ts
  const m = i64x2.extend_low_i32x4_s(i32x4.shr_s(k, 5));
  return f64x2.mul(power, i64x2.shl(i64x2.add(m, i64x2.splat(1023)), 52));
}

/** erf(t) = t·P/Q near 0, z = t². */
function nearTop(t: v128, z: v128): v128 {
  let p = next(f64x2.splat(1.85777706184603153e-1), z, 3.16112374387056560);
  p = next(p, z, 1.13864154151050156e2);
  p = next(p, z, 3.77485237685302021e2);
  p = next(p, z, 3.20937758913846947e3);
  return f64x2.mul(t, p);
}

function nearBottom(z: v128): v128 {
  let q = f64x2.add(z, f64x2.splat(2.36012909523441209e1));
  q = next(q, z, 2.44024637934444173e2);
  q = next(q, z, 1.28261652607737228e3);
  return next(q, z, 2.84423683343917062e3);
}

/** erfc(y)·e^(y²) = P/Q further out. */
function farTop(y: v128): v128 {
  let p = next(f64x2.splat(2.15311535474403846e-8), y, 5.64188496988670089e-1);
  p = next(p, y, 8.88314979438837594);
  p = next(p, y, 6.61191906371416295e1);
  p = next(p, y, 2.98635138197400131e2);
  p = next(p, y, 8.81952221241769090e2);
  p = next(p, y, 1.71204761263407058e3);
  p = next(p, y, 2.05107837782607147e3);
  return next(p, y, 1.23033935479799725e3);
}

function farBottom(y: v128): v128 {
  let q = f64x2.add(y, f64x2.splat(1.57449261107098347e1));
  q = next(q, y, 1.17693950891312499e2);
  q = next(q, y, 5.37181101862009858e2);
  q = next(q, y, 1.62138957456669019e3);
  q = next(q, y, 3.29079923573345963e3);
  q = next(q, y, 4.36261909014324716e3);
  q = next(q, y, 3.43936767414372164e3);
  return next(q, y, 1.23033935480374942e3);
}

/** Φ(x) from erf(√½·x). */
function phiNear(erf: v128): v128 {
  return f64x2.add(f64x2.splat(0.5), f64x2.mul(f64x2.splat(0.5), erf));
}

/** Φ(x) from the scaled tail at √½·|x|, and e = e^(−x²/2). */
function phiFar(x: v128, scaled: v128, e: v128): v128 {
  const tail = f64x2.mul(f64x2.mul(f64x2.splat(0.5), scaled), e);
  const above = f64x2.sub(f64x2.splat(1), tail);
  return v128.bitselect(above, tail, f64x2.gt(x, f64x2.splat(0)));
}

/** A step of a nested polynomial. */
function next(sum: v128, x: v128, coefficient: f64): v128 {
  return f64x2.add(f64x2.mul(sum, x), f64x2.splat(coefficient));
}
