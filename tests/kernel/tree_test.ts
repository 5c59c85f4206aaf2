import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { ROOT } from "../../runtime/config.ts";
import { readOnnx } from "../../runtime/graph/onnx_reader.ts";
import { seeded } from "../graph/random_graph.ts";
import { openKernel, type State } from "./open_kernel.ts";

/** The forest of strategies/tree as lists, evaluated by following its branches. */
class Forest {
  readonly cuts: readonly (readonly number[])[];
  readonly #nodes = new Map<string, { feature: number; value: number; yes: number; no: number }>();
  readonly #leaves = new Map<string, number>();
  readonly #trees: readonly number[];
  readonly #base: number;

  constructor(file: Uint8Array) {
    const { attributes } = readOnnx(file).nodes[0];
    const integers = (name: string) => attributes.get(name)!.integers;
    const floats = (name: string) => attributes.get(name)!.floats;
    const trees = integers("target_treeids");
    integers("target_nodeids").forEach((id, k) =>
      this.#leaves.set(`${trees[k]} ${id}`, floats("target_weights")[k])
    );
    integers("nodes_treeids").forEach((tree, k) => {
      const key = `${tree} ${integers("nodes_nodeids")[k]}`;
      if (this.#leaves.has(key)) return;
      this.#nodes.set(key, {
        feature: integers("nodes_featureids")[k],
        value: floats("nodes_values")[k],
        yes: integers("nodes_truenodeids")[k],
        no: integers("nodes_falsenodeids")[k],
      });
    });
    this.#trees = [...new Set(trees)];
    this.#base = floats("base_values")[0];
    const nodes = [...this.#nodes.values()];
    this.cuts = [0, 1, 2].map((feature) => [
      ...new Set(nodes.filter((node) => node.feature === feature).map(({ value }) => value)),
    ]);
  }

  evaluate(point: readonly number[]): number {
    const seen = point.map(Math.fround);
    return this.#trees.reduce((sum, tree) => {
      let at = 0;
      for (let node = this.#nodes.get(`${tree} 0`); node; node = this.#nodes.get(`${tree} ${at}`)) {
        at = seen[node.feature] <= node.value ? node.yes : node.no;
      }
      return sum + this.#leaves.get(`${tree} ${at}`)!;
    }, this.#base);
  }
}

function costOf(forest: Forest, s: State, [air, belt, fan]: readonly number[]): number {
  const moisture = forest.evaluate([air, belt, fan, s.inlet_moisture]);
  const score = moisture < 0.04 ? moisture / 0.04 : moisture > 0.12 ? (0.3 - moisture) / 0.18 : 1;
  const heat = (air - s.air_temperature) / 5 + 0.4 * (fan - s.fan_speed) / 5;
  return heat - 1.5 * (belt - s.belt_speed) / 0.1 - 50 * score;
}

/** The cheapest corner of every cell of the forest: heat pulls down, the belt pulls up, moisture is constant inside. */
function bruteForce(forest: Forest, s: State): number {
  const ends = [
    [Math.max(80, s.air_temperature - 15), Math.min(160, s.air_temperature + 10)],
    [Math.max(0.5, s.belt_speed - 0.3), Math.min(3, s.belt_speed + 0.3)],
    [Math.max(30, s.fan_speed - 10), Math.min(100, s.fan_speed + 10)],
  ];
  const tried = ends.map(([low, high], i) => {
    const inside = forest.cuts[i].filter((cut) => cut > low && cut < high);
    return i === 1 ? [high, ...inside] : [low, ...inside.map(above)];
  });
  let best = Infinity;
  for (const air of tried[0]) {
    for (const belt of tried[1]) {
      for (const fan of tried[2]) best = Math.min(best, costOf(forest, s, [air, belt, fan]));
    }
  }
  return best;
}

/** The next 32-bit float, which is what the model sees. */
function above(value: number): number {
  const bits = new Int32Array(Float32Array.of(value).buffer);
  bits[0]++;
  return new Float32Array(bits.buffer)[0];
}

Deno.test("optimize() of the dryer is as good as trying every cell of its forest", async () => {
  const forest = new Forest(Deno.readFileSync(`${ROOT}/strategies/tree/models/moisture.onnx`));
  await using opened = await openKernel({ strategy: "strategies/tree/strategy.yaml" });
  const random = seeded(31);
  const between = (low: number, high: number) => low + (high - low) * random();
  const states: State[] = [
    ...JSON.parse(Deno.readTextFileSync(`${ROOT}/strategies/tree/inputs/states.json`)).slice(0, 3),
    ...Array.from({ length: 3 }, () => ({
      air_temperature: between(75, 165),
      belt_speed: between(0.6, 2.9),
      fan_speed: between(32, 98),
      inlet_moisture: between(0.3, 0.9),
    })),
  ];
  let worst = 0;
  for (const state of states) {
    const answer = await opened.answer(state);
    assertEquals(answer.outcome, "solved", JSON.stringify(answer.reason));
    const { air_temperature, belt_speed, fan_speed } = answer.optimized_variables;
    const x = [air_temperature, belt_speed, fan_speed].map((each) => each.optimizer_suggested_value!);
    assertAlmostEquals(answer.cost_function_value!, costOf(forest, state, x), 1e-3);
    const best = bruteForce(forest, state);
    worst = Math.max(worst, (answer.cost_function_value! - best) / Math.abs(best));
  }
  assert(worst <= 1e-6, `${100 * worst} % above the best`);
});
