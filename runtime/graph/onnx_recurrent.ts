/** RNN, GRU and LSTM of known length, step by step. Formulas: github.com/onnx/onnx, docs/Operators.md. */
import { fail, type OnnxCall, type OnnxRule } from "./onnx_call.ts";
import { joined } from "./onnx_linear.ts";
import { leaky, ramp, softplus, softsign } from "./onnx_elementwise.ts";
import { NotLowerable, type OnnxBuilder, type OnnxValue, ordered, sizeOf } from "./onnx_value.ts";

/** Steps of all rows and directions; as many times some ten nodes. */
const MAX_STEPS = 4096;

export const RECURRENT_RULES: Readonly<Record<string, OnnxRule>> = {
  RNN: (call) => recurrent(call, { gates: 1, functions: ["Tanh"], step: plainStep }),
  GRU: (call) => recurrent(call, { gates: 3, functions: ["Sigmoid", "Tanh"], step: gruStep }),
  LSTM: (call) => recurrent(call, { gates: 4, functions: ["Sigmoid", "Tanh", "Tanh"], step: lstmStep }),
};

interface Kind {
  readonly gates: number;
  /** Activations where the node names none. */
  readonly functions: readonly string[];
  readonly step: (cell: Cell, x: OnnxValue, state: State) => State;
}

interface State {
  readonly h: OnnxValue;
  /** The cell state, of an LSTM only. */
  readonly c: OnnxValue;
}

/** One direction: weights row-major, gate by gate. */
interface Cell {
  readonly build: OnnxBuilder;
  readonly size: number;
  readonly width: number;
  readonly input: Float64Array;
  readonly recurrent: Float64Array;
  readonly inputBias: Float64Array;
  readonly recurrentBias: Float64Array;
  readonly functions: readonly ((value: OnnxValue) => OnnxValue)[];
  /** GRU's linear_before_reset. */
  readonly late: boolean;
  /** An LSTM's weights of the cell state in the gates input, output, forget. */
  readonly peepholes: Float64Array | undefined;
  /** An LSTM's forget gate is what its input gate leaves. */
  readonly coupled: boolean;
}

function recurrent(call: OnnxCall, kind: Kind): OnnxValue[] {
  const { build } = call;
  const batchFirst = call.integer("layout", 0) !== 0;
  const x = turned(build, call.input(0), batchFirst);
  const [steps, rows, width] = x.shape;
  const size = call.input(2).shape[2];
  const way = call.text("direction", "forward");
  const ways = way === "bidirectional" ? 2 : 1;
  if (x.shape.length !== 3 || call.integer("hidden_size", size) !== size || !(size > 0)) {
    throw fail(`its input has shape [${x.shape}], its state ${size} values`);
  }
  if (call.has(4) && call.knownInput(4).some((length) => length !== steps)) {
    throw new NotLowerable("its sequences differ in length");
  }
  if (!(sizeOf(x.shape) > 0)) throw new NotLowerable("its sequence is empty");
  if (steps * rows * ways > MAX_STEPS) throw new NotLowerable(`it takes ${steps * rows * ways} steps`);
  const h0 = turned(build, initial(call, 5, [ways, rows, size], batchFirst), batchFirst);
  const c0 = turned(build, initial(call, 6, [ways, rows, size], batchFirst), batchFirst);
  const outputs: OnnxValue[][] = Array.from({ length: steps * ways * rows }, () => []);
  const last: { h: OnnxValue[]; c: OnnxValue[] } = { h: [], c: [] };
  for (let direction = 0; direction < ways; direction++) {
    const cell = cellOf(call, kind, direction, ways, size, width);
    const backwards = way === "reverse" || direction === 1;
    for (let row = 0; row < rows; row++) {
      let state: State = {
        h: block(build, h0, direction * rows + row, size),
        c: block(build, c0, direction * rows + row, size),
      };
      for (let i = 0; i < steps; i++) {
        const t = backwards ? steps - 1 - i : i;
        state = kind.step(cell, block(build, x, t * rows + row, width), state);
        outputs[(t * ways + direction) * rows + row] = [state.h];
      }
      last.h.push(state.h);
      last.c.push(state.c);
    }
  }
  const final = [ways, rows, size];
  const all = joined(build, outputs.flat(), [steps, ...final]);
  const ends = [last.h, ...(kind.gates === 4 ? [last.c] : [])].map((parts) =>
    turned(build, joined(build, parts, final), batchFirst)
  );
  return [batchFirst ? ordered(build, all, [2, 0, 1, 3]) : all, ...ends];
}

