/** Which instructions of a program some of its outputs need. */
import { CODE, type Kind, kindOf, opOf } from "./opcodes.ts";
import { type Program, WIDTH } from "./program.ts";

/** Kinds whose instructions read the vector of length b at a. */
const WHOLE: ReadonlySet<Kind> = new Set<Kind>(["linear", "opaque", "sum"]);

/** Positions in the code, in order, without those that depend on parameters only. */
export function neededFor(program: Program, first: number, count: number): Int32Array {
  const { code, fixed, outputSlots, slots } = program;
  const wanted = new Uint8Array(slots);
  for (let k = first; k < first + count; k++) wanted[outputSlots[k]] = 1;
  const positions: number[] = [];
  for (let at = code.length - WIDTH; at >= fixed * WIDTH; at -= WIDTH) {
    const [op, out, length, a, sa, b, sb, c, sc] = code.subarray(at, at + 9);
    if (!wanted.subarray(out, out + length).includes(1)) continue;
    positions.push(at);
    if (WHOLE.has(kindOf(opOf(op)!)) || op === CODE.trees) {
      wanted.fill(1, a, a + b);
      continue;
    }
    wanted.fill(1, a, a + 1 + sa * (length - 1));
    if (op >= CODE.add && op <= CODE.select) wanted.fill(1, b, b + 1 + sb * (length - 1));
    if (op === CODE.select) wanted.fill(1, c, c + 1 + sc * (length - 1));
  }
  return Int32Array.from(positions.reverse());
}
