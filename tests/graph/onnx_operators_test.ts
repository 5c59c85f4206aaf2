/** One operator a model, at every opset at which its form changed, against what ONNX Runtime made of it. */
import { assert, assertEquals } from "@std/assert";
import { Graph } from "../../runtime/graph/expr.ts";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { compareDerivatives } from "./differences.ts";

interface Recorded {
  /** Base64. */
  readonly model: string;
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
  /** The operator that keeps it from becoming a graph. */
  readonly opaque?: string;
  /** Where ONNX Runtime itself is not as exact; default 1e-5. */
  readonly tolerance?: number;
}

const FILE = new URL("../fixtures/onnx/operators.json", import.meta.url);
const ENTRIES: Readonly<Record<string, Recorded>> = JSON.parse(Deno.readTextFileSync(FILE));

Deno.test(`lowerOnnx() agrees with ONNX Runtime to 1e-5 on ${Object.keys(ENTRIES).length} operators at opsets 8 to 23`, () => {
  const wrong: string[] = [];
  const opsets = new Set<string>();
  for (const [name, { model: text, inputs, outputs, opaque, tolerance = 1e-5 }] of Object.entries(ENTRIES)) {
    opsets.add(name.slice(name.lastIndexOf(" ") + 1));
    try {
      const model = lowerOnnx(Uint8Array.fromBase64(text));
      assertEquals(model.opaque?.op, opaque, JSON.stringify(model.opaque));
      if (model.opaque !== undefined) continue;
      const { graph, sources, outputs: ids } = model.expression;
      const tape = compileTape(graph, { variables: 0, parameters: sources, outputs: ids });
      inputs.forEach((row, i) => {
        const values = new Float64Array(ids.length);
        tape.setParameters(row);
        tape.value(new Float64Array(0), values);
        assertEquals(values.length, outputs[i].length);
        const size = Math.max(...outputs[i].map(Math.abs));
        values.forEach((value, k) => {
          const near = Math.abs(value - outputs[i][k]) <= tolerance * size + 1e-7;
          assert(near, `output ${k} is ${value}, expected ${outputs[i][k]}`);
        });
      });
    } catch (error) {
      wrong.push(`${name}: ${(error as Error).message}`);
    }
  }
  assertEquals(wrong, [], wrong.join("\n"));
  assert(opsets.size === 16, [...opsets].join());
});

Deno.test("derivatives of every operator agree with central differences to 1e-6", () => {
  const rough: string[] = [];
  for (const [name, { model: text, inputs }] of Object.entries(ENTRIES)) {
    const model = lowerOnnx(Uint8Array.fromBase64(text));
    if (model.opaque !== undefined) continue;
    const graph = new Graph();
    const variables = Array.from({ length: model.expression.sources }, (_, i) => graph.variable(i));
    const outputs = graph.inline(model.expression, variables);
    const tape = compileTape(graph, { variables: variables.length, parameters: 0, outputs });
    let compared = 0;
    const scale = new Float64Array(variables.length).fill(1);
    for (const row of inputs) {
      compared += compareDerivatives(tape, Float64Array.from(row), name, { scale }).compared;
    }
    if (compared < variables.length) rough.push(`${name}: ${compared} of ${2 * variables.length} columns`);
  }
  assertEquals(rough, [], rough.join("\n"));
});
