import { assert, assertEquals } from "@std/assert";
import { Graph } from "../../runtime/graph/expr.ts";
import { compareDerivatives } from "./differences.ts";
import { type LoweredOnnx, lowerOnnx } from "../../runtime/graph/onnx.ts";
import { compileTape, type Tape } from "../../runtime/graph/tape.ts";

/** One file of tests/fixtures/onnx: rows of flat inputs and what ONNX Runtime made of them. */
interface Recorded {
  /** null: NaN. */
  readonly inputs: readonly (readonly (number | null)[])[];
  readonly outputs: readonly (readonly number[])[];
}

const FOLDER = new URL("../fixtures/onnx/", import.meta.url);

/** Sorted, or of functions that the graph does not have: ONNX Runtime runs them. */
const OPAQUE: Readonly<Record<string, string>> = {
  net_hyper: "Asinh",
  net_physics: "Atan",
  sk_neighbours: "TopK",
};

const FILES = ["torch.json", "torch_nets.json", "scikit.json", "trees.json", "keras.json"];

function read(name: string) {
  const externalFile = (file: string) =>
    file === `${name}.onnx.data` ? Deno.readFileSync(new URL(file, FOLDER)) : undefined;
  return lowerOnnx(Deno.readFileSync(new URL(`${name}.onnx`, FOLDER)), { externalFile });
}

function tapeOf({ expression }: LoweredOnnx): Tape {
  const graph = new Graph();
  const x = Array.from({ length: expression.sources }, (_, i) => graph.variable(i));
  const outputs = graph.inline(expression, x);
  return compileTape(graph, { variables: x.length, parameters: 0, outputs });
}

function valuesOf(model: LoweredOnnx, rows: Recorded["inputs"]): number[][] {
  const tape = tapeOf(model);
  return rows.map((row) => {
    const values = new Float64Array(tape.outputs);
    tape.value(Float64Array.from(row, (x) => x ?? NaN), values);
    return [...values];
  });
}

for (const file of FILES) {
  Deno.test(`lowerOnnx() agrees with ONNX Runtime to 1e-5 on every model of ${file}`, async (t) => {
    const entries: Record<string, Recorded> = JSON.parse(Deno.readTextFileSync(new URL(file, FOLDER)));
    for (const [name, { inputs, outputs }] of Object.entries(entries)) {
      await t.step(name, () => {
        const model = read(name);
        if (model.opaque !== undefined || name in OPAQUE) {
          assertEquals(model.opaque?.op, OPAQUE[name], JSON.stringify(model.opaque));
          return;
        }
        const found = valuesOf(model, inputs);
        found.forEach((values, row) => {
          assertEquals(values.length, outputs[row].length);
          values.forEach((value, k) => {
            // Relative to the size that the output has over the rows: 32-bit sums cancel.
            const size = Math.max(...outputs.map((output) => Math.abs(output[k])));
            const difference = Math.abs(value - outputs[row][k]);
            assert(difference <= 1e-5 * size, `row ${row} output ${k}: ${value}, not ${outputs[row][k]}`);
          });
        });
      });
    }
  });
}

for (const file of FILES) {
  Deno.test(`derivatives of every model of ${file} agree with central differences to 1e-6`, () => {
    const entries: Record<string, Recorded> = JSON.parse(Deno.readTextFileSync(new URL(file, FOLDER)));
    const rough: string[] = [];
    for (const [name, { inputs }] of Object.entries(entries)) {
      const model = read(name);
      if (model.opaque !== undefined) continue;
      const tape = tapeOf(model);
      let compared = 0;
      for (const row of inputs) compared += compareDerivatives(tape, Float64Array.from(row), name).compared;
      if (compared < inputs.length * tape.variables / 2) rough.push(`${name}: ${compared}`);
    }
    assertEquals(rough, []);
  });
}