/** With the first two dimensions exchanged, where the batch comes first. */
function turned(build: OnnxBuilder, value: OnnxValue, batchFirst: boolean): OnnxValue {
  return batchFirst && value.shape.length === 3 ? ordered(build, value, [1, 0, 2]) : value;
}

function initial(
  call: OnnxCall,
  index: number,
  [ways, rows, size]: readonly number[],
  batchFirst: boolean,
): OnnxValue {
  const shape = batchFirst ? [rows, ways, size] : [ways, rows, size];
  if (!call.has(index)) return call.build.known(shape, new Float64Array(call.build.room(shape)));
  const value = call.input(index);
  if (sizeOf(value.shape) !== sizeOf(shape)) throw fail(`its initial state has shape [${value.shape}]`);
  return value;
}

function cellOf(
  call: OnnxCall,
  { gates, functions }: Kind,
  direction: number,
  ways: number,
  size: number,
  width: number,
): Cell {
  const { build } = call;
  const rows = gates * size;
  const piece = (index: number, length: number) => {
    const data = call.knownInput(index);
    if (data.length !== ways * length) {
      throw fail(`its input ${index + 1} has ${data.length} values, expected ${ways * length}`);
    }
    return data.subarray(direction * length, (direction + 1) * length);
  };
  const bias = call.has(3) ? piece(3, 2 * rows) : new Float64Array(2 * rows);
  const names = call.texts("activations") ?? [];
  const wanted = functions.map((name, i) =>
    names.length === 0 ? name : names[direction * functions.length + i] ?? name
  );
  return {
    build,
    size,
    width,
    input: piece(1, rows * width),
    recurrent: piece(2, rows * size),
    inputBias: bias.subarray(0, rows),
    recurrentBias: bias.subarray(rows),
    functions: activations(call, wanted, direction * functions.length),
    late: call.integer("linear_before_reset", 0) !== 0,
    peepholes: call.has(7) ? piece(7, 3 * size) : undefined,
    coupled: call.integer("input_forget", 0) !== 0,
  };
}

/**
 * @param names Of one direction. @param before How many functions the directions before it have: the parameters of all
 * of them stand in one list, and each function takes what it uses.
 */
function activations(
  call: OnnxCall,
  names: readonly string[],
  before: number,
): ((value: OnnxValue) => OnnxValue)[] {
  const { build } = call;
  const all = call.texts("activations") ?? [];
  const [alphas, betas] = ["activation_alpha", "activation_beta"].map((key) => [...call.floats(key) ?? []]);
  for (const name of all.slice(0, before)) {
    const { alpha, beta } = FUNCTIONS[name.toLowerCase()] ?? {};
    if (alpha !== undefined) alphas.shift();
    if (beta !== undefined) betas.shift();
  }
  const clip = call.node.attributes.has("clip") ? call.float("clip", 0) : undefined;
  return names.map((name) => {
    const known = FUNCTIONS[name.toLowerCase()];
    if (known === undefined) {
      throw new NotLowerable(`its activation "${name.slice(0, 40)}" is not supported`);
    }
    const alpha = known.alpha === undefined ? 0 : alphas.shift() ?? known.alpha;
    const beta = known.beta === undefined ? 0 : betas.shift() ?? known.beta;
    return (value) => known.of(build, clip === undefined ? value : within(build, value, clip), alpha, beta);
  });
}

function within(build: OnnxBuilder, value: OnnxValue, limit: number): OnnxValue {
  return build.binary("min", build.binary("max", value, build.scalar(-limit)), build.scalar(limit));
}

