/// <reference types="../solver/core/portable.d.ts" />
/** Reverse derivatives: from the adjoints of the outputs back through `live[to − 1]` … `live[0]`. */
import {
  ABS,
  ADD,
  CONCAT,
  DIV,
  LINEAR,
  MAX,
  MIN,
  MOD,
  MUL,
  NEG,
  OPAQUE,
  POW,
  SELECT,
  SUB,
  SUM,
} from "./codes.ts";
import { pullLinear } from "./dense.ts";
import { Workspace } from "./workspace.ts";

/** A slot with adjoint 0 passes nothing on, so a branch that was not chosen cannot bring its NaN. */
export function runAdjoints(work: Workspace, to: i32): void {
  const plan = work.plan;
  const code = plan.code;
  const values = work.values;
  const adjoints = work.adjoints;
  for (let k: i32 = to - 1; k >= 0; k--) {
    const at = plan.live[k];
    const op = code[at];
    const out = code[at + 1];
    const length = code[at + 2];
    const a = code[at + 3];
    const sa = code[at + 4];
    const b = code[at + 5];
    const sb = code[at + 6];
    if (op === LINEAR) {
      pullLinear(plan.data, code[at + 7], adjoints, a, b, out, length);
      continue;
    }
    if (op > NEG && op < ADD && op !== ABS) { // a smooth function of one argument
      for (let i: i32 = 0; i < length; i++) {
        const w = adjoints[out + i];
        if (w !== 0) adjoints[a + i * sa] += w * work.first[out + i];
      }
      continue;
    }
    for (let i: i32 = 0; i < length; i++) {
      const slot = out + i;
      const w = adjoints[slot];
      if (w === 0) continue;
      const first = a + i * sa;
      const second = b + i * sb;
      switch (op) {
        case OPAQUE:
          for (let j: i32 = 0; j < b; j++) {
            adjoints[a + j] += w * work.jacobians[plan.jacobianAt[code[at + 7]] + i * b + j];
          }
          break;
        case CONCAT:
          adjoints[first] += w;
          break;
        case NEG:
          adjoints[first] -= w;
          break;
        case ABS:
          adjoints[first] += values[first] < 0 ? -w : w;
          break;
        case SUM:
          for (let j: i32 = 0; j < b; j++) adjoints[a + j] += w;
          break;
        case ADD:
          adjoints[first] += w;
          adjoints[second] += w;
          break;
        case SUB:
          adjoints[first] += w;
          adjoints[second] -= w;
          break;
        case MUL:
          adjoints[first] += w * values[second];
          adjoints[second] += w * values[first];
          break;
        case DIV:
        case POW:
        case MOD:
          adjoints[first] += w * work.first[slot];
          adjoints[second] += w * work.firstB[slot];
          break;
        case MIN:
          adjoints[values[first] <= values[second] ? first : second] += w;
          break;
        case MAX:
          adjoints[values[first] >= values[second] ? first : second] += w;
          break;
        case SELECT:
          adjoints[values[first] !== 0 ? second : code[at + 7] + i * code[at + 8]] += w;
          break;
        default:
          break; // never live
      }
    }
  }
}
