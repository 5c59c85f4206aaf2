import { setpointError } from "../../runtime/errors.ts";
import type { SkillSpec } from "../../runtime/graph/skill.ts";
import { systemClock } from "../../runtime/clock.ts";
import { type Judged, Referee, type RefereeOptions } from "../../runtime/kernel/referee.ts";
import { assertEquals, assertStringIncludes } from "../std/assert.ts";
import { ROOT } from "../../runtime/config.ts";
import { answerText } from "../../runtime/cli/answer_text.ts";
import { writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { eventually } from "../std/eventually.ts";
import { seededRandom } from "../../runtime/graph/seeded_random.ts";
import { writeTorch, type WrittenTensor } from "../graph/torch_writer.ts";
import { openKernel } from "./open_kernel.ts";

const STATE = { a: 0.1, b: 0.2, c: 0.3, d: 0.4 };

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "setpoint-referee-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A strategy of one model with two outputs, whose graph answers 0, 1, 2 … and 0. */
function judged(): Judged {
  const bytes = new Uint8Array(4);
  const spec = { name: "skill", files: { model_path: { name: "m.onnx", sha256: "ab", bytes } } };
  const answers = Float64Array.from({ length: 128 }, (_, i) => i % 2 === 0 ? i / 2 : 0);
  const sample = { file: "model_path", batch: new Float64Array(64), answers, count: 64 };
  return {
    samples: [{ spec: spec as unknown as SkillSpec, sample }],
    trust: { doubts: [], open: [] },
    hold: () => ({ [Symbol.dispose]() {} }),
  };
}

/** ONNX Runtime that adds `error` to the first output of its row `row`. */
function fakeRuntime(error: number, row = 17) {
  let [loads, calls] = [0, 0];
  const onnx: RefereeOptions["onnx"] = {
    load: () => Promise.resolve(void loads++),
    evaluate: () => Promise.resolve(Float64Array.of(calls + (calls++ === row ? error : 0), 0)),
    unload: () => Promise.resolve(),
  };
  return { onnx, loads: () => loads };
}

Deno.test("the referee doubts a model that differs by more than 1e-5 of its range, and remembers that", async () => {
  await inFolder(async (folder) => {
    const lines: string[] = [];
    const common = { clock: systemClock, log: (_: string, line: string) => void lines.push(line) };
    for (const [error, doubted] of [[5e-4, false], [2e-3, true]] as const) {
      const file = `${folder}/${error}.json`;
      const strategy = judged();
      const runtime = fakeRuntime(error);
      {
        await using referee = new Referee({ ...common, onnx: runtime.onnx, file });
        await referee.recall(strategy);
        assertEquals(runtime.loads(), 0);
        referee.judgeLater(strategy);
        referee.judgeLater(strategy);
        await eventually("the verdict is written", () => Deno.stat(file).then(() => true, () => false));
      }
      assertEquals([runtime.loads(), strategy.trust.doubts.length, strategy.trust.open], [
        1,
        doubted ? 1 : 0,
        [],
      ]);
      const again = judged();
      await using referee = new Referee({ ...common, onnx: runtime.onnx, file });
      await referee.recall(again);
      referee.judgeLater(again);
      assertEquals([again.trust, runtime.loads()], [strategy.trust, 1]);
      if (doubted) {
        assertStringIncludes(again.trust.doubts[0], 'Model "m.onnx" of skill "skill" is not trusted');
      }
    }
  });
});

Deno.test("a model that ONNX Runtime cannot run is not doubted; one that it had no time for is asked about again", async () => {
  await inFolder(async (folder) => {
    for (const [code, loads] of [["PLUGIN_FAILED", 1], ["PLUGIN_TIMEOUT", 3]] as const) {
      const strategy = judged();
      let count = 0;
      const load = () => {
        count++;
        return Promise.reject(setpointError(code, "no"));
      };
      const onnx = { ...fakeRuntime(0).onnx, load };
      const file = `${folder}/${code}.json`;
      await using referee = new Referee({ clock: systemClock, log: () => {}, onnx, file });
      await eventually("it was tried", () => {
        referee.judgeLater(strategy);
        return count === loads;
      });
      if (loads === 1) {
        await eventually("that is told", () => strategy.trust.open.length === 1);
        assertStringIncludes(strategy.trust.open[0], "expected golden vectors, no");
      }
      // not again
      for (let k = 0; k < 3; k++) {
        referee.judgeLater(strategy);
        await systemClock.sleep(80);
      }
      assertEquals([count, strategy.trust.doubts], [loads, []]);
    }
  });
});

Deno.test("ONNX Runtime judges a model after the first answer, rests then, and is not asked after a restart", async () => {
  await inFolder(async (folder) => {
    const file = `${folder}/state/referee.json`;
    const env = { SETPOINT_FOLDERS_STATE: `${folder}/state`, SETPOINT_APP_MODE: "api" };
    const control = { SETPOINT_OPTIMIZATION_CONTROL: "closed_loop" };
    const options = {
      strategy: "tests/fixtures/onnx/external.yaml",
      serving: true,
      env: { ...env, ...control },
    };
    const waiting = 'Model "' + ROOT +
      '/tests/fixtures/onnx/dynamo_external.onnx" of skill "model" is not yet compared with ONNX Runtime';
    {
      await using open = await openKernel(options);
      const cells = () => open.kernel.plugins().filter(({ id }) => id === "onnx");
      assertEquals(cells(), []);
      const first = await open.answer(STATE);
      assertEquals(first.warnings, []);
      assertEquals(first.control, { requested: "closed_loop", actual: "advisory", reason: waiting });
      assertStringIncludes(answerText(first), `Only advisory: ${waiting}`);
      await eventually("the verdict is written", () => Deno.stat(file).then(() => true, () => false));
      await eventually("ONNX Runtime rests", () => cells()[0]?.pid === null);
      const then = await open.answer(STATE);
      assertEquals([then.warnings, then.control], [[], { requested: "closed_loop", actual: "closed_loop" }]);
      assertEquals(open.kernel.status().control, then.control);
      const journalled = await open.kernel.cycles({ limit: 2 });
      assertEquals(journalled.map((row) => row.control?.actual), ["closed_loop", "advisory"]);
    }
    const { verdicts } = JSON.parse(await Deno.readTextFile(file));
    assertEquals(Object.values(verdicts), [{ result: "agrees" }]);
    const differs = { result: "differs", why: "its output 1 is wrong" };
    const doubted = Object.fromEntries(Object.keys(verdicts).map((key) => [key, differs]));
    await Deno.writeTextFile(file, JSON.stringify({ version: 2, verdicts: doubted }));
    await using open = await openKernel(options);
    const { warnings, status, control: lowered } = await open.answer(STATE);
    assertEquals(lowered.actual, "advisory");
    assertStringIncludes(lowered.reason!, "is not trusted");
    assertEquals(open.kernel.status().control, lowered);
    assertEquals([status, warnings.map(({ code }) => code)], ["success", ["MODEL_DOUBTED"]]);
    assertStringIncludes(warnings[0].message, "the strategy only advises: its output 1 is wrong");
    assertEquals(open.kernel.status().reasons.map(({ code, critical }) => [code, critical]), [[
      "MODEL_DOUBTED",
      false,
    ]]);
    assertEquals(open.kernel.plugins().some(({ id }) => id === "onnx"), false);
  });
});

/** A strategy of one model with one output, beside which the model lies. */
const ONE = `apiVersion: setpoint/v1
name: one
version: 1.0.0
variables:
  a: { type: Operative, units: "-", threshold: 0.1, min: -1, max: 1 }
  b: { type: Informative, units: "-" }
  c: { type: Informative, units: "-" }
  d: { type: Informative, units: "-" }
  y: { type: Predicted, units: "-" }
  z: { type: Predicted, units: "-" }
  cost: { type: CalculatedKPI, units: "-" }
skills:
  model: { class: InferenceModel, inputs: [a, b, c, d], outputs: [y, z], config: { model_path: m.onnx } }
  sum: { class: MathFunction, inputs: [y, z], outputs: [cost], config: { formula: y + z } }
  all: { class: CompositionSkill, outputs: [cost], config: { skill_sequence: [model, sum] } }
  best: { class: OptimizationSkill, inputs: [a], outputs: [a], config: { cost_skill_name: all, cost_feature_name: cost } }
tasks:
  - { name: main, skill_sequence: [best] }
`;

const CLOSED = { SETPOINT_APP_MODE: "api", SETPOINT_OPTIMIZATION_CONTROL: "closed_loop" };

Deno.test("a model whose digits 32 bits do not hold is doubted: real ONNX Runtime, requested closed loop stays advisory", async () => {
  // (x + 1e8) − 1e8: eight digits go, in 32 bits.
  const far = { name: "far", shape: [], data: [1e8] };
  const model = writeOnnx({
    name: "lost",
    inputs: [{ name: "x", shape: ["n", 4] }],
    outputs: [{ name: "y", shape: ["n", 2] }],
    initializers: [far, { name: "w", shape: [4, 2], data: [1, 0, 0, 1, 1, 0, 0, 1] }],
    nodes: [
      { op: "Add", inputs: ["x", "far"], outputs: ["up"] },
      { op: "Sub", inputs: ["up", "far"], outputs: ["down"] },
      { op: "MatMul", inputs: ["down", "w"], outputs: ["y"] },
    ],
  });
  await using open = await openKernel({
    strategy: ONE,
    files: { "m.onnx": model },
    serving: true,
    env: CLOSED,
  });
  assertEquals((await open.answer(STATE)).status, "success");
  await eventually("it is judged", () => open.kernel.active!.trust.doubts.length === 1);
  const { control, warnings } = await open.answer(STATE);
  assertEquals([control.requested, control.actual], ["closed_loop", "advisory"]);
  assertStringIncludes(control.reason!, "is not trusted, the strategy only advises: its output 1 is");
  assertEquals(warnings.map(({ code }) => code), ["MODEL_DOUBTED"]);
  const [row] = await open.kernel.cycles({ limit: 1 });
  assertEquals(row.control, control);
});

Deno.test("a model of 64 bits that ONNX Runtime has no kernels for is vouched for by golden vectors alone", async () => {
  const model = Deno.readFileSync(`${ROOT}/tests/fixtures/onnx/dynamo_double_gelu.onnx`);
  const { inputs, outputs } = JSON.parse(
    Deno.readTextFileSync(`${ROOT}/tests/fixtures/onnx/torch.json`),
  ).dynamo_double_gelu;
  {
    await using open = await openKernel({
      strategy: ONE,
      files: { "m.onnx": model },
      serving: true,
      env: CLOSED,
    });
    await open.answer(STATE);
    await eventually("it is judged", () => /nothing vouches/.test(open.kernel.active!.trust.open[0] ?? ""));
    const { control, warnings } = await open.answer(STATE);
    assertEquals([control.actual, warnings], ["advisory", []]);
    assertStringIncludes(control.reason!, "expected golden vectors");
  }
  const golden = (inputs as number[][]).map((input, i) => ({ input, output: outputs[i] }));
  const files = { "m.onnx": model, "m.json": JSON.stringify({ format: "setpoint/model/v1", golden }) };
  const strategy = ONE.replace("model_path: m.onnx", "model_path: m.onnx, metadata_path: m.json");
  await using open = await openKernel({ strategy, files, serving: true, env: CLOSED });
  assertEquals((await open.answer(STATE)).control, { requested: "closed_loop", actual: "closed_loop" });
});

/** 3 → 600 → 800 → 2, nearly as much as a skill's graph may hold. */
function largeNet(): Uint8Array {
  const random = seededRandom(7);
  const tensors: Record<string, WrittenTensor> = {};
  for (const [k, [inputs, outputs]] of [[3, 600], [600, 800], [800, 2]].entries()) {
    const data = Float32Array.from(
      { length: inputs * outputs },
      () => (2 * random() - 1) / Math.sqrt(inputs),
    );
    tensors[`${2 * k}.weight`] = { shape: [outputs, inputs], data };
    tensors[`${2 * k}.bias`] = { shape: [outputs], data: new Float32Array(outputs).fill(0.1) };
  }
  return writeTorch(tensors);
}

for (
  const [size, net] of [
    ["small", () => Deno.readFileSync(`${ROOT}/tests/fixtures/torch/zip_protocol2.pth`)],
    ["large", largeNet],
  ] as const
) {
  Deno.test(`a ${size} .pth network is judged by its ONNX form`, async () => {
    const strategy = ONE.replace("model_path: m.onnx", "model_path: m.pth").replaceAll(", c, d]", ", c]");
    const files = { "m.pth": net() };
    await using open = await openKernel({ strategy, files, serving: true, env: CLOSED });
    const first = await open.answer(STATE);
    assertStringIncludes(first.control.reason!, 'm.pth" of skill "model" is not yet compared');
    await eventually("it is judged", () => open.kernel.active!.trust.open.length === 0);
    assertEquals((await open.answer(STATE)).control.actual, "closed_loop");
  });
}
