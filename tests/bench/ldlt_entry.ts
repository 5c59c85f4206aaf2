/// <reference types="../../runtime/solver/wasm/assemblyscript.d.ts" />
/** The dense factorisation by itself, for its timing in WebAssembly. Only `asc` compiles it. */
import { DenseLdlt } from "../../runtime/solver/linear_algebra/ldlt.ts";

let ldlt: DenseLdlt = new DenseLdlt(1);
let from: Float64Array = new Float64Array(1);

/** @returns Where the host writes the matrix, column by column. */
export function matrix(n: i32): usize {
  ldlt = new DenseLdlt(n);
  from = new Float64Array(n * n);
  return from.dataStart;
}

export function factor(n: i32): i32 {
  for (let k: i32 = 0; k < n * n; k++) ldlt.a[k] = from[k];
  return ldlt.factor(n, 1e-40) ? 1 : 0;
}
