/// <reference types="../solver/wasm/assemblyscript.d.ts" />
/** Twin of `dense.ts` with raw pointers and vectors of two numbers; only `asc` compiles it. */

export function clearRange(a: Float64Array, from: i32, to: i32): void {
  let p = a.dataStart + ((from as usize) << 3);
  const end = a.dataStart + ((to as usize) << 3);
  const zeros = f64x2.splat(0);
  while (p + 16 <= end) {
    v128.store(p, zeros);
    p += 16;
  }
  if (p < end) store<f64>(p, 0);
}

export function setScaled(a: Float64Array, to: i32, from: i32, count: i32, w: f64): void {
  const ws = f64x2.splat(w);
  let p = a.dataStart + ((to as usize) << 3);
  let q = a.dataStart + ((from as usize) << 3);
  const end = p + ((count as usize) << 3);
  while (p + 16 <= end) {
    v128.store(p, f64x2.mul(ws, v128.load(q)));
    p += 16;
    q += 16;
  }
  if (p < end) store<f64>(p, w * load<f64>(q));
}

export function setBlend(
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
  let p = a.dataStart + ((to as usize) << 3);
  let q1 = a.dataStart + ((from1 as usize) << 3);
  let q2 = a.dataStart + ((from2 as usize) << 3);
  const end = p + ((count as usize) << 3);
  while (p + 16 <= end) {
    v128.store(p, f64x2.add(f64x2.mul(w1s, v128.load(q1)), f64x2.mul(w2s, v128.load(q2))));
    p += 16;
    q1 += 16;
    q2 += 16;
  }
  if (p < end) store<f64>(p, w1 * load<f64>(q1) + w2 * load<f64>(q2));
}

export function addScaled(b: Float64Array, to: i32, a: Float64Array, from: i32, count: i32, w: f64): void {
  const ws = f64x2.splat(w);
  let p = b.dataStart + ((to as usize) << 3);
  let q = a.dataStart + ((from as usize) << 3);
  const end = p + ((count as usize) << 3);
  while (p + 16 <= end) {
    v128.store(p, f64x2.add(v128.load(p), f64x2.mul(ws, v128.load(q))));
    p += 16;
    q += 16;
  }
  if (p < end) store<f64>(p, load<f64>(p) + w * load<f64>(q));
}

/** Four rows at a time share what is loaded of x. */
export function applyLinear(
  data: Float64Array,
  weight: i32,
  v: Float64Array,
  x: i32,
  columns: i32,
  out: i32,
  rows: i32,
): void {
  const stride = (columns as usize) << 3;
  const start = v.dataStart + ((x as usize) << 3);
  const pairsEnd = start + (((columns & -2) as usize) << 3);
  const odd = (columns & 1) !== 0;
  let w = data.dataStart + ((weight as usize) << 3);
  let bias = w + stride * (rows as usize);
  let to = v.dataStart + ((out as usize) << 3);
  const end = to + ((rows as usize) << 3);
  while (to + 32 <= end) {
    let t0 = f64x2.replace_lane(f64x2.splat(0), 0, load<f64>(bias));
    let t1 = f64x2.replace_lane(f64x2.splat(0), 0, load<f64>(bias, 8));
    let t2 = f64x2.replace_lane(f64x2.splat(0), 0, load<f64>(bias, 16));
    let t3 = f64x2.replace_lane(f64x2.splat(0), 0, load<f64>(bias, 24));
    let p = start;
    let w0 = w;
    let w1 = w0 + stride;
    let w2 = w1 + stride;
    let w3 = w2 + stride;
    while (p < pairsEnd) {
      const xs = v128.load(p);
      t0 = f64x2.add(t0, f64x2.mul(v128.load(w0), xs));
      t1 = f64x2.add(t1, f64x2.mul(v128.load(w1), xs));
      t2 = f64x2.add(t2, f64x2.mul(v128.load(w2), xs));
      t3 = f64x2.add(t3, f64x2.mul(v128.load(w3), xs));
      p += 16;
      w0 += 16;
      w1 += 16;
      w2 += 16;
      w3 += 16;
    }
    let e0 = f64x2.extract_lane(t0, 0);
    let e1 = f64x2.extract_lane(t1, 0);
    let e2 = f64x2.extract_lane(t2, 0);
    let e3 = f64x2.extract_lane(t3, 0);
    if (odd) {
      const last = load<f64>(p);
      e0 += load<f64>(w0) * last;
      e1 += load<f64>(w1) * last;
      e2 += load<f64>(w2) * last;
      e3 += load<f64>(w3) * last;
    }
    store<f64>(to, e0 + f64x2.extract_lane(t0, 1));
    store<f64>(to, e1 + f64x2.extract_lane(t1, 1), 8);
    store<f64>(to, e2 + f64x2.extract_lane(t2, 1), 16);
    store<f64>(to, e3 + f64x2.extract_lane(t3, 1), 24);
    w += stride << 2;
    bias += 32;
    to += 32;
  }
  while (to < end) {
    let t = f64x2.replace_lane(f64x2.splat(0), 0, load<f64>(bias));
    let p = start;
    let w0 = w;
    while (p < pairsEnd) {
      t = f64x2.add(t, f64x2.mul(v128.load(w0), v128.load(p)));
      p += 16;
      w0 += 16;
    }
    let e = f64x2.extract_lane(t, 0);
    if (odd) e += load<f64>(w0) * load<f64>(p);
    store<f64>(to, e + f64x2.extract_lane(t, 1));
    w += stride;
    bias += 8;
    to += 8;
  }
}

