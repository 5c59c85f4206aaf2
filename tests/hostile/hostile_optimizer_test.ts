/** An optimizer that asks another plugin for what cannot be answered: the other one takes no blame. */
import { SetpointError } from "../../runtime/errors.ts";
import { skillOf, SQUARES } from "../cells/plugins.ts";
import { foreignProblem, runOf, startHost } from "../cells/start.ts";
import { assert, assertEquals, assertRejects } from "../std/assert.ts";

const ASKS = [
  {
    name: "fewer numbers than points",
    ask: "evaluate(0, new Float64Array(3), 5)",
    says: /5 points of 2 inputs with 3 numbers/,
  },
  {
    name: "more numbers than points",
    ask: "evaluate(0, new Float64Array(8), 1)",
    says: /1 points of 2 inputs with 8/,
  },
  { name: "no points at all, of some numbers", ask: "evaluate(0, new Float64Array(2), 0)", says: /0 points/ },
  { name: "a negative number of points", ask: "evaluate(0, new Float64Array(2), -1)", says: /./ },
  { name: "half a point", ask: "evaluate(0, new Float64Array(1), 0.5)", says: /./ },
  { name: "NaN points", ask: "evaluate(0, new Float64Array(2), NaN)", says: /./ },
  { name: "a plugin that is not there", ask: "evaluate(7, new Float64Array(2), 1)", says: /./ },
  {
    name: "a giant thing in the place of a number",
    ask: "evaluate({ list: Array(100_000).fill('x') } as unknown as number, new Float64Array(2), 1)",
    says: /a batch that cannot be read/,
  },
  {
    name: "derivatives that it does not have",
    ask: "evaluate(0, new Float64Array(2), 1, true)",
    says: /Jacobian/,
  },
  {
    name: "an answer of 80 MB",
    ask: "evaluate(0, new Float64Array(1 << 21), 1 << 20)",
    says: /bytes|points|batch/,
  },
] as const;

for (const { name, ask, says } of ASKS) {
  Deno.test(`an optimizer that asks for ${name} fails by itself`, async () => {
    await using started = startHost({ optimizerWorkers: 1 });
    const { host } = started;
    const [optimizer, squares] = await Promise.all([
      host.open({ id: "hostile", text: hostile(ask) }),
      host.open({ id: "squares", text: SQUARES }),
    ]);
    const skill = skillOf("s");
    await squares.lower(skill);
    await optimizer.load("p", foreignProblem({ engine: "self", handle: squares, skill, opaque: 0 }));
    const error = await assertRejects(() => optimizer.optimize("p", runOf(0, 20_000)), SetpointError);
    assert(says.test(error.message), error.message);
    const status = host.status().find(({ id }) => id === "squares")!;
    assertEquals([status.failures, status.restarts, status.last_failure], [0, 0, null]);
    assertEquals(await squares.evaluate(skill, 0, Float64Array.of(3, 4), 1), Float64Array.of(25));
  });
}

function hostile(ask: string): string {
  return `
import { definePlugin } from "setpoint";
export default definePlugin({
  name: "test/hostile",
  version: "1.0.0",
  kind: "optimizer",
  optimize(problem) {
    problem.exact.${ask};
    return { status: "solved", x: problem.x0, iterations: 0, evaluations: 0 };
  },
});`;
}
