/**
 * Reads pickles (protocols 0 to 5; docs.python.org/3/library/pickletools) as plain data. A pickle is a program for a
 * stack machine that may call anything; this machine knows a closed list of classes, represents them as data and calls
 * nothing. Time and memory are linear in the length of the file, whatever it says.
 */
import { Cursor } from "./pickle_cursor.ts";
import { instance, JOBLIB_ARRAY, knownGlobal, reduced, setState } from "./pickle_known.ts";
import { readJoblibArray } from "./pickle_numpy.ts";
import { decimalFloat, decimalInteger, longInteger, unescaped } from "./pickle_number.ts";
import { OPCODE_NAMES } from "./pickle_opcodes.ts";
import { describe, emptyDict, isKind, itemsOf, pickleError, type PickleValue } from "./pickle_value.ts";

export interface PickleOptions {
  /** What a persistent id stands for. Default: an error. */
  readonly persistent?: (id: PickleValue) => PickleValue;
  /** Where the pickle starts, in bytes; default 0. */
  readonly start?: number;
}

export interface PickleResult {
  readonly value: PickleValue;
  /** The byte behind the pickle; what follows is not looked at. */
  readonly end: number;
}

/** Most operations of one file: a state dict of 4000 tensors has about 200,000. */
const MAX_OPERATIONS = 500_000;
/** Most lists, tuples, dicts and objects: each costs up to 200 bytes of memory for one byte of file. */
const MAX_CONTAINERS = 100_000;
/** How far a memo number may be ahead of the ones in use; Python's own writers number without a gap. */
const MAX_MEMO_GAP = 16;
/** Longest integer, in bytes. */
const MAX_INTEGER = 32;

/** What a file may still cost; a pickle within it draws on the same. */
interface Budget {
  operations: number;
  containers: number;
  /** Characters that may be turned into bytes: each once, however often the text is used. */
  encoded: number;
}

interface Machine {
  readonly cursor: Cursor;
  readonly options: PickleOptions;
  readonly budget: Budget;
  /** False inside the pickle of a joblib array: there is no third level. */
  readonly outer: boolean;
  readonly stack: PickleValue[];
  /** Heights of the stack. */
  readonly marks: number[];
  readonly memo: (PickleValue | undefined)[];
}

/** @throws {GraphError} PICKLE if the bytes are no pickle, name something unknown, or are too much. */
export function readPickle(bytes: Uint8Array, options: PickleOptions = {}): PickleResult {
  const cursor = new Cursor(bytes, options.start);
  const budget = { operations: MAX_OPERATIONS, containers: MAX_CONTAINERS, encoded: bytes.length };
  const value = run({ cursor, options, budget, outer: true, stack: [], marks: [], memo: [] });
  return { value, end: cursor.at };
}

function run(machine: Machine): PickleValue {
  const { cursor, budget } = machine;
  while (true) {
    if (budget.operations-- === 0) throw pickleError(`it has more than ${MAX_OPERATIONS} operations`);
    const at = cursor.at;
    const opcode = cursor.uint8();
    if (opcode === STOP) return pop(machine);
    const operation = OPERATIONS[opcode];
    if (operation === undefined) {
      const name = OPCODE_NAMES.get(opcode);
      throw pickleError(
        name === undefined
          ? `byte ${at} is 0x${opcode.toString(16).padStart(2, "0")}, expected the code of an operation`
          : `the operation ${name} at byte ${at} is not supported`,
      );
    }
    operation(machine);
  }
}

function pop({ stack, marks }: Machine): PickleValue {
  if (stack.length <= (marks.at(-1) ?? 0)) throw pickleError("it takes more from its stack than there is");
  return stack.pop()!;
}

function top(machine: Machine): PickleValue {
  const value = pop(machine);
  machine.stack.push(value);
  return value;
}

function popMark({ stack, marks }: Machine): PickleValue[] {
  const mark = marks.pop();
  if (mark === undefined) throw pickleError("it looks for a mark that is not there");
  return stack.splice(mark);
}

function spend(machine: Machine): void {
  if (machine.budget.containers-- === 0) {
    throw pickleError(`it has more than ${MAX_CONTAINERS} lists, tuples, dicts and objects`);
  }
}

function pushTuple(machine: Machine, items: readonly PickleValue[]): void {
  spend(machine);
  machine.stack.push({ kind: "tuple", items });
}

