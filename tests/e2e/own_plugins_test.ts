/** Each of the five kinds in a user's hands, in the place of the built-in one; plugins out of a store. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { openDirectory } from "../../runtime/artifacts/directory.ts";
import { sha256 } from "../../runtime/artifacts/digest.ts";
import { openMinio } from "../../runtime/artifacts/minio.ts";
import { publish } from "../../runtime/artifacts/publish.ts";
import type { ArtifactStore } from "../../runtime/artifacts/store.ts";
import { systemClock } from "../../runtime/clock.ts";
import { deploy, watchful } from "../faults/versions.ts";
import { openKernel } from "../kernel/open_kernel.ts";
import { eventually } from "../std/eventually.ts";
import { findMinio, MINIO_HINT, MinioServer } from "../servers/minio.ts";
import { serverTest } from "../servers/require.ts";

/** p = (x − 5)², x ≤ 4, cost = 3 p: x goes from 2 to 4, the cost from 27 to 3. */
const SKILLS = {
  predict: "{ class: MathFunction, inputs: [x], outputs: [p], config: { formula: (x - 5) ** 2 } }",
  keep: "{ class: Constraint, inputs: [x], outputs: [s], config: { op_max: 4, var_max: 10, mode: hard } }",
  cost: "{ class: MathFunction, inputs: [p], outputs: [cost], config: { formula: 3 * p } }",
  all: "{ class: CompositionSkill, outputs: [cost], config: { skill_sequence: [predict, keep, cost] } }",
  best:
    "{ class: OptimizationSkill, inputs: [x], outputs: [x], config: { cost_skill_name: all, cost_feature_name: cost } }",
};

function strategyOf(
  plugins: Readonly<Record<string, string>>,
  skills: Partial<typeof SKILLS>,
  version = "1.0.0",
): string {
  const lines = (entries: object) =>
    Object.entries(entries).map(([key, value]) => `  ${key}: ${value}`).join("\n");
  return `apiVersion: setpoint/v1
name: own
version: ${version}
variables:
  x: { type: Operative, units: "-", threshold: 10, min: 0, max: 10 }
  p: { type: Predicted, units: "-" }
  s: { type: Constraint, units: "-" }
  cost: { type: CalculatedKPI, units: "-" }
plugins:
${lines(plugins)}
skills:
${lines({ ...SKILLS, ...skills })}
tasks:
  - { name: CalculateRecommendations, skill_sequence: [best] }
`;
}

interface Own {
  readonly class: string;
  readonly text: string;
  /** Skills that are written otherwise for it. */
  readonly skills: Partial<typeof SKILLS>;
}

