/** Runs the tests that a plugin brings along, in its own cell, when it is opened: one that fails keeps the plugin out. */
import { SetpointError } from "../errors.ts";
import { checkConfig, withDefaults } from "../graph/config_schema.ts";
import { decodeExpression } from "../graph/expression.ts";
import { Graph } from "../graph/expr.ts";
import type { PluginManifest, PluginTest } from "../graph/manifest.ts";
import type { LoweredMessage, SkillFile, SkillSpec, Source, VariableInfo } from "../graph/skill.ts";
import { compileTape } from "../graph/tape.ts";
import type { OptimizationResult } from "../graph/optimization.ts";
import { type SearchTrial, searchTrial, wrongAnswer } from "./search_trial.ts";
import { type EvaluateNode, wrongDerivative } from "./jacobian_check.ts";

/** The part of an open plugin that its tests need. */
export interface Testable {
  lower(skill: SkillSpec): Promise<LoweredMessage>;
  sequence(skill: SkillSpec): Promise<string[]>;
  evaluate(
    skill: SkillSpec,
    opaque: number,
    batch: Float64Array,
    count: number,
    jacobians: boolean,
  ): Promise<Float64Array>;
  search(test: SearchTrial): Promise<OptimizationResult>;
}

const TOLERANCE = 1e-9;

/** @throws {Error} Names the first test that fails, what it gave and what was expected. */
export async function selfTest(plugin: Testable, manifest: PluginManifest): Promise<void> {
  checkExamples(manifest);
  for (const test of manifest.tests ?? []) {
    try {
      await runTest(plugin, manifest, test);
    } catch (error) {
      // whoever tells the cause tells its place
      const why = error instanceof SetpointError ? error.problems[0].message : (error as Error).message;
      throw new Error(`its ${JSON.stringify(test.name)} fails: ${why}`, { cause: error });
    }
  }
}

function checkExamples({ config: schema, examples = [] }: PluginManifest): void {
  if (schema === undefined) return;
  for (const { title, config } of examples) {
    const [problem] = checkConfig(schema, config, title);
    if (problem !== undefined) {
      throw new TypeError(`its example ${JSON.stringify(title)} fails: ${problem.message}`);
    }
  }
}

async function runTest(plugin: Testable, manifest: PluginManifest, test: PluginTest): Promise<void> {
  const skill = skillOfTest(manifest, test);
  const [problem] = manifest.config === undefined
    ? []
    : checkConfig(manifest.config, test.config ?? {}, skill.name);
  if (problem !== undefined) throw new TypeError(problem.message);
  if (manifest.kind === "composition") {
    const order = await plugin.sequence(skill);
    if (order.join() !== (test.sequence ?? []).join()) {
      throw new TypeError(`it gave ${order.join(", ")}, expected ${(test.sequence ?? []).join(", ")}`);
    }
    return;
  }
  if (manifest.kind === "optimizer") {
    const search = searchTrial(test, skill.config);
    const wrong = wrongAnswer(test, search, await plugin.search(search));
    if (wrong !== undefined) throw new TypeError(wrong);
    return;
  }
  const values = await outputsOf(plugin, skill, test);
  const { tolerance = TOLERANCE } = test;
  Object.entries(test.outputs ?? {}).forEach(([name, expected], k) => {
    if (Math.abs(values[k] - expected) <= tolerance * Math.max(1, Math.abs(expected))) return;
    throw new TypeError(`"${name}" is ${values[k]}, expected ${expected} within ${tolerance}`);
  });
}

/** The skill that a test stands for: its inputs and outputs are the variables. */
export function skillOfTest({ config: schema }: PluginManifest, test: PluginTest): SkillSpec {
  const given = test.config ?? {};
  const inputs = Object.keys(test.inputs ?? {});
  const names = inputs.filter((name) => !inputs.some((other) => isSuffixed(name, other)));
  const outputs = Object.keys(test.outputs ?? {});
  const variables: Record<string, VariableInfo> = Object.create(null);
  for (const name of [...names, ...outputs]) {
    const threshold = test.inputs?.[`${name}_threshold`];
    const type = names.includes(name) ? "Operative" : "Predicted";
    variables[name] = {
      type,
      units: test.units?.[name] ?? "",
      ...(threshold !== undefined && { threshold }),
    };
  }
  const name = test.name ?? "test";
  const config = schema === undefined ? given : withDefaults(schema, given);
  const files = Object.fromEntries(
    Object.entries(test.files ?? {}).map(([key, content]) => [key, fileOf(key, content, config)]),
  );
  return { name, class: "Test", inputs: names, outputs, config, variables, files, legacy: false };
}

const BASE64 = "base64:";

function fileOf(key: string, content: string, config: SkillSpec["config"]): SkillFile {
  let bytes = new TextEncoder().encode(content);
  if (content.startsWith(BASE64)) {
    try {
      bytes = Uint8Array.fromBase64(content.slice(BASE64.length));
    } catch (error) {
      throw new TypeError(`its file "${key}" is no base64: ${(error as Error).message}`);
    }
  }
  // nobody keeps it, so that nobody needs its digest
  return { name: String(config[key] ?? key), sha256: "0".repeat(64), bytes };
}

/** `flow_current` beside `flow` is the measured value of `flow`, not a variable. */
function isSuffixed(name: string, other: string): boolean {
  return name === `${other}_current` || name === `${other}_threshold`;
}

async function outputsOf(plugin: Testable, skill: SkillSpec, test: PluginTest): Promise<Float64Array> {
  const lowered = await plugin.lower(skill);
  return await valuesOf(lowered, skill, test, async (opaque, point) => {
    const spec = lowered.opaques[opaque];
    const evaluate: EvaluateNode = (...asked) => plugin.evaluate(skill, opaque, ...asked);
    const wrong = spec.jacobian && await wrongDerivative(evaluate, spec, point);
    if (wrong) throw new TypeError(`its Jacobian is wrong: ${wrong}`);
    return await evaluate(point, 1, false);
  });
}

/**
 * The outputs of a lowered skill at the inputs of a test. @param answer Evaluates one of its opaque nodes at one point.
 * @throws {TypeError} If it has another number of outputs.
 */
export async function valuesOf(
  { expression: bytes, sources, opaques }: LoweredMessage,
  skill: SkillSpec,
  test: PluginTest,
  answer: (opaque: number, point: Float64Array) => Promise<Float64Array>,
): Promise<Float64Array> {
  const expression = decodeExpression(bytes, { opaques });
  if (expression.outputs.length !== skill.outputs.length) {
    throw new TypeError(`it has ${expression.outputs.length} outputs, expected ${skill.outputs.length}`);
  }
  const graph = new Graph();
  const outputs = graph.inline(expression, sources.map((_, k) => graph.parameter(k)));
  const tape = compileTape(graph, { variables: 0, parameters: sources.length, outputs });
  tape.setParameters(sources.map((source) => valueOf(source, test)));
  const values = new Float64Array(outputs.length);
  const stages = tape.stages(new Float64Array(0), 1, values);
  for (let batch = stages.next(); batch !== undefined; batch = stages.next()) {
    if (opaques[batch.skill].engine !== "self") {
      throw new TypeError("a model in ONNX Runtime has no self-test");
    }
    stages.supply(await answer(batch.skill, batch.inputs));
  }
  return values;
}

/** What a source reads in a test. */
export function valueOf({ variable, role }: Source, { inputs = {} }: PluginTest): number {
  if (role === "threshold") return inputs[`${variable}_threshold`] ?? NaN;
  return (role === "measured" ? inputs[`${variable}_current`] : undefined) ?? inputs[variable];
}
