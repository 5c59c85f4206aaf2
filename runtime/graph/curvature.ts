/**
 * The Hessian of a weighted sum of outputs as a sum over the curved instructions. With the adjoint w of y = φ(a, b) and
 * the tangents a', b' of its arguments, each adds w·(φ_aa a'a'ᵀ + φ_ab (a'b'ᵀ + b'a'ᵀ) + φ_bb b'b'ᵀ): the chain rule for
 * second derivatives (Griewank and Walther, "Evaluating Derivatives", 2008, chapter 10). One forward sweep of tangents and
 * one reverse sweep are all it needs; what is linear costs nothing here.
 */
import { CODE } from "./opcodes.ts";
import type { Workspace } from "./workspace.ts";

/** Adds to the lower triangle of `h`, variables × variables, row-major. */
export function addCurvature(work: Workspace, to: number, h: Float64Array): void {
  const { code } = work.program;
  const { curved } = work.directions;
  const { partials, adjoints } = work;
  for (let k = 0; k < to; k++) {
    const at = curved[k];
    const op = code[at];
    const out = code[at + 1];
    const length = code[at + 2];
    for (let i = 0; i < length; i++) {
      const slot = out + i;
      const w = adjoints[slot];
      if (w === 0) continue;
      const a = code[at + 3] + i * code[at + 4];
      if (op < CODE.add) {
        addSquare(work, a, w * partials.second[slot], h);
        continue;
      }
      const b = code[at + 5] + i * code[at + 6];
      if (op === CODE.mul) {
        addProduct(work, a, b, w, h);
        continue;
      }
      addSquare(work, a, w * partials.second[slot], h);
      addSquare(work, b, w * partials.secondB[slot], h);
      addProduct(work, a, b, w * partials.mixed[slot], h);
    }
  }
}

/** h += factor · t tᵀ. */
function addSquare(work: Workspace, slot: number, factor: number, h: Float64Array): void {
  if (factor === 0) return;
  const { low, high, place } = work.directions;
  const { tangents } = work;
  const n = work.program.variables;
  const from = low[slot];
  const width = high[slot] - from;
  const t = place[slot];
  for (let i = 0; i < width; i++) {
    const ti = tangents[t + i];
    if (ti === 0) continue;
    const scaled = factor * ti;
    const row = (from + i) * n + from;
    for (let j = 0; j <= i; j++) h[row + j] += scaled * tangents[t + j];
  }
}

/** h += factor · (s tᵀ + t sᵀ). */
function addProduct(work: Workspace, a: number, b: number, factor: number, h: Float64Array): void {
  if (factor === 0) return;
  const { low, high, place } = work.directions;
  const { tangents } = work;
  const n = work.program.variables;
  for (let i = low[a]; i < high[a]; i++) {
    const si = factor * tangents[place[a] + i - low[a]];
    if (si === 0) continue;
    for (let j = low[b]; j < high[b]; j++) {
      const value = si * tangents[place[b] + j - low[b]];
      if (i > j) h[i * n + j] += value;
      else if (i < j) h[j * n + i] += value;
      else h[i * n + i] += 2 * value;
    }
  }
}