const OWN: Readonly<Record<string, Own>> = {
  model: {
    class: "InferenceModel",
    text: `import { definePlugin } from "setpoint";
export default definePlugin({
  name: "own/model", version: "1.0.0", kind: "model", sdk: "^1.1.0",
  config: { properties: { center: { type: "number" } }, required: ["center"] },
  tests: [{ config: { center: 1 }, inputs: { x: 3 }, outputs: { p: 4 } }],
  evaluate: ({ config }, batch) => batch.map((x) => (x - Number(config.center)) ** 2),
  jacobian: ({ config }, batch) => batch.map((x) => 2 * (x - Number(config.center))),
});`,
    skills: { predict: "{ class: InferenceModel, inputs: [x], outputs: [p], config: { center: 5 } }" },
  },
  function: {
    class: "MathFunction",
    text: `import { definePlugin, describe, op } from "setpoint";
export default definePlugin({
  name: "own/function", version: "1.0.0", kind: "function", sdk: "^1.1.0",
  config: { properties: { factor: { type: "number" }, off: { type: "number", default: 0 }, power: { type: "number", default: 1 } } },
  tests: [{ config: { factor: 2, off: 1 }, inputs: { x: 3 }, outputs: { y: 4 } }],
  lower: (skill) => describe(skill, ([x]) => {
    const { factor, off, power } = skill.config;
    const away = op.sub(x, Number(off));
    return op.mul(Number(factor), Number(power) === 2 ? op.square(away) : away);
  }),
});`,
    skills: {
      predict: "{ class: MathFunction, inputs: [x], outputs: [p], config: { factor: 1, off: 5, power: 2 } }",
      cost: "{ class: MathFunction, inputs: [p], outputs: [cost], config: { factor: 3 } }",
    },
  },
  constraint: {
    class: "Constraint",
    text: `import { definePlugin, describe, op } from "setpoint";
export default definePlugin({
  name: "own/constraint", version: "1.0.0", kind: "constraint", sdk: "^1.1.0",
  config: { properties: { most: { type: "number" } }, required: ["most"] },
  tests: [{ config: { most: 5 }, inputs: { x: 3 }, outputs: { left: 2 } }],
  lower(skill) {
    const most = Number(skill.config.most);
    const limit = { variable: skill.inputs[0], mode: "hard", lower: -Infinity, upper: most,
      physicalLower: -Infinity, physicalUpper: Infinity, weight: 1, priority: 0 };
    return { ...describe(skill, ([x]) => op.sub(most, x)), limits: [limit] };
  },
});`,
    skills: { keep: "{ class: Constraint, inputs: [x], outputs: [s], config: { most: 4 } }" },
  },
  composition: {
    class: "CompositionSkill",
    text: `import { definePlugin } from "setpoint";
export default definePlugin({
  name: "own/composition", version: "1.0.0", kind: "composition", sdk: "^1.1.0",
  config: { properties: { first: { type: "string" }, then: { type: "array", items: { type: "string" } } } },
  tests: [{ config: { first: "a", then: ["b"] }, sequence: ["a", "b"] }],
  sequence: ({ config }) => [config.first, ...config.then],
});`,
    skills: {
      all: "{ class: CompositionSkill, outputs: [cost], config: { first: predict, then: [keep, cost] } }",
    },
  },
  optimizer: {
    class: "OptimizationSkill",
    text: `import { definePlugin, valuesAt } from "setpoint";
export default definePlugin({
  name: "own/optimizer", version: "1.0.0", kind: "optimizer", sdk: "^1.1.0",
  config: { properties: { points: { type: "integer", default: 1001 } } },
  tests: [{ inputs: { x: 1 }, minimize: "(x - 2)**2", limits: [{ formula: "x", upper: 1.5 }], cost: 0.25 }],
  optimize({ exact, limits, lo, hi, config, cancelled }) {
    const points = Number(config.points);
    const grid = Array.from({ length: points }, (_, k) => lo.map((low, i) => low + (hi[i] - low) * k / (points - 1)));
    const good = valuesAt(exact, grid, cancelled).map(({ outputs }, k) => ({ x: grid[k], outputs }))
      .filter(({ outputs }) => limits.every(({ lower, upper }, j) => outputs[1 + j] >= lower && outputs[1 + j] <= upper))
      .sort((a, b) => a.outputs[0] - b.outputs[0]);
    return { status: "solved", x: good[0].x, iterations: 1, evaluations: points };
  },
});`,
    skills: {},
  },
};

async function answersWith(kinds: readonly string[]): Promise<void> {
  const plugins = Object.fromEntries(kinds.map((kind) => [OWN[kind].class, `${kind}.ts`]));
  const skills = Object.assign({}, ...kinds.map((kind) => OWN[kind].skills));
  const files = Object.fromEntries(kinds.map((kind) => [`${kind}.ts`, OWN[kind].text]));
  await using opened = await openKernel({ strategy: strategyOf(plugins, skills), files });
  const { outcome, cost_before, cost_function_value, reason } = await opened.answer({ x: 2 });
  assertEquals(outcome, "solved", JSON.stringify(reason));
  assertAlmostEquals(cost_before!, 27, 1e-9);
  assertAlmostEquals(cost_function_value!, 3, 1e-3);
  for (const kind of kinds) {
    const cell = opened.kernel.plugins().find(({ plugins }) =>
      plugins.some(({ name }) => name === `own/${kind}`)
    )!;
    assertEquals([cell.plugins[0].kind, cell.plugins[0].tests, cell.failures], [kind, 1, 0]);
    assert(cell.calls > 1);
  }
}

for (const kind of Object.keys(OWN)) {
  Deno.test(`a user's ${kind} takes the place of the built-in one`, () => answersWith([kind]));
}

