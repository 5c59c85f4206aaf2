/// <reference types="../solver/core/portable.d.ts" />
/**
 * The Hessian of a weighted sum of outputs as a sum over the curved instructions. With the adjoint w of y = φ(a, b) and
 * the tangents a', b' of its arguments, each adds w·(φ_aa a'a'ᵀ + φ_ab (a'b'ᵀ + b'a'ᵀ) + φ_bb b'b'ᵀ): the chain rule for
 * second derivatives (Griewank and Walther, "Evaluating Derivatives", 2008, chapter 10). One forward sweep of tangents and
 * one reverse sweep are all it needs; what is linear costs nothing here.
 */
import { ADD, MUL } from "./codes.ts";
import { addScaled } from "./dense.ts";
import { Workspace } from "./workspace.ts";

/** Adds to the lower triangle of `h`, variables × variables, row-major. */
export function addCurvature(work: Workspace, to: i32, h: Float64Array): void {
  const code = work.plan.code;
  const adjoints = work.adjoints;
  for (let k: i32 = 0; k < to; k++) {
    const at = work.plan.curved[k];
    const op = code[at];
    const out = code[at + 1];
    const length = code[at + 2];
    for (let i: i32 = 0; i < length; i++) {
      const slot = out + i;
      const w = adjoints[slot];
      if (w === 0) continue;
      const a = code[at + 3] + i * code[at + 4];
      if (op < ADD) {
        addSquare(work, a, w * work.second[slot], h);
        continue;
      }
      const b = code[at + 5] + i * code[at + 6];
      if (op === MUL) {
        addProduct(work, a, b, w, h);
        continue;
      }
      addSquare(work, a, w * work.second[slot], h);
      addSquare(work, b, w * work.secondB[slot], h);
      addProduct(work, a, b, w * work.mixed[slot], h);
    }
  }
}

/** h += factor · t tᵀ. */
function addSquare(work: Workspace, slot: i32, factor: f64, h: Float64Array): void {
  if (factor === 0) return;
  const plan = work.plan;
  const tangents = work.tangents;
  const n = plan.variables;
  const from = plan.low[slot];
  const width = plan.high[slot] - from;
  const t = plan.place[slot];
  for (let i: i32 = 0; i < width; i++) {
    const ti = tangents[t + i];
    if (ti === 0) continue;
    const scaled = factor * ti;
    const row = (from + i) * n + from;
    addScaled(h, row, tangents, t, i + 1, scaled);
  }
}

/** h += factor · (s tᵀ + t sᵀ). */
function addProduct(work: Workspace, a: i32, b: i32, factor: f64, h: Float64Array): void {
  if (factor === 0) return;
  const plan = work.plan;
  const tangents = work.tangents;
  const n = plan.variables;
  const s = plan.place[a] - plan.low[a];
  const t = plan.place[b] - plan.low[b];
  const low = plan.low[b];
  const high = plan.high[b];
  for (let i = plan.low[a]; i < plan.high[a]; i++) {
    const si = factor * tangents[s + i];
    if (si === 0) continue;
    for (let j = low; j < high; j++) {
      const value = si * tangents[t + j];
      if (i > j) h[i * n + j] += value;
      else if (i < j) h[j * n + i] += value;
      else h[i * n + i] += 2 * value;
    }
  }
}
