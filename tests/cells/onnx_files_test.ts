import { assert } from "../std/assert.ts";
import { startHost } from "./start.ts";

const FOLDER = new URL("../fixtures/onnx/", import.meta.url);

Deno.test("ONNX Runtime's cell gives a batch of real exporters' models the recorded answers", async (t) => {
  await using started = startHost();
  const { onnx } = started.host;
  const names = [
    "sk_tree_two",
    "sk_neighbours",
    "lightgbm",
    "sk_mlp_two",
    "sk_gp_rbf",
    "dynamo_lstm",
    "legacy_two_inputs",
  ];
  const recorded = { ...read("scikit.json"), ...read("torch.json") };
  for (const name of names) {
    await t.step(name, async () => {
      const bytes = Deno.readFileSync(new URL(`${name}.onnx`, FOLDER));
      const { inputs, outputs } = recorded[name];
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      await onnx.load(digest, bytes);
      const [width, count] = [inputs[0].length, outputs[0].length];
      const answers = await onnx.evaluate(
        digest,
        Float64Array.from(inputs.flat()),
        inputs.length,
        width,
        count,
      );
      outputs.flat().forEach((expected, i) => {
        assert(
          Math.abs(answers[i] - expected) <= 1e-5 * (1e-3 + Math.abs(expected)),
          `${i}: ${answers[i]}, not ${expected}`,
        );
      });
      await onnx.unload(digest);
    });
  }
});

function read(file: string): Record<string, { inputs: number[][]; outputs: number[][] }> {
  return JSON.parse(Deno.readTextFileSync(new URL(file, FOLDER)));
}
