/** Values: runs the instructions `from` … `to` − 1 over the arena. */
import { type BinaryCode, CODE, type OpCode, type UnaryCode } from "./opcodes.ts";
import { WIDTH } from "./program.ts";
import { binaryValue, selectValue, unaryValue } from "./scalar.ts";
import { exp, normalCdfWith } from "./special.ts";
import type { Workspace } from "./workspace.ts";

/** Fills the outputs of an opaque call, whose inputs are in the arena. */
export type OpaqueFill = (call: number, inputSlot: number, outputSlot: number) => void;

export function runForward(work: Workspace, from: number, to: number, fill: OpaqueFill): void {
  const { program: { code, data }, values: v } = work;
  const end = to * WIDTH;
  for (let at = from * WIDTH; at < end; at += WIDTH) {
    const op = code[at] as OpCode;
    const out = code[at + 1];
    const length = code[at + 2];
    const a = code[at + 3];
    if (op === CODE.linear) applyLinear(data, code[at + 7], v, a, code[at + 5], out, length);
    else if (op === CODE.concat) { for (let i = 0; i < length; i++) v[out + i] = v[a + i]; }
    else if (op === CODE.sum) v[out] = sumOf(v, a, code[at + 5]);
    else if (op === CODE.opaque) fill(code[at + 7], a, out);
    else if (op === CODE.gelu) applyGelu(work, out, length, a, code[at + 4]);
    else if (op < CODE.add) applyUnary(op as UnaryCode, v, out, length, a, code[at + 4]);
    else if (op === CODE.select) applySelect(code, at, v);
    else if (length === 1) v[out] = binaryValue(op as BinaryCode, v[a], v[code[at + 5]]);
    else applyBinary(op as BinaryCode, v, out, length, a, code[at + 4], code[at + 5], code[at + 6]);
  }
}

function applyLinear(
  data: Float64Array,
  weight: number,
  v: Float64Array,
  x: number,
  columns: number,
  out: number,
  rows: number,
): void {
  const bias = weight + rows * columns;
  let w = weight;
  for (let i = 0; i < rows; i++) {
    let total = data[bias + i];
    for (let j = 0; j < columns; j++) total += data[w + j] * v[x + j];
    v[out + i] = total;
    w += columns;
  }
}

function sumOf(v: Float64Array, a: number, length: number): number {
  let total = 0;
  for (let i = 0; i < length; i++) total += v[a + i];
  return total;
}

function applySelect(code: Int32Array, at: number, v: Float64Array): void {
  const out = code[at + 1];
  for (let i = 0; i < code[at + 2]; i++) {
    v[out + i] = selectValue(
      v[code[at + 3] + i * code[at + 4]],
      v[code[at + 5] + i * code[at + 6]],
      v[code[at + 7] + i * code[at + 8]],
    );
  }
}

/** As `gelu` of special.ts; leaves Φ(x) and e^(−x²/2) for the derivatives, which need the same exponential. */
function applyGelu(
  { values, partials }: Workspace,
  out: number,
  length: number,
  a: number,
  stride: number,
): void {
  for (let i = 0; i < length; i++) {
    const x = values[a + i * stride];
    const e = exp(-0.5 * x * x);
    const cdf = normalCdfWith(x, e);
    values[out + i] = cdf === 0 ? 0 : x * cdf;
    partials.first[out + i] = cdf;
    partials.second[out + i] = e;
  }
}

function applyUnary(
  op: UnaryCode,
  v: Float64Array,
  out: number,
  length: number,
  a: number,
  stride: number,
): void {
  for (let i = 0; i < length; i++) v[out + i] = unaryValue(op, v[a + i * stride]);
}

function applyBinary(
  op: BinaryCode,
  v: Float64Array,
  out: number,
  length: number,
  a: number,
  strideA: number,
  b: number,
  strideB: number,
): void {
  for (let i = 0; i < length; i++) v[out + i] = binaryValue(op, v[a + i * strideA], v[b + i * strideB]);
}
