/** Reverse derivatives: from the adjoints of the outputs back through `live[to − 1]` … `live[0]`. */
import { CODE, type OpCode } from "./opcodes.ts";
import type { Workspace } from "./workspace.ts";

/** A slot with adjoint 0 passes nothing on, so a branch that was not chosen cannot bring its NaN. */
export function runAdjoints(work: Workspace, to: number): void {
  const { code } = work.program;
  const { live } = work.directions;
  const { values, partials, adjoints } = work;
  for (let k = to - 1; k >= 0; k--) {
    const at = live[k];
    const op = code[at] as OpCode;
    const out = code[at + 1];
    const length = code[at + 2];
    const a = code[at + 3];
    const sa = code[at + 4];
    const b = code[at + 5];
    const sb = code[at + 6];
    if (op === CODE.linear) {
      linearAdjoints(work, at);
      continue;
    }
    for (let i = 0; i < length; i++) {
      const slot = out + i;
      const w = adjoints[slot];
      if (w === 0) continue;
      const first = a + i * sa;
      const second = b + i * sb;
      switch (op) {
        case CODE.opaque:
          for (let j = 0, row = i * b; j < b; j++) {
            adjoints[a + j] += w * work.jacobians[code[at + 7]][row + j];
          }
          break;
        case CODE.concat:
          adjoints[first] += w;
          break;
        case CODE.neg:
          adjoints[first] -= w;
          break;
        case CODE.abs:
          adjoints[first] += values[first] < 0 ? -w : w;
          break;
        case CODE.sum:
          for (let j = 0; j < b; j++) adjoints[a + j] += w;
          break;
        case CODE.add:
          adjoints[first] += w;
          adjoints[second] += w;
          break;
        case CODE.sub:
          adjoints[first] += w;
          adjoints[second] -= w;
          break;
        case CODE.mul:
          adjoints[first] += w * values[second];
          adjoints[second] += w * values[first];
          break;
        case CODE.div:
        case CODE.pow:
        case CODE.mod:
          adjoints[first] += w * partials.first[slot];
          adjoints[second] += w * partials.firstB[slot];
          break;
        case CODE.min:
          adjoints[values[first] <= values[second] ? first : second] += w;
          break;
        case CODE.max:
          adjoints[values[first] >= values[second] ? first : second] += w;
          break;
        case CODE.select:
          adjoints[values[first] !== 0 ? second : code[at + 7] + i * code[at + 8]] += w;
          break;
        case CODE.exp:
        case CODE.log:
        case CODE.log10:
        case CODE.sqrt:
        case CODE.sin:
        case CODE.cos:
        case CODE.tan:
        case CODE.tanh:
        case CODE.erf:
        case CODE.sigmoid:
        case CODE.gelu:
          adjoints[first] += w * partials.first[slot];
          break;
        case CODE.constant:
        case CODE.parameter:
        case CODE.variable:
        case CODE.slice:
        case CODE.floor:
        case CODE.ceil:
        case CODE.round:
        case CODE.not:
        case CODE.floordiv:
        case CODE.lt:
        case CODE.le:
        case CODE.eq:
        case CODE.and:
        case CODE.or:
          break; // never live
        default:
          op satisfies never;
      }
    }
  }
}

function linearAdjoints(work: Workspace, at: number): void {
  const { code, data } = work.program;
  const { adjoints } = work;
  const out = code[at + 1];
  const rows = code[at + 2];
  const x = code[at + 3];
  const columns = code[at + 5];
  let weight = code[at + 7];
  for (let i = 0; i < rows; i++, weight += columns) {
    const w = adjoints[out + i];
    if (w === 0) continue;
    for (let j = 0; j < columns; j++) adjoints[x + j] += w * data[weight + j];
  }
}
