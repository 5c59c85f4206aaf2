/// <reference types="../solver/core/portable.d.ts" />
/** Values: runs the instructions `from` … `to` − 1 over the arena. */
import { ADD, CONCAT, GELU, LINEAR, OPAQUE, SELECT, SIGMOID, SUM, TANH, TREES } from "./codes.ts";
import { applyLinear } from "./dense.ts";
import { applyGelu, applySigmoid, applyTanh } from "./curves.ts";
import { WIDTH } from "./codes.ts";
import { applyTrees } from "./trees.ts";
import { binaryValue, selectValue, unaryValue } from "./scalar.ts";
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
    if (op >= ADD && op < SELECT) {
      // single numbers are most of what there is
      if (length === 1) v[out] = binaryValue(op, v[a], v[code[at + 5]]);
      else applyBinary(code, at, v);
    } else if (op === LINEAR) {
      applyLinear(work.plan.data, code[at + 7], v, a, code[at + 5], out, length);
    } else if (op === CONCAT) {
      for (let i: i32 = 0; i < length; i++) v[out + i] = v[a + i];
    } else if (op === GELU) {
      applyGelu(v, work.first, work.second, a, out, length);
    } else if (op === TANH) {
      applyTanh(v, a, out, length);
    } else if (op === SIGMOID) {
      applySigmoid(v, a, out, length);
    } else if (op === SUM) {
      v[out] = sumOf(v, a, code[at + 5]);
    } else if (op === OPAQUE) {
      work.call(code[at + 7], a, out);
    } else if (op === TREES) {
      applyTrees(work.plan.trees, work.plan.treesAt[code[at + 7]], work.plan.data, code[at + 8], v, a, out);
    } else if (op === SELECT) {
      applySelect(code, at, v);
    } else {
      const stride = code[at + 4];
      for (let i: i32 = 0; i < length; i++) v[out + i] = unaryValue(op, v[a + i * stride]);
    }
  }
}

function applyBinary(code: Int32Array, at: i32, v: Float64Array): void {
  const op = code[at];
  const out = code[at + 1];
  const length = code[at + 2];
  const strideA = code[at + 4];
  const strideB = code[at + 6];
  let a = code[at + 3];
  let b = code[at + 5];
  for (let i: i32 = 0; i < length; i++) {
    v[out + i] = binaryValue(op, v[a], v[b]);
    a += strideA;
    b += strideB;
  }
}

function applySelect(code: Int32Array, at: i32, v: Float64Array): void {
  const out = code[at + 1];
  for (let i: i32 = 0; i < code[at + 2]; i++) {
    v[out + i] = selectValue(
      v[code[at + 3] + i * code[at + 4]],
      v[code[at + 5] + i * code[at + 6]],
      v[code[at + 7] + i * code[at + 8]],
    );
  }
}

function sumOf(v: Float64Array, a: i32, length: i32): f64 {
  let total: f64 = 0;
  for (let i: i32 = 0; i < length; i++) total += v[a + i];
  return total;
}
