/// <reference types="../solver/core/portable.d.ts" />
/**
 * The inner loops of layers and derivatives, on parts of arrays. `dense_simd.ts` is their twin for WebAssembly: it does the same
 * operations on the same numbers, two at a time.
 */

/** a[from … to − 1] = 0. */
export function clearRange(a: Float64Array, from: i32, to: i32): void {
  for (let i: i32 = from; i < to; i++) a[i] = 0;
}

/** a[to + i] = w·a[from + i] for i < count. */
export function setScaled(a: Float64Array, to: i32, from: i32, count: i32, w: f64): void {
  for (let i: i32 = 0; i < count; i++) a[to + i] = w * a[from + i];
}

/** a[to + i] = w1·a[from1 + i] + w2·a[from2 + i] for i < count. */
export function setBlend(
  a: Float64Array,
  to: i32,
  from1: i32,
  w1: f64,
  from2: i32,
  w2: f64,
  count: i32,
): void {
  for (let i: i32 = 0; i < count; i++) a[to + i] = w1 * a[from1 + i] + w2 * a[from2 + i];
}

/** b[to + i] += w·a[from + i] for i < count. */
export function addScaled(b: Float64Array, to: i32, a: Float64Array, from: i32, count: i32, w: f64): void {
  for (let i: i32 = 0; i < count; i++) b[to + i] += w * a[from + i];
}

/**
 * v[out + i] = Σ_j W_ij·v[x + j] + bias_i: the even terms with the bias and the odd terms by themselves, then both.
 * @param weight Where W begins in `data`, rows × columns, followed by the bias.
 */
export function applyLinear(
  data: Float64Array,
  weight: i32,
  v: Float64Array,
  x: i32,
  columns: i32,
  out: i32,
  rows: i32,
): void {
  const bias = weight + rows * columns;
  const pairs = columns & -2;
  for (let i: i32 = 0; i < rows; i++) {
    const w = weight + i * columns;
    let even: f64 = data[bias + i];
    let odd: f64 = 0;
    for (let j: i32 = 0; j < pairs; j += 2) {
      even += data[w + j] * v[x + j];
      odd += data[w + j + 1] * v[x + j + 1];
    }
    if (pairs < columns) even += data[w + pairs] * v[x + pairs];
    v[out + i] = even + odd;
  }
}

/** adjoints[x + j] += Σ_i W_ij·adjoints[out + i], row by row; a row with adjoint 0 is left out. */
export function pullLinear(
  data: Float64Array,
  weight: i32,
  adjoints: Float64Array,
  x: i32,
  columns: i32,
  out: i32,
  rows: i32,
): void {
  for (let i: i32 = 0; i < rows; i++) {
    const w = adjoints[out + i];
    if (w === 0) continue;
    const row = weight + i * columns;
    for (let j: i32 = 0; j < columns; j++) adjoints[x + j] += w * data[row + j];
  }
}

/** The matrix product of W (rows × columns) and the tangents at `source` (columns × width), into `target` (rows × width). */
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
  for (let i: i32 = 0; i < rows; i++) {
    const row = weight + i * columns;
    const to = target + i * width;
    let d: i32 = 0;
    for (; d + 4 <= width; d += 4) {
      let t0: f64 = 0;
      let t1: f64 = 0;
      let t2: f64 = 0;
      let t3: f64 = 0;
      let s = source + d;
      for (let j: i32 = 0; j < columns; j++) {
        const w = data[row + j];
        t0 += w * tangents[s];
        t1 += w * tangents[s + 1];
        t2 += w * tangents[s + 2];
        t3 += w * tangents[s + 3];
        s += width;
      }
      tangents[to + d] = t0;
      tangents[to + d + 1] = t1;
      tangents[to + d + 2] = t2;
      tangents[to + d + 3] = t3;
    }
    for (; d < width; d++) {
      let t: f64 = 0;
      let s = source + d;
      for (let j: i32 = 0; j < columns; j++) {
        t += data[row + j] * tangents[s];
        s += width;
      }
      tangents[to + d] = t;
    }
  }
}
