import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import model from "../../plugins/model/model.ts";
import { outputsOf, problemsOf, skillOf } from "./skill.ts";

const FOLDER = new URL("../fixtures/onnx/", import.meta.url);
const RECORDED = ["scikit.json", "torch.json"].reduce(
  (all, file) => ({ ...all, ...JSON.parse(Deno.readTextFileSync(new URL(file, FOLDER))) }),
  {} as Record<string, { inputs: number[][]; outputs: number[][] }>,
);

function skill(name: string, inputs: string[], outputs: string[]) {
  const bytes = Deno.readFileSync(new URL(`${name}.onnx`, FOLDER));
  const file = { name: `${name}.onnx`, sha256: "", bytes };
  return skillOf({
    inputs,
    outputs,
    config: { model_path: file.name },
    files: { model_path: file },
    variables: Object.fromEntries(
      [...inputs, ...outputs].map((v) => [v, { type: "Informative", units: "-" }]),
    ),
  });
}

Deno.test("InferenceModel gives each output of a two-output MLPRegressor its own number", () => {
  for (const name of ["sk_mlp_two", "sk_mlp_two_double", "sk_linear_two"]) {
    const lowered = model.lower!(skill(name, ["p", "q", "r"], ["y", "z"]));
    const { inputs, outputs } = RECORDED[name];
    inputs.forEach(([p, q, r], row) =>
      outputsOf(lowered, { p, q, r }).forEach((value, k) =>
        assertAlmostEquals(value, outputs[row][k], 1e-5 * (1 + Math.abs(outputs[row][k])), name)
      )
    );
  }
});

Deno.test("InferenceModel says in a note which node of a real file is opaque, and refuses inputs of several values", () => {
  const { notes, opaques } = model.lower!(skill("sk_neighbours", ["p", "q", "r"], ["y"]));
  assertEquals(opaques!.map(({ engine, inputs, outputs }) => [engine, inputs, outputs]), [["onnx", 3, 1]]);
  assertStringIncludes(
    notes![0].message,
    "(TopK): this operator has no derivatives here",
  );
  const problems = problemsOf(() =>
    model.lower!(skill("legacy_two_inputs", ["p", "q", "r", "s", "t"], ["x", "y", "z"]))
  );
  assertStringIncludes(
    problems[0],
    'its inputs are "input_0" [1,2], "input_1" [1,3]; expected 5 values as one [batch, 5] or 5 of one value',
  );
});
