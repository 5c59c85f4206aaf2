/** Times of the tape: kiln-sized (3 networks 5-5-10-5-1 and 60 scalar nodes, 10 variables) and a 10-64-64-64-3 network. */
import * as ort from "onnxruntime-web";
import { Graph, type NodeId } from "../../runtime/graph/expr.ts";
import { compileTape, Tape } from "../../runtime/graph/tape.ts";
import { ENGINE_MACHINE } from "../engine/engine.ts";
import { compile } from "../solver/build.ts";
import { seeded } from "../graph/random_graph.ts";
import { writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { type BenchRow, percentiles } from "./row.ts";

export async function graphBench(): Promise<BenchRow[]> {
  const forms = (tape: Tape) => ({
    "WebAssembly": Tape.decode(tape.buffer, ENGINE_MACHINE),
    "TypeScript": tape,
  });
  const kiln = kilnSized();
  const plain = await plainLoop();
  const rows: BenchRow[] = [
    { name: "kiln-sized tape", value: kiln.buffer.byteLength / 1024, unit: "KiB", note: "flat buffer" },
  ];
  for (const tape of Object.values(forms(kiln))) tapeRows("until the engine has compiled it", tape, "");
  for (const [form, tape] of Object.entries(forms(kiln))) {
    rows.push(...tapeRows(`kiln-sized, ${form}`, tape, "goal: gradient ≤ 3 µs, Hessian ≤ 20 µs"));
  }
  rows.push({
    name: "10-64-64-64-3 GELU, ONNX Runtime Web: one run",
    value: await onnxRuntime(),
    unit: "µs",
    note: "float32, value alone",
  });
  for (const [form, tape] of Object.entries(forms(wideNetwork()))) {
    // in turns with its yardstick: the machine is never quiet for long
    rows.push(...tapeRows(`10-64-64-64-3 GELU, ${form}`, tape, "three outputs weighted"));
    const times = Array.from(
      { length: 9 },
      () => [microseconds(valueAndGradient(tape)), microseconds(plain)],
    );
    const ratio = times.map(([ours, theirs]) => ours / theirs).sort((a, b) => a - b)[4];
    rows.push({
      name: "the same beside its multiply-adds in a plain f64x2 loop",
      value: ratio,
      unit: "times",
      note: `goal ≤ 4; ${Math.min(...times.map(([, theirs]) => theirs)).toFixed(2)} µs for 9,024 of them`,
    });
  }
  return rows;
}

async function plainLoop(): Promise<() => void> {
  const bytes = await compile(new URL("./", import.meta.url), "plain_loop.ts", {}, [
    "-O3",
    "--runtime",
    "stub",
  ]);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes as BufferSource));
  const { network, memory } = instance.exports as unknown as {
    network(): void;
    readonly memory: WebAssembly.Memory;
  };
  memory.grow(2);
  new Float64Array(memory.buffer).fill(0.01);
  return network;
}

/** The same sizes in the runtime that serves what cannot be lowered; median of 2,000 runs. */
async function onnxRuntime(): Promise<number> {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const random = seeded(6);
  const widths = [10, 64, 64, 64, 3];
  const tensor = (name: string, shape: readonly number[]) => ({
    name,
    shape,
    data: Float64Array.from({ length: shape.reduce((a, b) => a * b) }, () => (random() - 0.5) / 4),
  });
  const layers = widths.slice(1).map((rows, k) => ({ rows, columns: widths[k], k }));
  const initializers = layers.flatMap((
    { rows, columns, k },
  ) => [tensor(`w${k}`, [rows, columns]), tensor(`b${k}`, [rows])]);
  const nodes = layers.flatMap(({ k }) => {
    const inputs = [k === 0 ? "x" : `g${k - 1}`, `w${k}`, `b${k}`];
    const linear = {
      op: "Gemm",
      inputs,
      outputs: [k === 3 ? "y" : `h${k}`],
      attributes: { transB: { int: 1 } },
    };
    return k === 3 ? [linear] : [linear, { op: "Gelu", inputs: [`h${k}`], outputs: [`g${k}`] }];
  });
  const bytes = writeOnnx({
    name: "wide",
    opsets: { "": 20 },
    inputs: [{ name: "x", shape: [1, 10] }],
    outputs: [{ name: "y" }],
    initializers,
    nodes,
  });
  // ONNX Runtime puts Node's Worker in the place of the platform's, which the other benches need
  const { Worker: platformWorker } = globalThis;
  const session = await ort.InferenceSession.create(bytes);
  globalThis.Worker = platformWorker;
  const input = { x: new ort.Tensor("float32", new Float32Array(10).fill(0.3), [1, 10]) };
  const times: number[] = [];
  for (let k = 0; k < 2000; k++) {
    const start = performance.now();
    await session.run(input);
    times.push((performance.now() - start) * 1000);
  }
  await session.release();
  return percentiles(times).p50;
}

