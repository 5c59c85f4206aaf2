/** What every plugin for skills must hold, tried on its own tests. */
import type { PluginHandle } from "../cells/host.ts";
import type { Clock } from "../clock.ts";
import { decodeExpression } from "../graph/expression.ts";
import { Graph } from "../graph/expr.ts";
import type { PluginTest } from "../graph/manifest.ts";
import type { OpaqueSpec, SkillSpec } from "../graph/skill.ts";
import { compileTape, type Tape } from "../graph/tape.ts";
import { type EvaluateNode, wrongDerivative } from "../cells/jacobian_check.ts";
import type { Check } from "./plugin_check.ts";

/** Points beside the test's own, each input scaled by one of these. */
const SPREAD = [1, 0.9, 1.1, 0.97, 1.04];
/** Relative step of the central differences, and how far derivatives may be from them. */
const STEP = 1e-5;
const CLOSE = 1e-5;
const BATCH = 64;

export async function checkSkill(
  plugin: PluginHandle,
  skill: SkillSpec,
  test: PluginTest,
  clock: Clock,
): Promise<Check[]> {
  const named = (what: string, ok: boolean, detail = ""): Check => ({
    what: `"${test.name}" ${what}`,
    ok,
    detail,
  });
  if (plugin.description.kind === "composition") {
    const [a, b] = [await plugin.sequence(skill), await plugin.sequence({ ...skill })];
    return [named("gives the same order twice", a.join() === b.join())];
  }
  const lowered = await plugin.lower(skill);
  const again = await plugin.lower({ ...skill });
  const checks = [named("is described the same twice", same(lowered.expression, again.expression))];
  const own = lowered.opaques.map((spec, k) => [spec, k] as const).filter(([{ engine }]) =>
    engine === "self"
  );
  for (const [spec, k] of own) checks.push(...await checkOpaque(plugin, skill, spec, k, test, clock, named));
  if (lowered.opaques.length > 0) return checks;

  const expression = decodeExpression(lowered.expression);
  const graph = new Graph();
  const outputs = graph.inline(expression, lowered.sources.map((_, k) => graph.variable(k)));
  const tape = compileTape(graph, { variables: lowered.sources.length, parameters: 0, outputs });
  const { inputs = {} } = test;
  const at = Float64Array.from(
    lowered.sources,
    ({ variable, role }) =>
      (role === "value"
        ? undefined
        : inputs[`${variable}_${role === "measured" ? "current" : "threshold"}`]) ??
        inputs[variable] ?? 1,
  );
  const worst = Math.max(...SPREAD.map((scale) => derivativeError(tape, at.map((value) => value * scale))));
  checks.push(
    named(
      "has the derivatives of central differences",
      worst <= CLOSE,
      `largest difference ${worst.toExponential(1)}`,
    ),
  );
  return checks;
}

/** Foreign code: the same answer twice, rows that do not depend on each other, and its time. */
async function checkOpaque(
  plugin: PluginHandle,
  skill: SkillSpec,
  spec: OpaqueSpec,
  opaque: number,
  { inputs = {} }: PluginTest,
  clock: Clock,
  named: (what: string, ok: boolean, detail?: string) => Check,
): Promise<Check[]> {
  const { inputs: width, outputs: wide, jacobian } = spec;
  const point = skill.inputs.map((name) => inputs[name]).slice(0, width);
  const batch = Float64Array.from({ length: BATCH * width }, (_, k) => {
    return (point[k % width] ?? 1) * (0.9 + 0.2 * Math.floor(k / width) / BATCH);
  });
  const whole = await plugin.evaluate(skill, opaque, batch, BATCH);
  const twice = await plugin.evaluate(skill, opaque, batch, BATCH);
  const rows = await Promise.all([0, 7, BATCH - 1].map(async (row) => {
    const alone = await plugin.evaluate(skill, opaque, batch.slice(row * width, (row + 1) * width), 1);
    return same(alone, whole.slice(row * wide, (row + 1) * wide));
  }));
  const began = clock.monotonic();
  for (let k = 0; k < 20; k++) await plugin.evaluate(skill, opaque, batch, BATCH);
  const ms = (clock.monotonic() - began) / 20;
  const finite = whole.every(Number.isFinite);
  return [
    named("answers the same twice", same(whole, twice)),
    named("answers each row as if it were alone", rows.every((row) => row)),
    named("is finite around its test", finite, finite ? "" : "some answers near the test are not"),
    ...(jacobian ? [await checkJacobian()] : []),
    named(
      "answers batches",
      true,
      `${ms.toFixed(2)} ms for ${BATCH} points${jacobian ? "" : "; derivatives are taken by differences"}`,
    ),
  ];

  async function checkJacobian(): Promise<Check> {
    for (let row = 0; row < BATCH; row += 9) {
      const at = batch.slice(row * width, (row + 1) * width);
      const evaluate: EvaluateNode = (batch, count, jacobians) =>
        plugin.evaluate(skill, opaque, batch, count, undefined, jacobians);
      const wrong = await wrongDerivative(evaluate, spec, at);
      if (wrong !== undefined) return named("has the derivatives of differences", false, wrong);
    }
    return named("has the derivatives of differences", true, "at 8 points around the test");
  }
}

/** Largest difference between a tape's Jacobian and central differences, relative to max(1, |slope|). */
function derivativeError(tape: Tape, x: Float64Array): number {
  const rows = tape.outputs;
  const jacobian = new Float64Array(rows * x.length);
  tape.jacobian(x, 0, rows, jacobian);
  const values = (at: Float64Array) => {
    const out = new Float64Array(rows);
    tape.value(at, out);
    return out;
  };
  let worst = 0;
  for (let i = 0; i < x.length; i++) {
    const h = STEP * Math.max(1, Math.abs(x[i]));
    const [above, below] = [values(x.with(i, x[i] + h)), values(x.with(i, x[i] - h))];
    for (let row = 0; row < rows; row++) {
      const slope = (above[row] - below[row]) / (2 * h);
      const error = Math.abs(jacobian[row * x.length + i] - slope) / Math.max(1, Math.abs(slope));
      worst = Number.isNaN(error) ? Infinity : Math.max(worst, error);
    }
  }
  return worst;
}

function same(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  return a.length === b.length && Array.from(a).every((value, k) => Object.is(value, b[k]));
}
