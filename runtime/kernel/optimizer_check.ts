/** What every optimizer must hold, tried on small problems whose answers are known. */
import type { PluginHandle, ProblemMessage } from "../cells/host.ts";
import { withDefaults } from "../graph/config_schema.ts";
import { Graph } from "../graph/expr.ts";
import { lift } from "../graph/nonsmooth.ts";
import { compileTape } from "../graph/tape.ts";
import { type Check, guarded } from "./plugin_check.ts";

interface Trial {
  readonly name: string;
  /** min Σ (x_i − target)² over two variables in [−5, 5]². */
  readonly target: number;
  /** x_0 + x_1 is kept at or below it; default: free. */
  readonly most?: number;
  readonly best: number;
}

const TRIALS: readonly Trial[] = [
  { name: "a minimum inside the box", target: 1, best: 0 },
  { name: "a minimum on its bounds", target: 7, best: 8 },
  { name: "a hard limit", target: 2, most: 2, best: 2 },
];
/** A stochastic search comes near, no more. */
const NEAR = 1e-2;
const DEADLINE_MS = 5_000;

export async function checkOptimizer(plugin: PluginHandle): Promise<Check[]> {
  const { config: schema } = plugin.description;
  const config = schema === undefined ? {} : withDefaults(schema, {});
  const checks: Check[] = [];
  for (const trial of TRIALS) {
    checks.push(
      ...await guarded(trial.name, async () => {
        await plugin.load(trial.name, { ...problemOf(trial), config });
        const [first, again] = [
          await plugin.optimize(trial.name, run()),
          await plugin.optimize(trial.name, run()),
        ];
        const [a, b] = first.x;
        const cost = (a - trial.target) ** 2 + (b - trial.target) ** 2;
        const inside = first.x.every((value) => value >= -5 && value <= 5);
        const over = trial.most === undefined ? 0 : Math.max(0, a + b - trial.most);
        const near = Math.abs(cost - trial.best) <= NEAR && over <= 1e-6;
        const detail = `${first.status} at [${[...first.x].map((value) => value.toFixed(4))}] in ${
          first.ms.toFixed(0)
        } ms`;
        plugin.unload(trial.name);
        return [
          { what: trial.name, ok: inside && near && ["solved", "acceptable"].includes(first.status), detail },
          {
            what: `${trial.name}, again with the same seed`,
            ok: first.x.every((value, k) => value === again.x[k]),
            detail: "",
          },
        ];
      }),
    );
  }
  checks.push(...await guarded("comes back when it is cancelled", () => cancelled(plugin, config)));
  return checks;
}

async function cancelled(plugin: PluginHandle, config: ProblemMessage["config"]): Promise<Check[]> {
  await plugin.load("cancelled", { ...problemOf(TRIALS[0]), config });
  const stop = new AbortController();
  const running = plugin.optimize("cancelled", run(), stop.signal).catch(() => {});
  stop.abort(new Error("cancelled"));
  await running;
  // an answer to the next run shows that the process lives
  const { x } = await plugin.optimize("cancelled", run());
  plugin.unload("cancelled");
  return [{ what: "comes back when it is cancelled", ok: x.length === 2, detail: "" }];
}

function problemOf({ target, most }: Trial): ProblemMessage {
  const graph = new Graph();
  const square = (i: number) => {
    const d = graph.binary("sub", graph.variable(i), graph.constant(target));
    return graph.binary("mul", d, d);
  };
  const cost = graph.binary("add", square(0), square(1));
  const sum = graph.binary("add", graph.variable(0), graph.variable(1));
  const limits = most === undefined ? [] : [{ node: sum, lower: -Infinity, upper: most }];
  const outputs = [cost, ...limits.map(({ node }) => node)];
  const exact = compileTape(graph, { variables: 2, parameters: 0, outputs }).buffer;
  const lifted = lift({ graph, variables: 2, parameters: 0, cost, limits, scale: [1, 1] });
  return { exact, lifted, limits: limits.map(({ lower, upper }) => ({ lower, upper })), opaques: [] };
}

function run() {
  return {
    parameters: new Float64Array(0),
    x0: Float64Array.of(-3, -2),
    lo: Float64Array.of(-5, -5),
    hi: Float64Array.of(5, 5),
    scale: Float64Array.of(1, 1),
    deadlineMs: DEADLINE_MS,
  };
}
