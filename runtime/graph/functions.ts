/// <reference types="../solver/core/portable.d.ts" />
/**
 * Functions that engines compute each in their own way. `functions_wasm.ts` is their twin for WebAssembly, which calls the
 * very same ones, so that both give the same bits.
 */

export function log(x: f64): f64 {
  return Math.log(x);
}

export function log10(x: f64): f64 {
  return Math.log10(x);
}

export function sin(x: f64): f64 {
  return Math.sin(x);
}

export function cos(x: f64): f64 {
  return Math.cos(x);
}

export function tan(x: f64): f64 {
  return Math.tan(x);
}

export function pow(x: f64, y: f64): f64 {
  return Math.pow(x, y);
}
