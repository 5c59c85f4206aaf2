/// <reference types="../../runtime/solver/wasm/assemblyscript.d.ts" />
/** The yardstick of a network: its multiply-adds in a plain loop over vectors of two numbers. Only `asc` compiles it. */

/** A layer of `rows` × `columns`, an even number, four times: into `out` from `x`. */
export function layer(weight: usize, x: usize, out: usize, rows: i32, columns: i32): void {
  let w = weight;
  const end = x + ((columns as usize) << 3);
  for (let i: i32 = 0; i < rows; i++) {
    let sums = f64x2.splat(0);
    for (let p = x; p < end; p += 16) {
      sums = f64x2.add(sums, f64x2.mul(v128.load(w), v128.load(p)));
      w += 16;
    }
    store<f64>(out, f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1));
    out += 8;
  }
}

/** The layers of a 10-64-64-64-3 network: weights from 64 KiB on, vectors in the first KiB. */
export function network(): void {
  layer(65536, 0, 512, 64, 10);
  layer(65536, 512, 0, 64, 64);
  layer(65536, 0, 512, 64, 64);
  layer(65536, 512, 0, 3, 64);
}
