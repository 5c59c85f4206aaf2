/** What a person writes that cannot work: told by file, line and column, and nothing wrong runs. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../runtime/config.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { seeded } from "../graph/random_graph.ts";
import { inputOf, openKernel } from "../kernel/open_kernel.ts";
import { copyFolder, Files, Folders, task } from "./service.ts";

const GOOD = `apiVersion: setpoint/v1
name: small
version: 1.0.0
objective: { minimize: cost }
variables:
  coal: { type: Operative, units: t/h, threshold: 1, min: 1, max: 9 }
  heat: { type: Predicted, units: t/h }
  cost: { type: CalculatedKPI, units: t/h }
skills:
  find_heat: { class: MathFunction, inputs: [coal], outputs: [heat], config: { formula: 2 * coal } }
  find_cost: { class: MathFunction, inputs: [coal, heat], outputs: [cost], config: { formula: coal - heat } }
  run: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [find_heat, find_cost] } }
  best:
    class: OptimizationSkill
    inputs: [coal]
    outputs: [coal]
    config: { cost_skill_name: run, cost_feature_name: cost }
tasks: [{ name: Optimize, skill_sequence: [best] }]
`;

interface Mistake {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Code, then line:column of `mark` in the changed text, then a part of the message. */
  readonly code: string;
  readonly mark: string;
  readonly says: string;
}

const MODEL = "{ class: InferenceModel, inputs: [coal], outputs: [heat], config:";

const MISTAKES: readonly Mistake[] = [
  {
    name: "a variable in a formula that is none of its inputs",
    from: "formula: 2 * coal",
    to: "formula: 2 * cole",
    code: "FORMULA_INVALID",
    mark: "cole",
    says: "coal",
  },
  {
    name: "a typo in a formula",
    from: "formula: coal - heat",
    to: "formula: coal -* heat",
    code: "FORMULA_INVALID",
    mark: "* heat",
    says: "find_cost",
  },
  {
    name: "a cycle",
    from: "[find_heat, find_cost]",
    to: "[find_cost, find_heat]",
    code: "CYCLE",
    mark: "heat], outputs: [cost]",
    says: "find_heat",
  },
  {
    name: "reversed bounds",
    from: "min: 1, max: 9",
    to: "min: 9.5, max: 9",
    code: "BOUNDS_REVERSED",
    mark: "9.5",
    says: "9 t/h",
  },
  {
    name: "an undeclared input",
    from: "inputs: [coal, heat]",
    to: "inputs: [coal, heat, draft]",
    code: "UNDECLARED_VARIABLE",
    mark: "draft",
    says: '"draft"',
  },
  {
    name: "a wrong key",
    from: "threshold: 1",
    to: "treshold: 1",
    code: "UNKNOWN_KEY",
    mark: "treshold",
    says: "threshold",
  },
  {
    name: "a model file that is not there",
    from: "{ class: MathFunction, inputs: [coal], outputs: [heat], config: { formula: 2 * coal } }",
    to: `${MODEL} { model_path: models/nowhere.onnx } }`,
    code: "FILE_MISSING",
    mark: "models/nowhere.onnx",
    says: "models/nowhere.onnx",
  },
  {
    name: "a model with another count of inputs",
    from: "{ class: MathFunction, inputs: [coal], outputs: [heat], config: { formula: 2 * coal } }",
    to: `${MODEL} { model_path: models/kiln_drive_current.onnx } }`,
    code: "MODEL_SHAPE",
    mark: "models/kiln_drive_current.onnx",
    says: "5",
  },
  {
    name: "a bracket that is not closed",
    from: "inputs: [coal]",
    to: "inputs: [coal",
    code: "YAML_INVALID",
    mark: "",
    says: "",
  },
  { name: "a tab", from: "  heat:", to: "\theat:", code: "YAML_INVALID", mark: "\t", says: "tab" },
];

Deno.test("validate() points at each mistake in a strategy", async (t) => {
  await using opened = await openKernel();
  const file = `${opened.folder}/small.yaml`;
  assertEquals((await opened.kernel.validate(GOOD, file)).decisions, ["coal"]);
  for (const { name, from, to, code, mark, says } of MISTAKES) {
    await t.step(name, async () => {
      assert(GOOD.includes(from));
      const text = GOOD.replace(from, to);
      const error = await assertRejects(() => opened.kernel.validate(text, file), SetpointError);
      const problem = error.problems.find((each) => each.code === code);
      assert(problem, `expected ${code}: ${error.problems.map((each) => `${each.code} ${each.message}`)}`);
      assertStringIncludes(problem.message, says);
      assertEquals(problem.at?.file, file);
      if (mark === "") return;
      const before = text.slice(0, text.indexOf(mark)).split("\n");
      assertEquals([problem.at?.line, problem.at?.column], [before.length, before.at(-1)!.length + 1]);
    });
  }
});