interface RecurrentFunction {
  /** Defaults of the parameters that it has. */
  readonly alpha?: number;
  readonly beta?: number;
  readonly of: (build: OnnxBuilder, value: OnnxValue, alpha: number, beta: number) => OnnxValue;
}

/** By name in lower case, as the format wants them compared. */
const FUNCTIONS: Readonly<Record<string, RecurrentFunction>> = Object.assign(
  Object.create(null),
  {
    sigmoid: { of: (build, value) => build.unary("sigmoid", value) },
    tanh: { of: (build, value) => build.unary("tanh", value) },
    relu: { of: (build, value) => build.binary("max", value, build.scalar(0)) },
    leakyrelu: { alpha: 0.01, of: (build, value, alpha) => leaky(build, value, build.scalar(alpha)) },
    hardsigmoid: { alpha: 0.2, beta: 0.5, of: ramp },
    softplus: { of: softplus },
    softsign: { of: softsign },
  } satisfies Record<string, RecurrentFunction>,
);

/** W x + R h + biases for gates from … to − 1: one product. */
function gatesOf(cell: Cell, from: number, to: number, x: OnnxValue, h: OnnxValue): OnnxValue {
  const { build, size, width, input, recurrent } = cell;
  const [start, rows] = [from * size, (to - from) * size];
  const weight = new Float64Array(rows * (width + size));
  const bias = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    weight.set(input.subarray((start + i) * width, (start + i + 1) * width), i * (width + size));
    weight.set(recurrent.subarray((start + i) * size, (start + i + 1) * size), i * (width + size) + width);
    bias[i] = cell.inputBias[start + i] + cell.recurrentBias[start + i];
  }
  return build.linear([rows], weight, joined(build, [x, h], [width + size]), bias);
}

function plainStep(cell: Cell, x: OnnxValue, { h, c }: State): State {
  return { h: cell.functions[0](gatesOf(cell, 0, 1, x, h)), c };
}

/** Gates in the order update, reset, hidden. */
function gruStep(cell: Cell, x: OnnxValue, { h, c }: State): State {
  const { build, size, width } = cell;
  const open = cell.functions[0](gatesOf(cell, 0, 2, x, h));
  const [update, reset] = [block(build, open, 0, size), block(build, open, 1, size)];
  const part = (weight: Float64Array, columns: number) => weight.subarray(2 * size * columns);
  const own = build.linear([size], part(cell.input, width), x, cell.inputBias.subarray(2 * size));
  const bias = cell.recurrentBias.subarray(2 * size);
  const kept = cell.late ? h : build.binary("mul", reset, h);
  const past = build.linear([size], part(cell.recurrent, size), kept, bias);
  const hidden = cell.functions[1](
    build.binary("add", own, cell.late ? build.binary("mul", reset, past) : past),
  );
  // (1 − z)·h̃ + z·h
  return { h: build.binary("add", hidden, build.binary("mul", update, build.binary("sub", h, hidden))), c };
}

/** Gates in the order input, output, forget, cell. */
function lstmStep(cell: Cell, x: OnnxValue, { h, c }: State): State {
  const { build, size, functions: [gate, squashed, shown], coupled } = cell;
  const gates = gatesOf(cell, 0, 4, x, h);
  const open = (i: number, state: OnnxValue) => {
    const sum = block(build, gates, i, size);
    if (cell.peepholes === undefined) return gate(sum);
    const weight = build.known([size], cell.peepholes.subarray(i * size, (i + 1) * size));
    return gate(build.binary("add", sum, build.binary("mul", weight, state)));
  };
  const input = open(0, c);
  const forget = coupled ? build.binary("sub", build.scalar(1), input) : open(2, c);
  const fresh = squashed(block(build, gates, 3, size));
  const next = build.binary("add", build.binary("mul", forget, c), build.binary("mul", input, fresh));
  return { h: build.binary("mul", open(1, next), shown(next)), c: next };
}

/** Block i of `size` elements in the flat order. */
function block(build: OnnxBuilder, value: OnnxValue, i: number, size: number): OnnxValue {
  return build.gather(value, Array.from({ length: size }, (_, k) => i * size + k), [size]);
}
