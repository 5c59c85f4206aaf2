/**
 * The flat form of a tape. Little-endian; a header of 16 int32, the int32 part, padding to 8 bytes, the float64 part.
 *
 * The values live in one arena of slots: variables, parameters, constants, then the results in the order of the
 * instructions. An argument lies below the result that reads it. The first `fixed` instructions depend on parameters
 * only. A slice is no instruction: it is a place inside its argument.
 */
import { WIDTH } from "./codes.ts";
import { Forest } from "./forest.ts";
import { GraphError } from "./graph_error.ts";
import { CODE, opOf } from "./opcodes.ts";

const MAGIC = 0x31505453;
const TAPE_VERSION = 1;
const HEADER = 16;
const MAX_SLOTS = 1 << 22;
export { WIDTH };

export interface OpaqueCall {
  /** The caller's number of the code that is called. */
  readonly skill: number;
  readonly inputs: number;
  readonly outputs: number;
}

export interface Program {
  readonly variables: number;
  readonly parameters: number;
  /** Size of the arena. */
  readonly slots: number;
  /** Number of instructions that depend on parameters only; they come first. */
  readonly fixed: number;
  /** WIDTH words an instruction. linear: a = x, b = columns, c = offset of W in `data`; opaque: a, b = inputs, c = which call; sum: a, b = length; trees: a, b = inputs, c = which forest, then offset and length in `data`. */
  readonly code: Int32Array;
  /** Slot of each output. */
  readonly outputSlots: Int32Array;
  /** How many instructions must have run until outputs 0 … k are there. */
  readonly outputEnds: Int32Array;
  readonly opaques: readonly OpaqueCall[];
  /** Values of the slots after variables and parameters. */
  readonly constants: Float64Array;
  /** Weights, row-major, each followed by its bias; forests. */
  readonly data: Float64Array;
  /** Those of `data`, in the order of the code. */
  readonly forests: readonly Forest[];
}

export function encodeProgram(program: Program): ArrayBuffer {
  const { code, outputSlots, outputEnds, opaques, constants, data } = program;
  const words = HEADER + code.length + outputSlots.length * 2 + opaques.length * 3;
  const start = Math.ceil(words / 2) * 8;
  const buffer = new ArrayBuffer(start + (constants.length + data.length) * 8);
  const ints = new Int32Array(buffer, 0, words);
  ints.set([
    MAGIC,
    TAPE_VERSION,
    program.variables,
    program.parameters,
    program.slots,
    program.fixed,
    code.length,
    outputSlots.length,
    opaques.length,
    constants.length,
    data.length,
  ]);
  let at = HEADER;
  for (
    const part of [code, outputSlots, outputEnds, opaques.flatMap((o) => [o.skill, o.inputs, o.outputs])]
  ) {
    ints.set(part, at);
    at += part.length;
  }
  const floats = new Float64Array(buffer, start);
  floats.set(constants);
  floats.set(data, constants.length);
  return buffer;
}

/** Views on `buffer`, after every index in it was checked. @throws {GraphError} TAPE */
export function decodeProgram(buffer: ArrayBuffer): Program {
  if (buffer.byteLength < HEADER * 4) throw broken(`${buffer.byteLength} bytes are less than a header`);
  const header = new Int32Array(buffer, 0, HEADER);
  if (header[0] !== MAGIC) throw broken("it does not begin as a tape does");
  if (header[1] !== TAPE_VERSION) {
    throw new GraphError("TAPE", `Got tape v${header[1]}, expected v${TAPE_VERSION}`);
  }
  const [variables, parameters, slots, fixed, codeLength, outputs, calls, constantCount, dataLength] = header
    .subarray(2, 11);
  if (header.subarray(2, 11).some((count) => count < 0) || slots > MAX_SLOTS) {
    throw broken("a count is out of range");
  }
  const start = Math.ceil((HEADER + codeLength + outputs * 2 + calls * 3) / 2) * 8;
  if (buffer.byteLength !== start + (constantCount + dataLength) * 8) {
    throw broken("its length does not fit its counts");
  }
  let at = HEADER * 4;
  const take = (count: number) => new Int32Array(buffer, (at += count * 4) - count * 4, count);
  const code = take(codeLength);
  const outputSlots = take(outputs);
  const outputEnds = take(outputs);
  const called = take(calls * 3);
  const opaques = Array.from({ length: calls }, (_, k) => (
    { skill: called[k * 3], inputs: called[k * 3 + 1], outputs: called[k * 3 + 2] }
  ));
  const constants = new Float64Array(buffer, start, constantCount);
  const data = new Float64Array(buffer, start + constantCount * 8, dataLength);
  const forests: Forest[] = [];
  const program = {
    variables,
    parameters,
    slots,
    fixed,
    code,
    outputSlots,
    outputEnds,
    opaques,
    constants,
    data,
    forests,
  };
  checkProgram(program);
  for (let at = 0; at < code.length; at += WIDTH) {
    if (code[at] !== CODE.trees) continue;
    const [length, , , inputs, , , offset, size] = code.subarray(at + 2, at + WIDTH);
    forests.push(new Forest(data.subarray(offset, offset + size), inputs, length));
  }
  return program;
}

