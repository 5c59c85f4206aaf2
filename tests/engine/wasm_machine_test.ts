import { assert, assertEquals, assertThrows } from "@std/assert";
import { WasmMachine, wasmMachine } from "../../runtime/engine/wasm_machine.ts";
import { Graph, type NodeId } from "../../runtime/graph/expr.ts";
import { AGGREGATES, type Branch, encodeForest } from "../../runtime/graph/forest.ts";
import { valuesAt } from "../../runtime/graph/many_points.ts";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { BINARY_OPS, OPS, UNARY_OPS } from "../../runtime/graph/ops.ts";
import { compileTape, Tape } from "../../runtime/graph/tape.ts";
import { localMachine } from "../../runtime/graph/tape_machine.ts";
import { randomGraph, seeded } from "../graph/random_graph.ts";
import { buildEngine } from "./build.ts";
import { ENGINE, ENGINE_MACHINE } from "./engine.ts";

const RUNTIME = new URL("../../runtime/", import.meta.url);

const leaf = (weight: number): Branch => ({ kind: "leaf", weights: [{ output: 0, weight }] });
const STUMPS: readonly Branch[] = [
  { kind: "le", feature: 0, threshold: 0.3, missing: true, yes: () => leaf(1), no: () => leaf(-2) },
  { kind: "eq", feature: 1, threshold: 1, missing: false, yes: () => leaf(0.1), no: () => leaf(7) },
];

/** The same tape in both forms. */
function both(graph: Graph, variables: number, parameters: number, outputs: readonly NodeId[]): [Tape, Tape] {
  const tape = compileTape(graph, { variables, parameters, outputs });
  const compiled = Tape.decode(tape.buffer, ENGINE_MACHINE);
  assert(compiled.machine instanceof WasmMachine);
  return [tape, compiled];
}

/** Everything that a tape can tell at a point; NaN is NaN, whatever its bits. */
function all(tape: Tape, x: Float64Array, weights: Float64Array): number[][] {
  const [n, m] = [tape.variables, tape.outputs];
  const [out, g, jac, h] = [m, n, m * n, n * n].map((length) => new Float64Array(length));
  tape.value(x, out);
  tape.gradient(x, weights, g);
  tape.jacobian(x, 0, m, jac);
  tape.hessian(x, weights, h);
  return [out, g, jac, h].map((values) => [...values]);
}

Deno.test("engine.wasm is what the sources give, built from a clean folder", async () => {
  const folder = await Deno.makeTempDir();
  for (const part of ["graph", "solver/core", "solver/linear_algebra", "solver/wasm", "engine/wasm"]) {
    await Deno.mkdir(`${folder}/${part}`, { recursive: true });
    for await (const { name } of Deno.readDir(new URL(part, RUNTIME))) {
      await Deno.copyFile(new URL(`${part}/${name}`, RUNTIME), `${folder}/${part}/${name}`);
    }
  }
  const built = await buildEngine(new URL(`file://${folder}/`));
  await Deno.remove(folder, { recursive: true });
  assertEquals(built, await Deno.readFile(new URL("engine/engine.wasm", RUNTIME)));
});

Deno.test("engine.wasm imports calls of foreign code, clock and cancel, and functions of the engine", () => {
  const imports = WebAssembly.Module.imports(ENGINE).map(({ module, name }) => `${module}.${name}`).sort();
  assertEquals(imports, [
    "entry.call",
    "entry.difference",
    "functions.cos",
    "functions.log",
    "functions.log10",
    "functions.pow",
    "functions.sin",
    "functions.tan",
    "tape_model.cancelled",
    "tape_model.report",
  ]);
});

Deno.test("both forms give the same bits on 300 random graphs, whatever was asked before", () => {
  const random = seeded(21);
  for (let seed = 0; seed < 300; seed++) {
    const made = randomGraph(seed, seed % 3 === 0);
    const tapes = both(made.graph, made.variables, made.parameters, made.outputs);
    for (let round = 0; round < 3; round++) {
      const p = Array.from({ length: made.parameters }, () => random() * 3 - 1.5);
      const x = Float64Array.from({ length: made.variables }, () => random() * 3 - 1.5);
      const weights = Float64Array.from(made.outputs, () => random() - 0.5);
      const row = Math.floor(random() * made.outputs.length);
      const told = tapes.map((tape) => {
        tape.setParameters(p);
        const jac = new Float64Array(made.variables);
        if (round > 0) tape.jacobian(x, row, 1, jac);
        return [[...jac], ...all(tape, x, weights), [tape.fixedOutput(row)]];
      });
      assertEquals(told[1], told[0], `seed ${seed}`);
    }
  }
});