/** Four rows at a time where none has adjoint 0, in the order of the rows. */
export function pullLinear(
  data: Float64Array,
  weight: i32,
  adjoints: Float64Array,
  x: i32,
  columns: i32,
  out: i32,
  rows: i32,
): void {
  const stride = (columns as usize) << 3;
  const start = adjoints.dataStart + ((x as usize) << 3);
  const end = start + stride;
  const pairsEnd = start + (((columns & -2) as usize) << 3);
  let w = data.dataStart + ((weight as usize) << 3);
  let from = adjoints.dataStart + ((out as usize) << 3);
  const last = from + ((rows as usize) << 3);
  while (from < last) {
    const a0 = load<f64>(from);
    if (a0 === 0) {
      from += 8;
      w += stride;
      continue;
    }
    const s0 = f64x2.splat(a0);
    let p = start;
    let w0 = w;
    if (
      from + 32 <= last && load<f64>(from, 8) !== 0 && load<f64>(from, 16) !== 0 && load<f64>(from, 24) !== 0
    ) {
      const a1 = load<f64>(from, 8);
      const a2 = load<f64>(from, 16);
      const a3 = load<f64>(from, 24);
      const s1 = f64x2.splat(a1);
      const s2 = f64x2.splat(a2);
      const s3 = f64x2.splat(a3);
      let w1 = w0 + stride;
      let w2 = w1 + stride;
      let w3 = w2 + stride;
      while (p < pairsEnd) {
        let t = f64x2.add(v128.load(p), f64x2.mul(s0, v128.load(w0)));
        t = f64x2.add(t, f64x2.mul(s1, v128.load(w1)));
        t = f64x2.add(t, f64x2.mul(s2, v128.load(w2)));
        v128.store(p, f64x2.add(t, f64x2.mul(s3, v128.load(w3))));
        p += 16;
        w0 += 16;
        w1 += 16;
        w2 += 16;
        w3 += 16;
      }
      if (p < end) {
        let t = load<f64>(p) + a0 * load<f64>(w0);
        t += a1 * load<f64>(w1);
        t += a2 * load<f64>(w2);
        store<f64>(p, t + a3 * load<f64>(w3));
      }
      from += 32;
      w += stride << 2;
      continue;
    }
    while (p < pairsEnd) {
      v128.store(p, f64x2.add(v128.load(p), f64x2.mul(s0, v128.load(w0))));
      p += 16;
      w0 += 16;
    }
    if (p < end) store<f64>(p, load<f64>(p) + a0 * load<f64>(w0));
    from += 8;
    w += stride;
  }
}

/** Two rows and four directions at a time. */
export function pushLinear(
  data: Float64Array,
  weight: i32,
  tangents: Float64Array,
  source: i32,
  columns: i32,
  target: i32,
  rows: i32,
  width: i32,
): void {
  const line = (width as usize) << 3;
  const stride = (columns as usize) << 3;
  const start = tangents.dataStart + ((source as usize) << 3);
  const end = start + line;
  let w = data.dataStart + ((weight as usize) << 3);
  const last = w + stride * (rows as usize);
  let to = tangents.dataStart + ((target as usize) << 3);
  while (w < last) {
    const both = w + stride < last;
    const next = both ? w + stride : w;
    const below = both ? to + line : to;
    let p = start;
    let at: usize = 0;
    while (p + 32 <= end) {
      let a0 = f64x2.splat(0);
      let a1 = a0;
      let b0 = a0;
      let b1 = a0;
      let s = p;
      let u = w;
      let v = next;
      const stop = w + stride;
      while (u < stop) {
        const wa = v128.load64_splat(u);
        const wb = v128.load64_splat(v);
        const s0 = v128.load(s);
        const s1 = v128.load(s, 16);
        a0 = f64x2.add(a0, f64x2.mul(wa, s0));
        a1 = f64x2.add(a1, f64x2.mul(wa, s1));
        b0 = f64x2.add(b0, f64x2.mul(wb, s0));
        b1 = f64x2.add(b1, f64x2.mul(wb, s1));
        s += line;
        u += 8;
        v += 8;
      }
      v128.store(below + at, b0);
      v128.store(below + at, b1, 16);
      v128.store(to + at, a0);
      v128.store(to + at, a1, 16);
      p += 32;
      at += 32;
    }
    while (p < end) {
      let a: f64 = 0;
      let b: f64 = 0;
      let s = p;
      let u = w;
      let v = next;
      const stop = w + stride;
      while (u < stop) {
        const value = load<f64>(s);
        a += load<f64>(u) * value;
        b += load<f64>(v) * value;
        s += line;
        u += 8;
        v += 8;
      }
      store<f64>(below + at, b);
      store<f64>(to + at, a);
      p += 8;
      at += 8;
    }
    w += stride << 1;
    to += line << 1;
  }
}
