/// <reference types="../solver/core/portable.d.ts" />
/** Forward derivatives: the tangents of every slot of the instructions `live[from]` … `live[to − 1]`. */
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
  WIDTH,
} from "./codes.ts";
import { addScaled, clearRange, pushLinear, setBlend, setScaled } from "./dense.ts";
import { Workspace } from "./workspace.ts";

export function runTangents(work: Workspace, from: i32, to: i32): void {
  const plan = work.plan;
  const code = plan.code;
  const values = work.values;
  for (let k: i32 = from; k < to; k++) {
    const at = plan.live[k];
    const op = code[at];
    const out = code[at + 1];
    const length = code[at + 2];
    const a = code[at + 3];
    const sa = code[at + 4];
    const b = code[at + 5];
    const sb = code[at + 6];
    if (op === LINEAR) {
      linearTangents(work, at);
      continue;
    }
    if (op === OPAQUE) {
      opaqueTangents(work, at);
      continue;
    }
    for (let i: i32 = 0; i < length; i++) {
      const slot = out + i;
      const first = a + i * sa;
      const second = b + i * sb;
      switch (op) {
        case CONCAT:
          assign(work, slot, first, 1);
          break;
        case NEG:
          assign(work, slot, first, -1);
          break;
        case ABS:
          assign(work, slot, first, values[first] < 0 ? -1.0 : 1.0);
          break;
        case SUM:
          clear(work, slot);
          for (let j: i32 = 0; j < b; j++) accumulate(work, slot, a + j, 1);
          break;
        case ADD:
          blend(work, slot, first, 1, second, 1);
          break;
        case SUB:
          blend(work, slot, first, 1, second, -1);
          break;
        case MUL:
          blend(work, slot, first, values[second], second, values[first]);
          break;
        case DIV:
        case POW:
        case MOD:
          blend(work, slot, first, work.first[slot], second, work.firstB[slot]);
          break;
        case MIN:
          pick(work, slot, values[first] <= values[second] ? first : second);
          break;
        case MAX:
          pick(work, slot, values[first] >= values[second] ? first : second);
          break;
        case SELECT:
          pick(work, slot, values[first] !== 0 ? second : code[at + 7] + i * code[at + 8]);
          break;
        default: // a smooth function of one argument
          assign(work, slot, first, work.first[slot]);
          break;
      }
    }
  }
}

function clear(work: Workspace, slot: i32): void {
  const plan = work.plan;
  const start = plan.place[slot];
  clearRange(work.tangents, start, start + plan.high[slot] - plan.low[slot]);
}

function pick(work: Workspace, slot: i32, chosen: i32): void {
  clear(work, slot);
  accumulate(work, slot, chosen, 1);
}

/** Tangents of `slot` = factor · those of `from`, which has the same range. */
function assign(work: Workspace, slot: i32, from: i32, factor: f64): void {
  const plan = work.plan;
  const tangents = work.tangents;
  const source = plan.place[from];
  const target = plan.place[slot];
  const width = plan.high[slot] - plan.low[slot];
  if (factor - factor === 0) {
    setScaled(tangents, target, source, width, factor);
  } else {
    for (let d: i32 = 0; d < width; d++) {
      tangents[target + d] = tangents[source + d] === 0 ? 0.0 : factor * tangents[source + d];
    }
  }
}

/** Tangents of `slot` = factorA · those of `a` + factorB · those of `b`. */
function blend(work: Workspace, slot: i32, a: i32, factorA: f64, b: i32, factorB: f64): void {
  const plan = work.plan;
  const lowA = plan.low[a];
  const lowB = plan.low[b];
  const widthA = plan.high[a] - lowA;
  const widthB = plan.high[b] - lowB;
  const finite = factorA - factorA === 0 && factorB - factorB === 0;
  if (widthB === 0) {
    assign(work, slot, a, factorA);
  } else if (widthA === 0) {
    assign(work, slot, b, factorB);
  } else if (lowA === lowB && widthA === widthB && finite) {
    setBlend(work.tangents, plan.place[slot], plan.place[a], factorA, plan.place[b], factorB, widthA);
  } else {
    clear(work, slot);
    accumulate(work, slot, a, factorA);
    accumulate(work, slot, b, factorB);
  }
}

/** Adds factor · tangents of `from`, whose range lies within that of `slot`. */
function accumulate(work: Workspace, slot: i32, from: i32, factor: f64): void {
  const plan = work.plan;
  const tangents = work.tangents;
  const width = plan.high[from] - plan.low[from];
  const source = plan.place[from];
  const target = plan.place[slot] + plan.low[from] - plan.low[slot];
  if (factor - factor === 0) {
    addScaled(tangents, target, tangents, source, width, factor);
  } else {
    // a direction that does not move the argument has slope 0, whatever the factor
    for (let d: i32 = 0; d < width; d++) {
      if (tangents[source + d] !== 0) tangents[target + d] += factor * tangents[source + d];
    }
  }
}

function linearTangents(work: Workspace, at: i32): void {
  const plan = work.plan;
  const code = plan.code;
  const out = code[at + 1];
  const rows = code[at + 2];
  const x = code[at + 3];
  const columns = code[at + 5];
  const weight = code[at + 7];
  if (plan.uniform[at / WIDTH] === 1) {
    const width = plan.high[x] - plan.low[x];
    pushLinear(plan.data, weight, work.tangents, plan.place[x], columns, plan.place[out], rows, width);
    return;
  }
  const tangents = work.tangents;
  const low = plan.low[out];
  const width = plan.high[out] - low;
  const target = plan.place[out];
  clearRange(tangents, target, target + rows * width);
  for (let j: i32 = 0; j < columns; j++) {
    const source = plan.place[x + j];
    const from = plan.low[x + j];
    const count = plan.high[x + j] - from;
    for (let i: i32 = 0; i < rows; i++) {
      const factor = plan.data[weight + i * columns + j];
      const to = target + i * width + from - low;
      if (factor - factor !== 0) accumulate(work, out + i, x + j, factor);
      else if (count === 1) tangents[to] += factor * tangents[source];
      else addScaled(tangents, to, tangents, source, count, factor);
    }
  }
}

function opaqueTangents(work: Workspace, at: i32): void {
  const plan = work.plan;
  const code = plan.code;
  const out = code[at + 1];
  const inputs = code[at + 5];
  const jacobian = plan.jacobianAt[code[at + 7]];
  for (let i: i32 = 0; i < code[at + 2]; i++) {
    clear(work, out + i);
    for (let j: i32 = 0; j < inputs; j++) {
      accumulate(work, out + i, code[at + 3] + j, work.jacobians[jacobian + i * inputs + j]);
    }
  }
}
