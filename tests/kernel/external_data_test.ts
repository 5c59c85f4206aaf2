import { externalDataNames } from "../../runtime/graph/onnx_external.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { startHost } from "../cells/start.ts";
import { eventually } from "../std/eventually.ts";
import { assertAlmostEquals, assertEquals, assertRejects, assertStringIncludes } from "../std/assert.ts";
import { openKernel } from "./open_kernel.ts";

const FOLDER = new URL("../fixtures/onnx/", import.meta.url);
const { inputs, outputs } = JSON.parse(Deno.readTextFileSync(new URL("torch.json", FOLDER))).dynamo_external;

Deno.test("a model whose weights lie in a file beside it runs, though the strategy names only the model", async () => {
  await using open = await openKernel({ strategy: "tests/fixtures/onnx/external.yaml" });
  for (const [row, [a, b, c, d]] of inputs.entries()) {
    const answer = await open.answer({ a, b, c, d });
    assertAlmostEquals(answer.cost_before!, outputs[row][0] + outputs[row][1], 1e-5);
  }
});

Deno.test("weights beside the model that are not there are an error that names the file", async () => {
  const folder = await Deno.makeTempDir({ prefix: "setpoint-external-" });
  try {
    for (const name of ["external.yaml", "dynamo_external.onnx"]) {
      await Deno.copyFile(new URL(name, FOLDER), `${folder}/${name}`);
    }
    const strategy = `../../../../../../${folder}/external.yaml`;
    const error = await assertRejects(() => openKernel({ strategy }), SetpointError);
    assertEquals(error.code, "FILE_MISSING");
    assertStringIncludes(error.message, 'Cannot load "dynamo_external.onnx.data"');
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("ONNX Runtime gets the file beside the model, and rests when no model is left", async () => {
  await using started = startHost();
  const { onnx } = started.host;
  const [bytes, data] = ["dynamo_external.onnx", "dynamo_external.onnx.data"].map((name) =>
    Deno.readFileSync(new URL(name, FOLDER))
  );
  const key = `${await digestOf(bytes)}+${await digestOf(data)}`;
  const external = [{ name: "dynamo_external.onnx.data", bytes: data }];
  await onnx.load(key, bytes, external);
  await onnx.load(key, bytes, external);
  const evaluate = () => onnx.evaluate(key, Float64Array.from(inputs.flat()), inputs.length, 4, 2);
  const expected = outputs.flat();
  (await evaluate()).forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-6));
  await onnx.unload(key);
  assertEquals((await evaluate()).length, expected.length);
  await onnx.unload(key);
  await assertRejects(evaluate, SetpointError, "not loaded");
  await eventually("it rests", () => onnx.cell.pid === null);
  await onnx.load(key, bytes, external);
  (await evaluate()).forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-6));
});

Deno.test("externalDataNames() finds bare file names and nothing else", () => {
  const entry = (name: string) => {
    const text = new TextEncoder().encode(name);
    return [0x0a, 8, ...new TextEncoder().encode("location"), 0x12, text.length, ...text];
  };
  const names = ["w.data", "../w.data", "a/b", ".hidden", "w.data", "b c.bin", "x\0y"];
  assertEquals(externalDataNames(Uint8Array.from(names.flatMap(entry))), ["w.data", "b c.bin"]);
  assertEquals(externalDataNames(Uint8Array.from(entry("w.data").slice(0, -9))), []);
  assertEquals(externalDataNames(new Uint8Array(1000).fill(0x0a)), []);
});

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
