/// <reference types="../solver/core/portable.d.ts" />
/** Values: runs the instructions `from` … `to` − 1 over the arena. */
import { ADD, CONCAT, GELU, LINEAR, OPAQUE, SELECT, SUM, TREES } from "./codes.ts";
import { applyLinear } from "./dense.ts";
import { WIDTH } from "./codes.ts";
import { applyTrees } from "./trees.ts";
import { binaryValue, selectValue, unaryValue } from "./scalar.ts";
import { exp, normalCdfWith } from "./special.ts";
import { Workspace } from "./workspace.ts";

export function runForward(work: Workspace, from: i32, to: i32): void {
  const code = work.plan.code;
  const v = work.values;
  const end = to * WIDTH;
  for (let at: i32 = from * WIDTH; at < end; at += WIDTH) {
    const op = code[at];
    const out = code[at + 1];
    const length = code[at + 2];
    const a = code[at + 3];
    const strideA = code[at + 4];
    const b = code[at + 5];
    const strideB = code[at + 6];
    if (op === LINEAR) {
      applyLinear(work.plan.data, code[at + 7], v, a, b, out, length);
    } else if (op === CONCAT) {
      for (let i: i32 = 0; i < length; i++) v[out + i] = v[a + i];
    } else if (op === SUM) {
      v[out] = sumOf(v, a, b);
    } else if (op === OPAQUE) {
      work.call(code[at + 7], a, out);
    } else if (op === TREES) {
      applyTrees(work.plan.trees, work.plan.treesAt[code[at + 7]], work.plan.data, code[at + 8], v, a, out);
    } else if (op === GELU) {
      applyGelu(work, out, length, a, strideA);
    } else if (op < ADD) {
      for (let i: i32 = 0; i < length; i++) v[out + i] = unaryValue(op, v[a + i * strideA]);
    } else if (op === SELECT) {
      const c = code[at + 7];
      const strideC = code[at + 8];
      for (let i: i32 = 0; i < length; i++) {
        v[out + i] = selectValue(v[a + i * strideA], v[b + i * strideB], v[c + i * strideC]);
      }
    } else {
      for (let i: i32 = 0; i < length; i++) {
        v[out + i] = binaryValue(op, v[a + i * strideA], v[b + i * strideB]);
      }
    }
  }
}

function sumOf(v: Float64Array, a: i32, length: i32): f64 {
  let total: f64 = 0;
  for (let i: i32 = 0; i < length; i++) total += v[a + i];
  return total;
}

/** As `gelu` of special.ts; leaves Φ(x) and e^(−x²/2) for the derivatives, which need the same exponential. */
function applyGelu(work: Workspace, out: i32, length: i32, a: i32, stride: i32): void {
  const values = work.values;
  for (let i: i32 = 0; i < length; i++) {
    const x = values[a + i * stride];
    const e = exp(-0.5 * x * x);
    const cdf = normalCdfWith(x, e);
    values[out + i] = cdf === 0 ? 0.0 : x * cdf;
    work.first[out + i] = cdf;
    work.second[out + i] = e;
  }
}