function checkProgram(program: Program): void {
  const { code, slots, fixed, outputSlots, outputEnds } = program;
  if (code.length % WIDTH !== 0 || fixed * WIDTH > code.length) throw broken("its code is cut");
  let free = program.variables + program.parameters + program.constants.length;
  let opaques = 0;
  let forests = 0;
  for (let at = 0; at < code.length; at += WIDTH) {
    const [op, out, length] = [code[at], code[at + 1], code[at + 2]];
    if (opOf(op) === undefined || op < CODE.opaque || op === CODE.slice) {
      throw broken(`operation ${op} is unknown`);
    }
    if (out !== free || length < 1) throw broken(`instruction ${at / WIDTH} writes outside its place`);
    checkArguments(program, at, opaques, forests);
    if (op === CODE.opaque) opaques++;
    if (op === CODE.trees) forests++;
    free += length;
  }
  if (free !== slots || opaques !== program.opaques.length) throw broken("its counts do not fit its code");
  let ended = fixed;
  for (let k = 0; k < outputSlots.length; k++) {
    if (
      outputSlots[k] < 0 || outputSlots[k] >= slots || outputEnds[k] < ended ||
      outputEnds[k] * WIDTH > code.length
    ) {
      throw broken(`output ${k} is outside`);
    }
    ended = outputEnds[k];
    const end = ended * WIDTH;
    const written = end < code.length ? code[end + 1] : slots;
    if (outputSlots[k] >= written) throw broken(`output ${k} is not yet there at its end`);
  }
}

function checkArguments(program: Program, at: number, opaques: number, forests: number): void {
  const { code } = program;
  const [op, out, length] = [code[at], code[at + 1], code[at + 2]];
  const [a, sa, b, sb] = [code[at + 3], code[at + 4], code[at + 5], code[at + 6]];
  const [c, sc] = [code[at + 7], code[at + 8]];
  const inside = (slot: number, size: number) => slot >= 0 && size >= 1 && slot + size <= out;
  const strided = (slot: number, stride: number) =>
    (stride === 0 || stride === 1) && inside(slot, stride === 0 ? 1 : length);
  let good: boolean;
  if (op === CODE.linear) {
    good = inside(a, b) && c >= 0 && c + length * b + length <= program.data.length;
  } else if (op === CODE.opaque) {
    const call = program.opaques[c];
    good = inside(a, b) && c === opaques && call !== undefined && call.inputs === b &&
      call.outputs === length;
  } else if (op === CODE.trees) {
    const size = code[at + 9];
    good = inside(a, b) && c === forests && sc >= 0 && size >= 1 && sc + size <= program.data.length;
  } else if (op === CODE.sum) {
    good = inside(a, b) && length === 1;
  } else {
    // what reads one argument reads all of it
    good = strided(a, sa) && (sa === 1 || length === 1 || op >= CODE.add && op <= CODE.select);
    if (op >= CODE.add && op <= CODE.select) good = good && strided(b, sb);
    if (op === CODE.select) good = good && strided(c, sc);
  }
  if (!good) throw broken(`instruction ${at / WIDTH} reads outside the arena`);
}

function broken(what: string): GraphError {
  return new GraphError("TAPE", `Cannot read a tape: ${what}`);
}