function popTuple(machine: Machine, length: number): void {
  const items: PickleValue[] = [];
  for (let i = 0; i < length; i++) items.push(pop(machine));
  pushTuple(machine, items.reverse());
}

function pushDict(machine: Machine, pairs: readonly PickleValue[]): void {
  spend(machine);
  const dict = emptyDict();
  machine.stack.push(dict);
  setItems(dict, pairs);
}

function setItems(target: PickleValue, pairs: readonly PickleValue[]): void {
  if (!isKind(target, "dict")) {
    throw pickleError(`it sets an entry of ${describe(target)}, expected a dict`);
  }
  if (pairs.length % 2 !== 0) throw pickleError("a dict has a key without a value");
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i];
    if (typeof key === "string") target.entries.set(key, pairs[i + 1]);
    else target.others++;
  }
}

function append(target: PickleValue, items: readonly PickleValue[]): void {
  if (!isKind(target, "list")) {
    throw pickleError(`it appends to ${describe(target)}, expected a list`);
  }
  for (const item of items) target.items.push(item);
}

function put({ memo }: Machine, index: number, value: PickleValue): void {
  if (!(index >= 0 && index <= memo.length + MAX_MEMO_GAP)) {
    throw pickleError(`it stores under the number ${index} after ${memo.length} others`);
  }
  while (memo.length < index) memo.push(undefined);
  memo[index] = value;
}

function get({ memo, stack }: Machine, index: number): void {
  const value = memo[index];
  if (value === undefined) throw pickleError(`it reads number ${index}, where nothing is stored`);
  stack.push(value);
}

function build(machine: Machine): void {
  const state = pop(machine);
  const target = top(machine);
  setState(target, state);
  if (
    !isKind(target, "object") || target.class !== JOBLIB_ARRAY
  ) return;
  if (!machine.outer) throw pickleError("a joblib array is inside another");
  machine.stack.pop();
  spend(machine);
  machine.stack.push(readJoblibArray(target.state!, machine.cursor, () => {
    return run({ ...machine, options: {}, outer: false, stack: [], marks: [], memo: [] });
  }));
}

function reduce(machine: Machine): void {
  const args = pop(machine);
  const callee = pop(machine);
  // A text that is turned into bytes again and again would cost more than the file is long.
  const [text] = itemsOf(args, "the arguments of a call");
  if (typeof text === "string") machine.budget.encoded -= text.length;
  if (machine.budget.encoded < 0) throw pickleError("it encodes more text than it has");
  spend(machine);
  machine.stack.push(reduced(callee, args));
}

function stackGlobal(machine: Machine): void {
  const name = pop(machine);
  const module = pop(machine);
  if (typeof name !== "string" || typeof module !== "string") {
    throw pickleError(`it names ${describe(module)} and ${describe(name)}, expected a module and a class`);
  }
  spend(machine);
  machine.stack.push(knownGlobal(module, name));
}

function persistent(machine: Machine): void {
  const id = pop(machine);
  if (machine.options.persistent === undefined) {
    throw pickleError(`it refers to something outside by ${describe(id)}, expected all of it in the file`);
  }
  spend(machine);
  machine.stack.push(machine.options.persistent(id));
}

function checkedProtocol(cursor: Cursor): void {
  const protocol = cursor.uint8();
  if (protocol > 5) throw pickleError(`it has protocol ${protocol}, expected 0 to 5`);
}

/** A frame only helps readers of streams: what is inside follows as if it were not there. */
function checkedFrame(cursor: Cursor): void {
  const length = cursor.uint64();
  if (length > cursor.left) throw pickleError(`a frame has ${length} bytes, ${cursor.left} are left`);
}

function integerBytes(cursor: Cursor, length: number): Uint8Array {
  if (length > MAX_INTEGER) {
    throw pickleError(`an integer has ${length} bytes, expected at most ${MAX_INTEGER}`);
  }
  return cursor.take(length);
}

const STOP = 0x2e;

type Operation = (machine: Machine) => void;
type Push = (cursor: Cursor) => PickleValue;

