import { parseManifest } from "../../runtime/artifacts/manifest.ts";
import { missedGolden } from "../../runtime/graph/golden.ts";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { compileTape, type Expression } from "setpoint";
import { lowerTorch } from "../../runtime/graph/torch_lower.ts";
import { writeTorch } from "../graph/torch_writer.ts";
import { writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { readScalers } from "../../runtime/graph/scaler_file.ts";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../std/assert.ts";

const TORCH = "tests/fixtures/torch";

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-remote", "runtime/launch.ts", ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}

function valuesOf({ graph, sources, outputs }: Expression, row: readonly number[]): number[] {
  const tape = compileTape(graph, { variables: 0, parameters: sources, outputs });
  const values = new Float64Array(outputs.length);
  tape.setParameters(row);
  tape.value(new Float64Array(0), values);
  return [...values];
}

Deno.test("names in a model file cannot steer the terminal that shows them", async () => {
  const file = await Deno.makeTempFile({ suffix: ".onnx" });
  const [title, red, right] = ["\x1b]0;owned\x07", "\x9b31m", "\u202e"];
  await Deno.writeFile(
    file,
    writeOnnx({
      name: "g",
      inputs: [{ name: "x", shape: ["N", 1] }],
      outputs: [{ name: `y${right}`, shape: ["N", 1] }],
      nodes: [{ op: `Odd${red}`, name: `n${title}`, inputs: ["x"], outputs: [`y${right}`] }],
    }),
  );
  const { code, out, err } = await run("model:inspect", file);
  await Deno.remove(file);
  assertEquals([code, err], [1, ""]);
  assertMatch(out, /1 +Odd 31m +n ]0;owned/);
  // deno-lint-ignore no-control-regex -- they are what must not be there
  assertEquals(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(out), false);
});

Deno.test("model:inspect prints layers, shapes and operators, and why a model cannot be lowered", async () => {
  const [net, neighbours, torch, scalers, wrong, trees] = await Promise.all([
    run("model:inspect", "tests/fixtures/onnx/legacy_two_inputs.onnx"),
    run("model:inspect", "tests/fixtures/onnx/sk_neighbours.onnx"),
    run("model:inspect", `${TORCH}/layer_norm.pth`, "--json"),
    run("model:inspect", `${TORCH}/scalers_new.joblib`),
    run("model:inspect", `${TORCH}/recurrent.pth`),
    run("model:inspect", "tests/fixtures/onnx/trees_scaled.onnx"),
  ]);
  assertEquals([net.code, neighbours.code, torch.code, scalers.code, wrong.code, trees.code], [
    0,
    1,
    0,
    0,
    1,
    0,
  ]);
  assertMatch(trees.out, /TreeEnsembleRegressor +\[1, 1\] 6 trees, depth 4, 96 leaves, 32 bits/);
  assertMatch(trees.out, /It becomes a graph of \d+ nodes with trees, whose cells are searched/);
  assertStringIncludes(net.out, "legacy_two_inputs.onnx: ONNX, opset 12");
  assertStringIncludes(net.out, "input  input_1 [1, 3], 3 values a row");
  assertMatch(net.out, /1 {2}Gemm +\S+ +\[1, 5\]/);
  assertMatch(net.out, /It becomes a graph of \d+ nodes with exact derivatives/);
  assertMatch(neighbours.out, /TopK .+ this operator has no derivatives here/);
  assertStringIncludes(neighbours.out, 'It stays opaque and runs in ONNX Runtime: node "To_TopK" (TopK)');
  const report = JSON.parse(torch.out);
  assertEquals(report.parts.map(({ kind }: { kind: string }) => kind), [
    "Linear",
    "LayerNorm",
    "gelu",
    "Linear",
  ]);
  assertEquals([report.lowered, report.inputs[0].length, report.outputs[0].length], [true, 4, 3]);
  assertMatch(scalers.out, /scaler +standard +0\.02847\d*·x − 23\.07\d+/);
  assertStringIncludes(wrong.err, "is not of a known layer: expected Linear, BatchNorm1d or LayerNorm");
});

