/** What every plugin for skills must hold, tried on its own tests. */
import { type EvaluateNode, wrongDerivative } from "../cells/jacobian_check.ts";
import { valueOf, valuesOf } from "../cells/self_test.ts";
import { decodeExpression } from "../graph/expression.ts";
import { Graph } from "../graph/expr.ts";
import type { PluginTest } from "../graph/manifest.ts";
import type { LoweredMessage, OpaqueSpec, SkillSpec } from "../graph/skill.ts";
import { compileTape } from "../graph/tape.ts";
import type { MeasuredPlugin } from "./measured_plugin.ts";
import type { Check } from "./plugin_check.ts";

/** Points around the test's own, each input scaled by one of these. */
const SPREAD = [1, 0.9, 1.1, 0.97, 1.04, 0.93, 1.07];
const BATCH = 64;
const REPEATS = 20;
const DERIVATIVES = "has the derivatives of differences";

type Named = (what: string, ok: boolean, detail?: string) => Check;

export async function checkSkill(
  plugin: MeasuredPlugin,
  skill: SkillSpec,
  test: PluginTest,
): Promise<Check[]> {
  const named: Named = (what, ok, detail = "") => ({ what: `"${test.name}" ${what}`, ok, detail });
  if (plugin.description.kind === "composition") {
    const [a, b] = [await plugin.sequence(skill), await plugin.sequence({ ...skill })];
    return [named("gives the same order twice", a.join() === b.join())];
  }
  const lowered = await plugin.lower(skill);
  const again = await plugin.lower({ ...skill });
  const checks = [named("is described the same twice", same(lowered.expression, again.expression))];
  if (lowered.opaques.length === 0) {
    const at = Float64Array.from(lowered.sources, (source) => valueOf(source, test) ?? 1);
    const spec = { inputs: at.length, outputs: skill.outputs.length };
    return [...checks, await checkDerivatives(evaluatorOf(lowered), spec, at, named)];
  }
  const points = new Map<number, Float64Array>();
  await valuesOf(lowered, skill, test, (opaque, point) => {
    points.set(opaque, point);
    return plugin.evaluate(skill, opaque, point, 1);
  });
  for (const [opaque, point] of points) {
    checks.push(...await checkOpaque(plugin, skill, opaque, lowered.opaques[opaque], point, named));
  }
  return checks;
}

/** Foreign code: the same answer twice, rows that do not depend on each other, its derivatives, and its time. */
async function checkOpaque(
  plugin: MeasuredPlugin,
  skill: SkillSpec,
  opaque: number,
  spec: OpaqueSpec,
  point: Float64Array,
  named: Named,
): Promise<Check[]> {
  const { inputs: width, outputs: wide, jacobian = false } = spec;
  const batch = Float64Array.from({ length: BATCH * width }, (_, k) => {
    return point[k % width] * (0.9 + 0.2 * Math.floor(k / width) / BATCH);
  });
  const evaluate: EvaluateNode = (...asked) => plugin.evaluate(skill, opaque, ...asked);
  const whole = await evaluate(batch, BATCH, jacobian);
  const twice = await evaluate(batch, BATCH, jacobian);
  const rows = await Promise.all([0, 7, BATCH - 1].map(async (row) => {
    const alone = await evaluate(batch.slice(row * width, (row + 1) * width), 1, false);
    return same(alone, whole.slice(row * wide, (row + 1) * wide));
  }));
  const first = plugin.wallMs.length;
  for (let k = 0; k < REPEATS; k++) await evaluate(batch, BATCH, jacobian);
  const ms = plugin.wallMs.slice(first).reduce((sum, time) => sum + time, 0) / REPEATS;
  const finite = whole.every(Number.isFinite);
  const by = jacobian ? ", derivatives included" : "; derivatives are taken by differences";
  return [
    named("answers the same twice", same(whole, twice)),
    named("answers each row as if it were alone", rows.every((row) => row)),
    named("is finite around its test", finite, finite ? "" : "some answers near the test are not"),
    ...(jacobian ? [await checkDerivatives(evaluate, spec, point, named)] : []),
    named("answers batches", true, `${ms.toFixed(2)} ms for ${BATCH} points${by}`),
  ];
}

async function checkDerivatives(
  evaluate: EvaluateNode,
  spec: Pick<OpaqueSpec, "inputs" | "outputs" | "steps">,
  point: Float64Array,
  named: Named,
): Promise<Check> {
  for (const scale of SPREAD) {
    const wrong = await wrongDerivative(evaluate, spec, point.map((value) => value * scale));
    if (wrong !== undefined) return named(DERIVATIVES, false, wrong);
  }
  return named(DERIVATIVES, true, `at ${SPREAD.length} points around it`);
}

/** A skill that is all expression, its sources as inputs. */
function evaluatorOf({ expression: bytes, sources }: LoweredMessage): EvaluateNode {
  const expression = decodeExpression(bytes);
  const graph = new Graph();
  const outputs = graph.inline(expression, sources.map((_, k) => graph.variable(k)));
  const tape = compileTape(graph, { variables: sources.length, parameters: 0, outputs });
  return (batch, count, jacobians) => {
    const [values, slopes]: number[][] = [[], []];
    for (let row = 0; row < count; row++) {
      const x = batch.slice(row * sources.length, (row + 1) * sources.length);
      const out = new Float64Array(outputs.length);
      tape.value(x, out);
      values.push(...out);
      if (!jacobians) continue;
      const jacobian = new Float64Array(outputs.length * x.length);
      tape.jacobian(x, 0, outputs.length, jacobian);
      slopes.push(...jacobian);
    }
    return Promise.resolve(Float64Array.of(...values, ...slopes));
  };
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((value, k) => Object.is(value, b[k]));
}