/** By opcode; the letters are those of pickletools. */
const OPERATIONS: readonly (Operation | undefined)[] = table({
  ...pushing({
    "N": () => null,
    "\x88": () => true,
    "\x89": () => false,
    "I": (cursor) => {
      const text = cursor.numberLine();
      return text === "00" ? false : text === "01" ? true : decimalInteger(text);
    },
    "L": (cursor) => decimalInteger(cursor.numberLine().replace(/L$/, "")),
    "F": (cursor) => decimalFloat(cursor.numberLine()),
    "J": (cursor) => cursor.int32(),
    "K": (cursor) => cursor.uint8(),
    "M": (cursor) => cursor.uint16(),
    "G": (cursor) => cursor.float64(),
    "\x8a": (cursor) => longInteger(integerBytes(cursor, cursor.uint8())),
    "\x8b": (cursor) => longInteger(integerBytes(cursor, cursor.uint32())),
    "V": (cursor) => unescaped(cursor.latinLine()),
    "X": (cursor) => cursor.text(cursor.uint32()),
    "\x8c": (cursor) => cursor.text(cursor.uint8()),
    "\x8d": (cursor) => cursor.text(cursor.uint64()),
    "B": (cursor) => cursor.take(cursor.uint32()),
    "C": (cursor) => cursor.take(cursor.uint8()),
    "\x8e": (cursor) => cursor.take(cursor.uint64()),
    "\x96": (cursor) => cursor.take(cursor.uint64()),
  }),
  "\x80": ({ cursor }) => checkedProtocol(cursor),
  "\x95": ({ cursor }) => checkedFrame(cursor),
  "(": ({ marks, stack }) => marks.push(stack.length),
  "0": (machine) => machine.stack.length === machine.marks.at(-1) ? machine.marks.pop() : pop(machine),
  "1": popMark,
  "2": (machine) => machine.stack.push(top(machine)),
  ")": (machine) => pushTuple(machine, []),
  "\x85": (machine) => popTuple(machine, 1),
  "\x86": (machine) => popTuple(machine, 2),
  "\x87": (machine) => popTuple(machine, 3),
  "t": (machine) => pushTuple(machine, popMark(machine)),
  "]": (machine) => {
    spend(machine);
    machine.stack.push({ kind: "list", items: [] });
  },
  "l": (machine) => {
    spend(machine);
    const items = popMark(machine);
    machine.stack.push({ kind: "list", items });
  },
  "}": (machine) => pushDict(machine, []),
  "d": (machine) => pushDict(machine, popMark(machine)),
  "a": (machine) => {
    const item = pop(machine);
    append(top(machine), [item]);
  },
  "e": (machine) => {
    const items = popMark(machine);
    append(top(machine), items);
  },
  "s": (machine) => {
    const value = pop(machine);
    const key = pop(machine);
    setItems(top(machine), [key, value]);
  },
  "u": (machine) => {
    const pairs = popMark(machine);
    setItems(top(machine), pairs);
  },
  "p": (machine) => put(machine, Number(decimalInteger(machine.cursor.numberLine())), top(machine)),
  "q": (machine) => put(machine, machine.cursor.uint8(), top(machine)),
  "r": (machine) => put(machine, machine.cursor.uint32(), top(machine)),
  "\x94": (machine) => put(machine, machine.memo.length, top(machine)),
  "g": (machine) => get(machine, Number(decimalInteger(machine.cursor.numberLine()))),
  "h": (machine) => get(machine, machine.cursor.uint8()),
  "j": (machine) => get(machine, machine.cursor.uint32()),
  "c": (machine) => {
    spend(machine);
    const module = machine.cursor.line();
    machine.stack.push(knownGlobal(module, machine.cursor.line()));
  },
  "\x93": stackGlobal,
  "R": reduce,
  "\x81": (machine) => {
    const args = pop(machine);
    const callee = pop(machine);
    spend(machine);
    machine.stack.push(instance(callee, args));
  },
  "b": build,
  "Q": persistent,
});

function pushing(pushes: Readonly<Record<string, Push>>): Record<string, Operation> {
  return Object.fromEntries(
    Object.entries(pushes).map(([letter, push]) => [letter, ({ cursor, stack }: Machine) => {
      stack.push(push(cursor));
    }]),
  );
}

function table(operations: Readonly<Record<string, (machine: Machine) => unknown>>): Operation[] {
  const list: Operation[] = new Array(256);
  for (const [letter, operation] of Object.entries(operations)) list[letter.charCodeAt(0)] = operation;
  return list;
}