Deno.test("model:inspect says of a file that is none what it is and what was expected", async () => {
  const folder = await Deno.makeTempDir({ prefix: "setpoint-inspect-" });
  try {
    await Deno.writeTextFile(`${folder}/empty.onnx`, "");
    await Deno.writeTextFile(`${folder}/plain.json`, "{}");
    const weights = { "0.weight": { shape: [900, 600], data: new Float32Array(540_000) } };
    await Deno.writeFile(`${folder}/large.pth`, writeTorch(weights));
    const [empty, plain, large, eps] = await Promise.all([
      run("model:inspect", `${folder}/empty.onnx`),
      run("model:inspect", `${folder}/plain.json`),
      run("model:inspect", `${folder}/large.pth`),
      run("model:inspect", `${folder}/large.pth`, "--eps", "0"),
    ]);
    assertEquals([empty.code, plain.code, large.code, eps.code], [1, 1, 1, 2]);
    assertStringIncludes(empty.err, "empty.onnx: Cannot read the model: it is empty, expected an ONNX file");
    assertStringIncludes(
      plain.err,
      'it names no format, expected "setpoint/model/v1" or "setpoint/scalers/v1"',
    );
    assertMatch(
      large.out,
      /It does not fit: its graph has \d+ bytes, expected at most 4194304; model:import/,
    );
    assertStringIncludes(eps.err, 'Cannot use eps "0", expected a number above 0');
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("model:import writes ONNX and JSON into a store, which the manifest gives for the old paths", async () => {
  const store = await Deno.makeTempDir({ prefix: "setpoint-import-" });
  try {
    await Deno.mkdir(`${store}/models/old`, { recursive: true });
    await Deno.copyFile(`${TORCH}/layer_norm.pth`, `${store}/models/old/net.pth`);
    const first = await run(
      "model:import",
      `${store}/models/old/net.pth`,
      "--store",
      store,
      "--activation",
      "tanh",
    );
    const second = await run("model:import", `${TORCH}/scalers_new.joblib`, "--store", store, "--json");
    assertEquals([first.code, second.code], [0, 0], first.err + second.err);
    const manifest = parseManifest(await Deno.readFile(`${store}/manifest.json`));
    const entry = manifest.get("models/old/net.pth")!;
    assertEquals(entry.file, "models/old/net.onnx");
    assertStringIncludes(first.out, entry.sha256);
    assertEquals(JSON.parse(second.out)["models/scalers_new.joblib"].file, "models/scalers_new.json");

    const model = lowerOnnx(await Deno.readFile(`${store}/${entry.file}`));
    assert(model.opaque === undefined);
    const source = lowerTorch(await Deno.readFile(`${TORCH}/layer_norm.pth`), { activation: "tanh" });
    for (const row of [[0.1, -0.2, 0.3, 1], [2, 1, -1, -2]]) {
      const expected = valuesOf(source, row);
      valuesOf(model.expression, row).forEach((value, k) =>
        assertAlmostEquals(value, expected[k], 1e-14 * (1 + Math.abs(expected[k])))
      );
    }
    const metadata = await Deno.readFile(`${store}/models/old/net.metadata.json`);
    assertEquals(manifest.get("models/old/net.metadata.json")!.size, metadata.length);
    const { golden } = JSON.parse(new TextDecoder().decode(metadata));
    assertEquals([golden.length, missedGolden(model.expression, golden)], [16, undefined]);
    const inspected = await run("model:inspect", `${store}/models/old/net.metadata.json`);
    assertStringIncludes(inspected.out, "net.metadata.json: metadata, 0 training ranges, 16 golden vectors");
    const { format, scalers } = JSON.parse(await Deno.readTextFile(`${store}/models/scalers_new.json`));
    const known = readScalers(await Deno.readFile(`${TORCH}/scalers_new.joblib`));
    assertEquals([format, Object.keys(scalers).length], ["setpoint/scalers/v1", known.size]);
    for (const [name, scaler] of known) assertEquals(scalers[name], scaler);
    const listed = await run("model:inspect", `${store}/models/scalers_new.json`);
    assertMatch(listed.out, /scaler +min_max +\S+·x − \S+, from \d+\.\d+ … \d+/);

    assert(!first.err.includes("assumed"), first.err);
    const assumed = await run("model:import", `${TORCH}/layer_norm.pth`, "--store", store);
    assertStringIncludes(assumed.err, "layer_norm.pth does not tell its activation, gelu is assumed");

    const refused = await run("model:import", "tests/fixtures/onnx/lightgbm.onnx", "--store", store);
    assertEquals([refused.code, refused.err.includes("it is no .pth and no .pkl file")], [2, true]);
    const astray = await run(
      "model:import",
      `${TORCH}/scalers_new.joblib`,
      "--store",
      `${store}/manifest.json`,
    );
    assertEquals(
      [astray.code, astray.err.includes("it is a file, expected a folder")],
      [1, true],
      astray.err,
    );
  } finally {
    await Deno.remove(store, { recursive: true });
  }
});

Deno.test("explain prints every KPI's formula, its terms and slopes, of a strategy file or the deployed one", async () => {
  const kiln = [
    "--strategy",
    "strategies/kiln/strategy.yaml",
    "--input",
    "strategies/kiln/inputs/nominal.json",
  ];
  const [{ code, out, err }, deployed] = await Promise.all([
    run("explain", ...kiln),
    run("explain", "--input", "strategies/kiln/inputs/nominal.json"),
  ]);
  assertEquals(code, 0, err);
  assertMatch(out, /^\S.* \d+\.\d+\.\d+: \w+ = -?\d/);
  assertMatch(out, /Setpoint +now +unit +d \w+ per unit +per threshold/);
  assertEquals(deployed.out, out);
});
