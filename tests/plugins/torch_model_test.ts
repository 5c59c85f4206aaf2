import { compileTape, type Json, SkillError, type SkillSpec } from "setpoint";
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { checkConfig } from "../../runtime/graph/config_schema.ts";
import model from "../../plugins/model/model.ts";

const FOLDER = new URL("../fixtures/torch/", import.meta.url);
const { cases } = JSON.parse(Deno.readTextFileSync(new URL("expected_nets.json", FOLDER)));
const scaling = JSON.parse(Deno.readTextFileSync(new URL("expected_scalers_new.json", FOLDER)));

const INPUTS = ["delta_standard", "robust", "min_max"];
const OUTPUTS = ["max_abs", "delta_standard_without_mean"];

function skill(
  files: Readonly<Record<string, string>>,
  config: Readonly<Record<string, Json>> = {},
): SkillSpec {
  const variables = Object.fromEntries(
    [...INPUTS, ...OUTPUTS].map((name) => [name, { type: "Informative", units: "-" }]),
  );
  return {
    name: "im",
    class: "InferenceModel",
    inputs: INPUTS,
    outputs: OUTPUTS,
    config: { ...files, ...config },
    variables,
    files: Object.fromEntries(
      Object.entries(files).map(([key, name]) => [
        key,
        { name, sha256: "0".repeat(64), bytes: Deno.readFileSync(new URL(name, FOLDER)) },
      ]),
    ),
    legacy: true,
  };
}

/** a and b of scaled = a·x + b, from what scikit-learn made of two points. */
function affine(variable: string): { a: number; b: number } {
  const { transformed } = scaling.scalers[variable.replace("delta_", "")];
  const { points } = scaling;
  const a = (transformed[3] - transformed[0]) / (points[3] - points[0]);
  return { a, b: transformed[0] - a * points[0] };
}

for (
  const [net, scalers] of [["zip_protocol2.pth", "scalers_new_protocol4.pkl"], [
    "legacy_double.pth",
    "scalers_new.joblib",
  ]]
) {
  Deno.test(`The model plugin feeds ${net} with what ${scalers} scales, and scales its answers back`, () => {
    const { expression, sources } = model.lower!(skill({ model_path: net, scaler_path: scalers }));
    assertEquals(sources.map(({ variable }) => variable), INPUTS);
    const { graph, outputs } = expression;
    const tape = compileTape(graph, { variables: 0, parameters: 3, outputs });
    const { input, output } = cases.find(({ file }: { file: string }) => file === net);
    for (let i = 0; i < input.length; i++) {
      const { a, b } = { a: INPUTS.map((name) => affine(name).a), b: INPUTS.map((name) => affine(name).b) };
      tape.setParameters(Float64Array.from(input[i], (scaled: number, k) => (scaled - b[k]) / a[k]));
      const values = new Float64Array(2);
      tape.value(new Float64Array(0), values);
      OUTPUTS.forEach((name, k) => {
        const expected = (output[i][k] - affine(name).b) / affine(name).a;
        assertAlmostEquals(values[k], expected, 1e-10 * Math.max(1, Math.abs(expected)));
      });
    }
  });
}

function problemOf(spec: SkillSpec) {
  const [problem] = assertThrows(() => model.lower!(spec), SkillError).problems;
  return problem;
}

Deno.test("The model plugin refuses a pickle with code in it, naming file and function", () => {
  const problem = problemOf(skill({ model_path: "zip_protocol2.pth", scaler_path: "payload.pkl" }));
  assertEquals([problem.code, problem.path], ["SCALER_INVALID", ["config", "scaler_path"]]);
  assertStringIncludes(problem.message, '"payload.pkl"');
  assertStringIncludes(problem.message, '"posix.system"');
});

Deno.test("The model plugin refuses a torch file that is no plain Sequential network, naming file and entry", () => {
  const problem = problemOf(skill({ model_path: "residual.pth" }));
  assertEquals([problem.code, problem.path], ["MODEL_INVALID", ["config", "model_path"]]);
  assertStringIncludes(problem.message, '"residual.pth"');
  assertStringIncludes(problem.message, '"act"');
});

Deno.test("The model plugin names the count of inputs that a torch file has and that the skill has", () => {
  const problem = problemOf(skill({ model_path: "one_input.pth" }));
  assertEquals(problem.code, "MODEL_SHAPE");
  assertStringIncludes(problem.message, "[1,1]");
});

Deno.test("The model plugin takes activation and eps from the skill's config, and only those that it knows", () => {
  const value = (activation?: string, eps?: number) => {
    const config = { ...(activation && { activation }), ...(eps && { eps }) };
    const spec = skill({ model_path: "zip_protocol2.pth" }, config);
    const { graph, outputs } = model.lower!(spec).expression;
    const tape = compileTape(graph, { variables: 0, parameters: 3, outputs });
    tape.setParameters(Float64Array.of(0.5, -0.5, 1));
    const values = new Float64Array(2);
    tape.value(new Float64Array(0), values);
    return values.join();
  };
  assertEquals(value(), value("gelu"));
  assert(value() !== value(undefined, 1e-2));
  assertEquals(new Set(["gelu", "relu", "tanh", "sigmoid", "identity"].map((name) => value(name))).size, 5);
  const config = {
    model_path: "views.pth",
    activation: "swish",
    range: "loose",
    range_weight: -1,
    modelpath: "x",
  };
  const problems = checkConfig(model.config!, config, "the_skill").map(({ message }) => message).join("\n");
  for (const wrong of ['"swish"', '"loose"', "range_weight", 'did you mean "model_path"']) {
    assertStringIncludes(problems, wrong);
  }
});