Deno.test("both forms give the same bits for every operation at zeros, infinities, NaN and numbers of every size", () => {
  const points = [
    0,
    -0,
    1,
    -1,
    0.5,
    -0.5,
    1.5,
    2.5,
    -2.5,
    0.3,
    -7.25,
    20.5,
    -30,
    710,
    -746,
    1e-310,
    -5e-324,
    1e16,
  ];
  points.push(-1e300, 1.7e308, Infinity, -Infinity, NaN);
  const ran = new Set<string>(["constant", "parameter", "variable", "opaque", "slice"]);
  const g = new Graph();
  const [x, y] = [g.variable(0), g.variable(1)];
  const pair = g.concat([x, y]);
  const outputs = [
    ...UNARY_OPS.map((op) => g.unary(op, x)),
    ...BINARY_OPS.map((op) => g.binary(op, x, y)),
    g.select(x, y, g.constant(3)),
    g.sum(g.concat([x, y, x])),
    g.linear([2, -3], pair, [1]),
    ...AGGREGATES.map((aggregate, k) =>
      g.trees(encodeForest({ bits: k % 2 === 0 ? 32 : 64, aggregate, base: [0.1], trees: STUMPS }), pair, 1)
    ),
  ];
  for (const id of outputs) {
    for (const node of [g.nodes[id], ...g.nodes[id].args.map((a) => g.nodes[a])]) ran.add(node.op);
  }
  assertEquals([...OPS].filter((op) => !ran.has(op)), []);
  for (const output of outputs) {
    const tapes = both(g, 2, 0, [output]);
    for (const u of points) {
      for (const v of points) {
        const [plain, compiled] = tapes.map((tape) => all(tape, Float64Array.of(u, v), Float64Array.of(1)));
        assertEquals(compiled, plain, `${g.nodes[output].op} at ${u}, ${v}`);
      }
    }
  }
});

Deno.test("both forms give the same bits for layers of every small size, with infinite and missing weights", () => {
  const random = seeded(5);
  for (let rows = 1; rows <= 9; rows++) {
    for (let columns = 1; columns <= 9; columns++) {
      const g = new Graph();
      const x = g.concat(Array.from({ length: columns }, (_, i) => g.variable(i)));
      const weight = Float64Array.from({ length: rows * columns }, () => random() - 0.5);
      weight[Math.floor(random() * weight.length)] = [0, -0, Infinity, NaN][(rows + columns) % 4];
      const hidden = g.unary("tanh", g.linear(weight, x, Float64Array.from({ length: rows }, random)));
      const last = g.linear(Float64Array.from({ length: 3 * rows }, () => random() - 0.5), hidden);
      const tapes = both(g, columns, 0, [0, 1, 2].map((k) => g.slice(last, k, 1)));
      const at = Float64Array.from({ length: columns }, () => random() - 0.5);
      const [plain, compiled] = tapes.map((tape) => all(tape, at, Float64Array.of(1, 0, -2)));
      assertEquals(compiled, plain, `${rows} × ${columns}`);
    }
  }
});

Deno.test("both forms give the same bits for vectors of every function that bends, near 0, far out and in between", () => {
  const random = seeded(31);
  const values = [
    0,
    -0,
    1e-300,
    0.46875 * Math.SQRT2,
    0.5493061443340549,
    4 * Math.SQRT2,
    20,
    600,
    746,
    Infinity,
    NaN,
  ];
  for (const op of UNARY_OPS) {
    for (let length = 1; length <= 7; length++) {
      const g = new Graph();
      const x = g.concat(Array.from({ length }, (_, i) => g.variable(i)));
      const bent = g.unary(op, x);
      const tapes = both(g, length, 0, Array.from({ length }, (_, k) => g.slice(bent, k, 1)));
      for (let round = 0; round < 60; round++) {
        const size = 10 ** (random() * 5 - 2);
        const at = Float64Array.from({ length }, () => {
          const special = values[Math.floor(random() * 40)];
          return (special ?? random() * size) * (random() < 0.5 ? -1 : 1);
        });
        const weights = Float64Array.from({ length }, () => random() - 0.5);
        const [plain, compiled] = tapes.map((tape) => all(tape, at, weights));
        assertEquals(compiled, plain, `${op} of ${at}`);
      }
    }
  }
});

Deno.test("a tape without variables, parameters or outputs runs in both forms", () => {
  const g = new Graph();
  for (const outputs of [[], [g.constant(4)], [g.binary("add", g.constant(1), g.parameter(0))]]) {
    const [plain, compiled] = both(g, 0, outputs.length === 0 ? 0 : 1, outputs);
    const weights = new Float64Array(outputs.length).fill(1);
    assertEquals(all(compiled, new Float64Array(0), weights), all(plain, new Float64Array(0), weights));
  }
});

