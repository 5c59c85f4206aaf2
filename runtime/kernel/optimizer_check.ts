/** What every optimizer must hold, tried on small problems whose answers are known, beside its own. */
import type { PluginHandle } from "../cells/host.ts";
import { searchTrial, wrongAnswer } from "../cells/search_trial.ts";
import { withDefaults } from "../graph/config_schema.ts";
import type { PluginTest } from "../graph/manifest.ts";
import type { MeasuredPlugin } from "./measured_plugin.ts";
import { type Check, guarded } from "./plugin_check.ts";

/** A stochastic search comes near, no more. */
const NEAR = 1e-2;
const BOX = { x: [-5, 5], y: [-5, 5] } as const;
const START = { x: -3, y: -2 };
const TRIALS: readonly (PluginTest & { readonly name: string })[] = [
  { name: "a minimum inside the box", minimize: "(x - 1)**2 + (y - 1)**2", cost: 0 },
  { name: "a minimum on its bounds", minimize: "(x - 7)**2 + (y - 7)**2", cost: 8 },
  {
    name: "a hard limit",
    minimize: "(x - 2)**2 + (y - 2)**2",
    limits: [{ formula: "x + y", upper: 2 }],
    cost: 2,
  },
  { name: "a corner", minimize: "abs(x - 1) + 2 * abs(y + 1)", cost: 0 },
].map((trial) => ({ inputs: START, bounds: BOX, tolerance: NEAR, ...trial }));

export async function checkOptimizer(measured: MeasuredPlugin): Promise<Check[]> {
  const { handle: plugin } = measured;
  const { config: schema, tests = [] } = plugin.description;
  const configOf = ({ config = {} }: PluginTest) =>
    schema === undefined ? config : withDefaults(schema, config);
  // those without a config of their own run with that of the first test, which may be needed
  const given = tests.length > 0 ? { config: tests[0].config } : {};
  const trials = [...tests.map((test) => ({ name: "test", ...test })), ...TRIALS];
  const checks: Check[] = [];
  for (const trial of trials) {
    checks.push(
      ...await guarded(trial.name, async () => {
        const search = searchTrial(trial, configOf({ ...given, ...trial }));
        await measured.described(() => plugin.load(trial.name, search.problem));
        const [first, again] = [
          await plugin.optimize(trial.name, search.run),
          await plugin.optimize(trial.name, search.run),
        ];
        plugin.unload(trial.name);
        const wrong = wrongAnswer(trial, search, first);
        const at = [...first.x].map((value) => value.toFixed(4)).join(", ");
        const detail = wrong ?? `${first.status} at [${at}] in ${first.ms.toFixed(0)} ms`;
        return [
          { what: trial.name, ok: wrong === undefined, detail },
          {
            what: `${trial.name}, again with the same seed`,
            ok: first.x.every((value, k) => value === again.x[k]),
            detail: "",
          },
        ];
      }),
    );
  }
  checks.push(
    ...await guarded("comes back when it is cancelled", () => cancelled(plugin, configOf(given))),
  );
  return checks;
}

async function cancelled(plugin: PluginHandle, config: Parameters<typeof searchTrial>[1]): Promise<Check[]> {
  const { problem, run } = searchTrial(TRIALS[0], config);
  await plugin.load("cancelled", problem);
  const stop = new AbortController();
  const running = plugin.optimize("cancelled", run, stop.signal).catch(() => {});
  stop.abort(new Error("cancelled"));
  await running;
  // an answer to the next run shows that the process lives
  const { x } = await plugin.optimize("cancelled", run);
  plugin.unload("cancelled");
  return [{ what: "comes back when it is cancelled", ok: x.length === 2, detail: "" }];
}
