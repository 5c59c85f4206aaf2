import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { type Expression, GraphError } from "../../runtime/graph/expr.ts";
import { missedGolden } from "../../runtime/graph/golden.ts";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { readOnnx } from "../../runtime/graph/onnx_reader.ts";
import { seededRandom } from "../../runtime/graph/seeded_random.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { readTorch } from "../../runtime/graph/torch_file.ts";
import { exportTorch } from "../../runtime/graph/torch_export.ts";
import { goldenVectors, torchForward } from "../../runtime/graph/torch_forward.ts";
import { lowerTorch } from "../../runtime/graph/torch_lower.ts";
import {
  TORCH_ACTIVATIONS,
  type TorchActivation,
  type TorchOptions,
  torchSteps,
} from "../../runtime/graph/torch_steps.ts";
import { writeTorch } from "./torch_writer.ts";

const FOLDER = new URL("../fixtures/torch/", import.meta.url);

interface Expected {
  readonly cases: readonly {
    readonly file: string;
    readonly options: TorchOptions;
    readonly input: readonly (readonly number[])[];
    readonly output: readonly (readonly number[])[];
  }[];
  readonly refused: readonly { readonly file: string; readonly message: string }[];
}

const EXPECTED: Expected = JSON.parse(Deno.readTextFileSync(new URL("expected_nets.json", FOLDER)));

function read(file: string): Uint8Array {
  return Deno.readFileSync(new URL(file, FOLDER));
}

function evaluate(file: string, options: TorchOptions, input: readonly number[]): number[] {
  return valuesOf(lowerTorch(read(file), options), input);
}

function assertNear(value: number, expected: number, tolerance: number): void {
  assertAlmostEquals(value, expected, tolerance * Math.max(1, Math.abs(expected)));
}

function valuesOf({ graph, sources, outputs }: Expression, input: readonly number[]): number[] {
  assertEquals(sources, input.length);
  const tape = compileTape(graph, { variables: 0, parameters: sources, outputs });
  tape.setParameters(Float64Array.from(input));
  const values = new Float64Array(outputs.length);
  tape.value(new Float64Array(0), values);
  return [...values];
}

for (const { file, options, input, output } of EXPECTED.cases) {
  Deno.test(`lowerTorch() gives for ${file} what torch computes in float64, to 1e-12`, () => {
    for (let i = 0; i < input.length; i++) {
      const values = evaluate(file, options, input[i]);
      assertEquals(values.length, output[i].length);
      for (let k = 0; k < values.length; k++) {
        assertAlmostEquals(values[k], output[i][k], 1e-12 * Math.max(1, Math.abs(output[i][k])));
      }
    }
  });
}

Deno.test("exportTorch() writes each network so that its ONNX form gives the same answers, and golden vectors agree", () => {
  const types = new Set<number>();
  for (const { file, options, input, output } of EXPECTED.cases) {
    const network = torchSteps(read(file), options);
    const bytes = exportTorch(network, "net");
    const model = lowerOnnx(bytes);
    assert(model.opaque === undefined, JSON.stringify(model.opaque));
    types.add(readOnnx(bytes).inputs[0].type);
    const own = lowerTorch(read(file), options);
    for (const [i, row] of input.entries()) {
      const expected = valuesOf(own, row);
      valuesOf(model.expression, row).forEach((value, k) => assertNear(value, expected[k], 1e-14));
      torchForward(network, row).forEach((value, k) => assertNear(value, output[i][k], 1e-12));
    }
    const golden = goldenVectors(network, 4, seededRandom(1));
    assertEquals([golden.length, missedGolden(model.expression, golden)], [4, undefined]);
    const wrong = golden.map(({ input, output }) => ({ input, output: output.map((value) => value + 1e-3) }));
    assert(missedGolden(model.expression, wrong) !== undefined);
  }
  assertEquals([...types], [1]);
  // Weights that 32 bits do not hold.
  const network = torchSteps(read("zip_protocol2.pth"));
  const thirds = network.steps.map((step) =>
    step.kind === "linear" ? { ...step, weight: step.weight.map((value) => value / 3) } : step
  );
  const bytes = exportTorch({ ...network, steps: thirds }, "net");
  assertEquals(readOnnx(bytes).inputs[0].type, 11);
  const model = lowerOnnx(bytes);
  assert(model.opaque === undefined);
  const golden = goldenVectors({ ...network, steps: thirds }, 8, seededRandom(2));
  for (const { input, output } of golden) {
    valuesOf(model.expression, input).forEach((value, k) => assertNear(value, output[k], 1e-13));
  }
});

for (const { file, message } of EXPECTED.refused) {
  Deno.test(`lowerTorch() refuses ${file} with a message that says ${message}`, () => {
    const error = assertThrows(() => lowerTorch(read(file)), GraphError);
    assertStringIncludes(error.message, message);
  });
}