Deno.test("all five kinds are a user's at once", () =>
  // the model is in the place of the function that predicts
  answersWith(["function", "constraint", "composition", "optimizer", "model"]));

/** A strategy whose model is named by name, version and digest, in a store. */
async function publishOwn(store: ArtifactStore, version: string, factor: number): Promise<void> {
  const text = OWN.model.text.replace("2 * (x", `${2 * factor} * (x`)
    .replace("(x - Number(config.center)) ** 2", `${factor} * $&`)
    .replace("outputs: { p: 4 }", `outputs: { p: ${4 * factor} }`)
    .replace('version: "1.0.0"', `version: "${version}"`);
  const bytes = new TextEncoder().encode(text);
  const ref = `{ plugin: own-model@${version}, sha256: ${await sha256(bytes)} }`;
  const strategy = strategyOf({ InferenceModel: ref }, OWN.model.skills, version);
  await publish(
    store,
    new Map([
      [`configs/config-${version}.yaml`, new TextEncoder().encode(strategy)],
      [`plugins/own-model@${version}.ts`, bytes],
    ]),
  );
}

async function livesInStore(store: ArtifactStore, env: Readonly<Record<string, string>>, root: string) {
  await using _store = { [Symbol.asyncDispose]: () => store.close() };
  const metadata = `${root}/metadata`;
  await publishOwn(store, "1.0.0", 1);
  await deploy(metadata, "1.0.0");
  const all = {
    ...{
      SETPOINT_APP_MODE: "api",
      SETPOINT_FOLDERS_STATE: `${root}/state`,
      SETPOINT_FOLDERS_METADATA: metadata,
    },
    ...env,
  };
  await using opened = await openKernel({ serving: true, clock: watchful, env: all });
  const { kernel } = opened;
  const costOf = async () => (await opened.answer({ x: 2 })).cost_function_value!;
  const shown = () =>
    kernel.plugins().flatMap(({ plugins }) => plugins).filter(({ name }) => name === "own/model");
  assertAlmostEquals(await costOf(), 3, 1e-3);
  assertEquals(shown().map(({ version, tests }) => [version, tests]), [["1.0.0", 1]]);
  assertEquals(shown()[0].digest?.length, 64);

  // a new version takes over
  await publishOwn(store, "2.0.0", 2);
  await deploy(metadata, "2.0.0");
  await eventually("the new version answers", async () => Math.abs(await costOf() - 6) < 1e-3);
  assertEquals(shown().map(({ version }) => version), ["2.0.0"]);

  // one whose plugin is not what the strategy says stays out
  await publishOwn(store, "3.0.0", 3);
  const other = new TextEncoder().encode(OWN.model.text);
  await publish(store, new Map([["plugins/own-model@3.0.0.ts", other]]), { overwrite: true });
  await deploy(metadata, "3.0.0");
  const reason = () => kernel.status().reasons.find(({ code }) => code === "DEPLOYMENT")?.message ?? "";
  await eventually("health says why", () => reason() !== "");
  assertStringIncludes(reason(), "SHA-256");
  assertAlmostEquals(await costOf(), 6, 1e-3);
}

Deno.test("a plugin lives in a folder as name@version with its digest; a new version takes over, another content does not", async () => {
  const root = await Deno.makeTempDir({ prefix: "setpoint-own-" });
  try {
    await Deno.mkdir(`${root}/store`);
    await livesInStore(openDirectory(`${root}/store`), { SETPOINT_STORAGE_DIRECTORY: `${root}/store` }, root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

serverTest(
  "a plugin lives in MinIO as name@version with its digest; a new version takes over, another content does not",
  findMinio,
  async (program) => {
    const root = await Deno.makeTempDir({ prefix: "setpoint-own-" });
    await using server = await MinioServer.start(program);
    try {
      const config = await server.bucket();
      const env = Object.fromEntries(
        Object.entries(config).map((
          [key, value],
        ) => [`SETPOINT_STORAGE_MINIO_${key.toUpperCase()}`, String(value)]),
      );
      await livesInStore(openMinio(config, systemClock), env, root);
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
  MINIO_HINT,
);
