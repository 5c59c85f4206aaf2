/** Forward derivatives: the tangents of every slot of the instructions `live[from]` … `live[to − 1]`. */
import { CODE, type OpCode } from "./opcodes.ts";
import { WIDTH } from "./program.ts";
import type { Workspace } from "./workspace.ts";

export function runTangents(work: Workspace, from: number, to: number): void {
  const { code } = work.program;
  const { live } = work.directions;
  const { values, partials } = work;
  for (let k = from; k < to; k++) {
    const at = live[k];
    const op = code[at] as OpCode;
    const out = code[at + 1];
    const length = code[at + 2];
    const a = code[at + 3];
    const sa = code[at + 4];
    const b = code[at + 5];
    const sb = code[at + 6];
    if (op === CODE.linear) {
      linearTangents(work, at);
      continue;
    }
    if (op === CODE.opaque) {
      opaqueTangents(work, at);
      continue;
    }
    for (let i = 0; i < length; i++) {
      const slot = out + i;
      const first = a + i * sa;
      const second = b + i * sb;
      switch (op) {
        case CODE.concat:
          assign(work, slot, first, 1);
          break;
        case CODE.neg:
          assign(work, slot, first, -1);
          break;
        case CODE.abs:
          assign(work, slot, first, values[first] < 0 ? -1 : 1);
          break;
        case CODE.sum:
          clear(work, slot);
          for (let j = 0; j < b; j++) accumulate(work, slot, a + j, 1);
          break;
        case CODE.add:
          blend(work, slot, first, 1, second, 1);
          break;
        case CODE.sub:
          blend(work, slot, first, 1, second, -1);
          break;
        case CODE.mul:
          blend(work, slot, first, values[second], second, values[first]);
          break;
        case CODE.div:
        case CODE.pow:
        case CODE.mod:
          blend(work, slot, first, partials.first[slot], second, partials.firstB[slot]);
          break;
        case CODE.min:
          pick(work, slot, values[first] <= values[second] ? first : second);
          break;
        case CODE.max:
          pick(work, slot, values[first] >= values[second] ? first : second);
          break;
        case CODE.select:
          pick(work, slot, values[first] !== 0 ? second : code[at + 7] + i * code[at + 8]);
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
          assign(work, slot, first, partials.first[slot]);
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

function clear(work: Workspace, slot: number): void {
  const { low, high, place } = work.directions;
  const start = place[slot];
  const end = start + high[slot] - low[slot];
  for (let d = start; d < end; d++) work.tangents[d] = 0;
}

function pick(work: Workspace, slot: number, chosen: number): void {
  clear(work, slot);
  accumulate(work, slot, chosen, 1);
}

/** Tangents of `slot` = factor · those of `from`, which has the same range. */
function assign(work: Workspace, slot: number, from: number, factor: number): void {
  const { low, high, place } = work.directions;
  const { tangents } = work;
  const source = place[from];
  const target = place[slot];
  const width = high[slot] - low[slot];
  if (Number.isFinite(factor)) {
    for (let d = 0; d < width; d++) tangents[target + d] = factor * tangents[source + d];
  } else {
    for (let d = 0; d < width; d++) {
      tangents[target + d] = tangents[source + d] === 0 ? 0 : factor * tangents[source + d];
    }
  }
}

/** Tangents of `slot` = factorA · those of `a` + factorB · those of `b`. */
function blend(work: Workspace, slot: number, a: number, factorA: number, b: number, factorB: number): void {
  const { low, high, place } = work.directions;
  const { tangents } = work;
  if (low[b] === high[b]) {
    assign(work, slot, a, factorA);
  } else if (low[a] === high[a]) {
    assign(work, slot, b, factorB);
  } else if (
    low[a] === low[b] && high[a] === high[b] && Number.isFinite(factorA) && Number.isFinite(factorB)
  ) {
    const target = place[slot];
    const first = place[a];
    const second = place[b];
    const width = high[a] - low[a];
    for (let d = 0; d < width; d++) {
      tangents[target + d] = factorA * tangents[first + d] + factorB * tangents[second + d];
    }
  } else {
    clear(work, slot);
    accumulate(work, slot, a, factorA);
    accumulate(work, slot, b, factorB);
  }
}

/** Adds factor · tangents of `from`, whose range lies within that of `slot`. */
function accumulate(work: Workspace, slot: number, from: number, factor: number): void {
  const { low, high, place } = work.directions;
  const { tangents } = work;
  const width = high[from] - low[from];
  const source = place[from];
  const target = place[slot] + low[from] - low[slot];
  if (Number.isFinite(factor)) {
    for (let d = 0; d < width; d++) tangents[target + d] += factor * tangents[source + d];
  } else {
    // a direction that does not move the argument has slope 0, whatever the factor
    for (let d = 0; d < width; d++) {
      if (tangents[source + d] !== 0) tangents[target + d] += factor * tangents[source + d];
    }
  }
}

function linearTangents(work: Workspace, at: number): void {
  const { code, data } = work.program;
  const out = code[at + 1];
  const rows = code[at + 2];
  const x = code[at + 3];
  const columns = code[at + 5];
  let weight = code[at + 7];
  if (work.directions.uniform[at / WIDTH] === 1) {
    denseTangents(work, out, rows, x, columns, weight);
    return;
  }
  for (let i = 0; i < rows; i++) {
    clear(work, out + i);
    for (let j = 0; j < columns; j++) accumulate(work, out + i, x + j, data[weight++]);
  }
}

/** The matrix product of the weights and the tangents of x, four directions at a time. */
function denseTangents(
  work: Workspace,
  out: number,
  rows: number,
  x: number,
  columns: number,
  weight: number,
): void {
  const { low, high, place } = work.directions;
  const { data } = work.program;
  const { tangents } = work;
  const width = high[x] - low[x];
  const source = place[x];
  for (let i = 0; i < rows; i++) {
    const row = weight + i * columns;
    const target = place[out + i];
    let d = 0;
    for (; d + 4 <= width; d += 4) {
      let t0 = 0, t1 = 0, t2 = 0, t3 = 0;
      for (let j = 0, s = source + d; j < columns; j++, s += width) {
        const w = data[row + j];
        t0 += w * tangents[s];
        t1 += w * tangents[s + 1];
        t2 += w * tangents[s + 2];
        t3 += w * tangents[s + 3];
      }
      tangents[target + d] = t0;
      tangents[target + d + 1] = t1;
      tangents[target + d + 2] = t2;
      tangents[target + d + 3] = t3;
    }
    for (; d + 2 <= width; d += 2) {
      let t0 = 0, t1 = 0;
      for (let j = 0, s = source + d; j < columns; j++, s += width) {
        const w = data[row + j];
        t0 += w * tangents[s];
        t1 += w * tangents[s + 1];
      }
      tangents[target + d] = t0;
      tangents[target + d + 1] = t1;
    }
    for (; d < width; d++) {
      let t = 0;
      for (let j = 0, s = source + d; j < columns; j++, s += width) t += data[row + j] * tangents[s];
      tangents[target + d] = t;
    }
  }
}

function opaqueTangents(work: Workspace, at: number): void {
  const { code } = work.program;
  const jacobian = work.jacobians[code[at + 7]];
  const inputs = code[at + 5];
  for (let i = 0; i < code[at + 2]; i++) {
    clear(work, code[at + 1] + i);
    for (let j = 0; j < inputs; j++) {
      accumulate(work, code[at + 1] + i, code[at + 3] + j, jacobian[i * inputs + j]);
    }
  }
}