Deno.test("deno task strategy:validate tells all mistakes in one go and ends with 1; what is no strategy too", async () => {
  const text = GOOD.replace("min: 1", "min: 99").replace("2 * coal", "2 * cole").replace(
    "threshold: 1",
    "treshold: 1",
  );
  await using files = await Files.make({
    "good.yaml": GOOD,
    "bad.yaml": text,
    "tree.yaml": "a: [1,\nb: 2\n",
  });
  const bad = await task(["strategy:validate", "bad.yaml"], { cwd: ROOT, env: { INIT_CWD: files.root } });
  assertEquals(bad.code, 1, bad.stderr);
  for (const place of ["bad.yaml:6:", "bad.yaml:10:"]) assertStringIncludes(bad.stderr, place);
  for (const says of ["treshold", "cole", "99"]) assertStringIncludes(bad.stderr, says);
  const malformed = await task(["strategy:validate", `${files.root}/tree.yaml`]);
  assertEquals(malformed.code, 1);
  assertStringIncludes(malformed.stderr, "tree.yaml:2:");
  const good = await task(["strategy:validate", `${files.root}/good.yaml`]);
  assertEquals([good.code, good.stdout.split("\n")[0].slice(0, 15)], [0, "OK: small 1.0.0"]);
  assertEquals((await task(["strategy:validate", `${files.root}/nowhere.yaml`])).code, 2);
});

Deno.test("F4: a model with one flipped bit never runs: the strategy does not load, by file and digest", async () => {
  const folder = await Deno.makeTempDir({ prefix: "setpoint-store-" });
  try {
    await copyFolder(`${ROOT}/strategies/kiln`, folder);
    const random = seeded(17);
    const models = [...Deno.readDirSync(`${folder}/models`)].map(({ name }) => name);
    const open = () => openKernel({ env: { SETPOINT_STORAGE_DIRECTORY: folder } });
    for (const name of models) {
      const sound = await Deno.readFile(`${folder}/models/${name}`);
      const flipped = sound.slice();
      flipped[Math.floor(random() * flipped.length)] ^= 1 << Math.floor(random() * 8);
      await Deno.writeFile(`${folder}/models/${name}`, flipped);
      const error = await assertRejects(open, SetpointError);
      assertEquals(error.code, "ARTIFACT_CORRUPT", error.message);
      assertStringIncludes(error.message, name);
      await Deno.writeFile(`${folder}/models/${name}`, sound);
    }
    await using opened = await open();
    assertEquals((await opened.answer(inputOf("kiln/nominal"))).outcome, "solved");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("deno task start with a corrupt model, a missing version or no store ends with 2 and says so", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "setpoint-store-" });
  try {
    await copyFolder(`${ROOT}/strategies/kiln`, folder);
    const env = { SETPOINT_STORAGE_DIRECTORY: folder };
    const start = async (folders: Folders) => {
      const ended = await task(["start", "--port", "0", ...folders.flags], { env });
      assertEquals([ended.code, ended.stderr.includes("    at ")], [2, false], ended.stderr);
      return ended.stderr;
    };
    await t.step("a pointer to a version that is not there", async () => {
      await using folders = await Folders.make();
      await Deno.writeTextFile(
        `${folders.root}/metadata/deployed_config_version.yaml`,
        "config.yaml: 9.9.9\n",
      );
      assertStringIncludes(await start(folders), "9.9.9");
    });
    await t.step("a pointer that is none", async () => {
      await using folders = await Folders.make();
      await Deno.writeTextFile(
        `${folders.root}/metadata/deployed_config_version.yaml`,
        "config.yaml: newest\n",
      );
      assertStringIncludes(await start(folders), "newest");
    });
    await t.step("a model that is cut off", async () => {
      const path = `${folder}/models/clinker_temperature.onnx`;
      const sound = await Deno.readFile(path);
      await Deno.writeFile(path, sound.subarray(0, sound.length - 1));
      await using folders = await Folders.make();
      assertStringIncludes(await start(folders), "clinker_temperature.onnx");
      await Deno.writeFile(path, sound);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