function valueAndGradient(tape: Tape): () => void {
  const points = randomPoints(tape.variables);
  const [out, g] = [new Float64Array(tape.outputs), new Float64Array(tape.variables)];
  const weights = new Float64Array(tape.outputs).fill(1);
  let k = 0;
  return () => {
    const x = points[k = (k + 1) % points.length];
    tape.value(x, out);
    tape.gradient(x, weights, g);
  };
}

function tapeRows(name: string, tape: Tape, note: string): BenchRow[] {
  const n = tape.variables;
  const points = randomPoints(n);
  const out = new Float64Array(tape.outputs);
  const weights = new Float64Array(tape.outputs).fill(1);
  const [g, h] = [new Float64Array(n), new Float64Array(n * n)];
  let k = 0;
  const next = () => points[k = (k + 1) % points.length];
  const row = (what: string, run: () => void): BenchRow => ({
    name: `${name}: ${what}`,
    value: microseconds(run),
    unit: "µs",
    note,
  });
  return [
    row("value", () => tape.value(next(), out)),
    row("value + gradient", valueAndGradient(tape)),
    row("value + gradient + Hessian", () => {
      const x = next();
      tape.value(x, out);
      tape.gradient(x, weights, g);
      tape.hessian(x, weights, h);
    }),
  ];
}

/** Median of 15 rounds, µs a call, after a warm-up in which engines compile what is hot. */
function microseconds(run: () => void): number {
  const round = (calls: number) => {
    const start = performance.now();
    for (let i = 0; i < calls; i++) run();
    return (performance.now() - start) * 1000 / calls;
  };
  const warm = performance.now() + 100;
  while (performance.now() < warm) round(500);
  const calls = Math.max(10, Math.round(10_000 / Math.max(0.05, round(2000))));
  return Array.from({ length: 15 }, () => round(calls)).sort((a, b) => a - b)[7];
}

function randomPoints(n: number): Float64Array[] {
  const random = seeded(9);
  return Array.from({ length: 64 }, () => Float64Array.from({ length: n }, () => random() * 2 - 1));
}

function network(g: Graph, input: NodeId, widths: readonly number[], random: () => number): NodeId {
  let node = input;
  for (let k = 1; k < widths.length; k++) {
    const weight = Float64Array.from(
      { length: widths[k] * widths[k - 1] },
      () => (random() * 2 - 1) / Math.sqrt(widths[k - 1]),
    );
    node = g.linear(weight, node, Float64Array.from({ length: widths[k] }, () => random() - 0.5));
    if (k < widths.length - 1) node = g.unary("gelu", node);
  }
  return node;
}

function kilnSized(): Tape {
  const random = seeded(4);
  const g = new Graph();
  const moves = Array.from({ length: 10 }, (_, i) => g.binary("sub", g.variable(i), g.parameter(i)));
  const scaled = (inputs: readonly NodeId[]) =>
    g.concat(
      inputs.map((x) =>
        g.binary("add", g.binary("mul", x, g.constant(random() + 0.5)), g.constant(random()))
      ),
    );
  const [current] = [network(g, scaled(moves.slice(0, 5)), [5, 5, 10, 5, 1], random)];
  const gas = network(g, scaled([...moves.slice(0, 4), moves[5]]), [5, 5, 10, 5, 1], random);
  const clinker = network(g, scaled([current, ...moves.slice(6, 10)]), [5, 5, 10, 5, 1], random);
  const score = (v: NodeId) => {
    const ramp = (a: number, b: number) =>
      g.binary("div", g.binary("add", g.binary("mul", v, g.constant(a)), g.constant(b)), g.constant(1.7));
    return g.binary("min", g.constant(1), g.binary("min", ramp(1, 0.9), ramp(-1, 1.1)));
  };
  const scores = [current, gas, clinker].map((v) => score(v));
  let cost = g.binary(
    "sub",
    g.binary("div", moves[2], g.constant(0.05)),
    g.binary("div", moves[0], g.constant(2)),
  );
  for (const s of scores) cost = g.binary("sub", cost, g.binary("mul", g.constant(33), s));
  return compileTape(g, { variables: 10, parameters: 10, outputs: [cost] });
}

function wideNetwork(): Tape {
  const g = new Graph();
  const node = network(
    g,
    g.concat(Array.from({ length: 10 }, (_, i) => g.variable(i))),
    [10, 64, 64, 64, 3],
    seeded(6),
  );
  return compileTape(g, { variables: 10, parameters: 0, outputs: [0, 1, 2].map((k) => g.slice(node, k, 1)) });
}