Deno.test("both forms give the same bits on the models of the fixtures", async () => {
  const folder = new URL("../fixtures/onnx/", import.meta.url);
  const random = seeded(8);
  let models = 0;
  for await (const { name } of Deno.readDir(folder)) {
    if (!name.endsWith(".onnx")) continue;
    const externalFile = (file: string) =>
      file === `${name}.data` ? Deno.readFileSync(new URL(file, folder)) : undefined;
    const lowered = lowerOnnx(Deno.readFileSync(new URL(name, folder)), { externalFile });
    if (lowered.opaque !== undefined) continue;
    models++;
    const { expression: { graph, sources, outputs } } = lowered;
    const g = new Graph();
    const copied = g.inline(
      { graph, sources, outputs },
      Array.from({ length: sources }, (_, i) => g.variable(i)),
    );
    const tapes = both(g, sources, 0, copied);
    for (let k = 0; k < 3; k++) {
      const x = Float64Array.from({ length: sources }, () => random() * 2 - 1);
      const weights = Float64Array.from(copied, () => random() - 0.5);
      const [plain, compiled] = tapes.map((tape) => all(tape, x, weights));
      assertEquals(compiled, plain, name);
    }
  }
  assert(models >= 30, `${models} models`);
});

Deno.test("both forms refuse the same of 3,000 broken tapes, and give the same bits for the others", () => {
  const random = seeded(1);
  let ran = 0;
  for (let k = 0; k < 3000; k++) {
    const made = randomGraph(k % 50);
    const { buffer } = compileTape(made.graph, {
      variables: made.variables,
      parameters: made.parameters,
      outputs: made.outputs,
    });
    const words = new Int32Array(buffer);
    words[Math.floor(random() * words.length)] = Math.floor(random() * 200) - 20;
    const [plain, compiled] = [localMachine, ENGINE_MACHINE].map((machineOf) => {
      try {
        const tape = Tape.decode(buffer, machineOf);
        const weights = new Float64Array(tape.outputs).fill(1);
        return all(tape, new Float64Array(tape.variables).fill(0.3), weights);
      } catch (error) {
        return String(error);
      }
    });
    assertEquals(compiled, plain, `mutant ${k}`);
    if (typeof plain !== "string") ran++;
  }
  assert(ran >= 300, `${ran} of 3,000 ran`);
});

Deno.test("foreign code is asked by both forms for the same batches, and its failures are told", () => {
  const g = new Graph();
  const [x, y] = [g.variable(0), g.variable(1)];
  const first = g.opaque(7, g.concat([g.binary("mul", g.constant(2), x), y]), 2);
  const second = g.opaque(8, g.slice(first, 0, 1), 1);
  const tapes = both(g, 2, 0, [g.binary("mul", second, g.slice(first, 1, 1)), second]);
  const asked = tapes.map((tape) => {
    const log: unknown[] = [];
    tape.evaluate = (skill, batch, count) => {
      log.push(skill, [...batch], count);
      if (batch[0] > 100) throw new Error("too far");
      if (skill === 8) return batch.map((u) => Math.exp(u / 9));
      return Float64Array.from(
        { length: 2 * count },
        (_, k) => batch[k & -2] * (1 + batch[k | 1] ** (k & 1)),
      );
    };
    for (const batched of [false, true]) {
      tape.differencesWithValue = batched;
      for (const u of [0.3, 0.7, 0.7]) log.push(all(tape, Float64Array.of(u, 0.5), Float64Array.of(1, 2)));
    }
    log.push(valuesAt(tape, [Float64Array.of(1, 2), Float64Array.of(3, 4)], () => false));
    log.push(all(tape, Float64Array.of(51, 1), Float64Array.of(1, 2)), String(tape.evaluateError));
    return log;
  });
  assertEquals(asked[1], asked[0]);
  assertEquals(asked[1].at(-1), "Error: too far");
});

Deno.test("an instance goes with its tape: more of them than the address space holds", () => {
  const g = new Graph();
  const { buffer } = compileTape(g, {
    variables: 1,
    parameters: 0,
    outputs: [g.unary("exp", g.variable(0))],
  });
  const out = new Float64Array(1);
  for (let k = 0; k < 20_000; k++) {
    const tape = Tape.decode(buffer, ENGINE_MACHINE);
    if (k % 1000 !== 0) continue;
    assert(tape.machine instanceof WasmMachine);
    tape.value(Float64Array.of(1), out);
    assertEquals(out[0], Math.E);
  }
});

Deno.test("a tape runs in this engine where there is no memory for an instance; another failure is told", () => {
  // a module whose start is `unreachable`, as where memory cannot be had
  const trap = [0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 8, 1, 0, 10, 5, 1, 3, 0, 0, 11];
  const g = new Graph();
  const { buffer } = compileTape(g, {
    variables: 1,
    parameters: 0,
    outputs: [g.unary("exp", g.variable(0))],
  });
  const tape = Tape.decode(buffer, wasmMachine(new WebAssembly.Module(Uint8Array.from(trap))));
  assert(!(tape.machine instanceof WasmMachine));
  const out = new Float64Array(1);
  tape.value(Float64Array.of(1), out);
  assertEquals(out[0], Math.E);
  assertThrows(() => Tape.decode(buffer, wasmMachine({} as WebAssembly.Module)), TypeError);
});