Deno.test("lowerTorch() says of a class that code in a file is never run", () => {
  const error = assertThrows(() => lowerTorch(read("whole_model.pth")), GraphError);
  assertStringIncludes(error.message, "never run; expected a state dict, torch.save(model.state_dict(), …)");
});

Deno.test("lowerTorch() folds BatchNorm1d, so that the kiln's layout is four linear and three gelu", () => {
  const { graph } = lowerTorch(read("zip_protocol2.pth"));
  const operations = graph.nodes.map(({ op }) => op).filter((op) => op !== "parameter");
  assertEquals(operations.join(" "), "concat linear gelu linear gelu linear gelu linear slice slice");
});

Deno.test("lowerTorch() without an option takes gelu, with another activation that one", () => {
  const input = [0.3, -0.4, 0.9];
  const results = ([undefined, "gelu", "relu", "tanh", "sigmoid", "identity"] as const).map((activation) =>
    evaluate("parameters.pth", { activation }, input).join()
  );
  assertEquals(results[0], results[1]);
  assertEquals(new Set(results).size, 5);
});

/** What torch 2.15 gives for them in 64 bits. */
const POINTS = [-2, -0.5, 0.25, 3];
const CURVES: Readonly<Record<TorchActivation, readonly number[]>> = {
  gelu: [-0.04550026389635842, -0.15426876936299344, 0.14967658142073093, 2.99595030590511],
  relu: [0, 0, 0.25, 3],
  tanh: [-0.9640275800758169, -0.46211715726000974, 0.24491866240370913, 0.9950547536867305],
  sigmoid: [0.11920292202211755, 0.3775406687981454, 0.5621765008857981, 0.9525741268224334],
  silu: [-0.2384058440442351, -0.1887703343990727, 0.14054412522144952, 2.8577223804672998],
  elu: [-0.8646647167633873, -0.3934693402873666, 0.25, 3],
  selu: [-1.5201664685956948, -0.6917581878028713, 0.2626752468388701, 3.1521029620664414],
  leaky_relu: [-0.02, -0.005, 0.25, 3],
  mish: [-0.2525014826957089, -0.22074377465173, 0.1695724096638176, 2.9865350049679575],
  softplus: [0.1269280110429725, 0.4740769841801067, 0.8259394198788436, 3.048587351573742],
  identity: [-2, -0.5, 0.25, 3],
};

Deno.test("every activation is torch's, as a graph, in plain loops and as ONNX", () => {
  const one = { shape: [1, 1], data: Float32Array.of(1) };
  const bytes = writeTorch({ "0.weight": one, "2.weight": one });
  for (const activation of TORCH_ACTIVATIONS) {
    const network = torchSteps(bytes, { activation });
    const model = lowerOnnx(exportTorch(network, "net"));
    assert(model.opaque === undefined, JSON.stringify(model.opaque));
    POINTS.forEach((x, i) => {
      const expected = CURVES[activation][i];
      assertNear(valuesOf(lowerTorch(bytes, { activation }), [x])[0], expected, 1e-15);
      assertNear(torchForward(network, [x])[0], expected, 1e-15);
      // ONNX has the numbers of Selu in 32 bits
      assertNear(valuesOf(model.expression, [x])[0], expected, activation === "selu" ? 1e-7 : 1e-15);
    });
  }
});

Deno.test("lowerTorch() takes the state dict of a checkpoint, and says where it looks for one", () => {
  const inside = (key: string) => {
    const network = { "0.weight": { shape: [1, 1], data: Float32Array.of(2) } };
    return writeTorch(network, key);
  };
  for (const key of ["state_dict", "model_state_dict", "model"]) {
    assertEquals(valuesOf(lowerTorch(inside(key)), [3]), [6]);
  }
  const error = assertThrows(() => lowerTorch(inside("weights")), GraphError);
  assertStringIncludes(error.message, 'under "state_dict" or "model_state_dict" or "model"');
});

Deno.test("readTorch() gives names, shapes and row-major values in the order of the file", () => {
  for (const file of ["views.pth", "views_legacy.pth"]) {
    const { tensors } = readTorch(read(file));
    assertEquals([...tensors.keys()], ["0.weight", "0.bias", "2.weight", "2.bias"]);
    assertEquals([...tensors.values()].map(({ shape }) => shape), [[4, 3], [4], [2, 4], [2]]);
    assertEquals([...tensors.values()].map(({ data }) => data.length), [12, 4, 8, 2]);
  }
  assertEquals(readTorch(read("views.pth")).tensors, readTorch(read("views_legacy.pth")).tensors);
});

Deno.test("readTorch() reads integers, and names the modules where the file does", () => {
  const { tensors, modules } = readTorch(read("legacy_protocol2.pth"));
  assertEquals(tensors.get("network.1.num_batches_tracked"), { shape: [], data: Float64Array.of(77) });
  assert(modules!.includes("network.2"));
  assertEquals(readTorch(read("views.pth")).modules, undefined);
});
