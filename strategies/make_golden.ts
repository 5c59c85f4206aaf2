/**
 * Finds the best known answer to every input of the strategies here, by other means than the runtime's, and writes it to
 * `<strategy>/golden/<input>.json` as `{"cost", "minimized", "x"}`: what is reported, and the same with what soft limits
 * add. The kiln's come from its reference file; the boilers' from a search over plain arithmetic; the dryer's from trying
 * every cell of its forest.
 *
 * deno run --allow-read --allow-write=strategies strategies/make_golden.ts REFERENCE.json
 */
import { predict, train, type Tree } from "./tree/make_model.ts";

type State = Readonly<Record<string, number>>;

interface Answer {
  readonly cost: number;
  /** With what soft limits add. */
  readonly minimized: number;
  /** Decision variables. */
  readonly x: State;
}

const here = new URL(".", import.meta.url);

if (import.meta.main) {
  const reference = JSON.parse(Deno.readTextFileSync(Deno.args[0]));
  writeAll("kiln", (_, name) => kiln(reference, name));
  writeAll("boiler", boiler);
  const forest = train();
  writeAll("tree", (state) => dryer(forest, state));
}

/** Inputs that are one state; undefined where nothing is known or possible. */
function writeAll(strategy: string, solve: (state: State, name: string) => Answer | undefined): void {
  const folder = new URL(`${strategy}/`, here);
  Deno.mkdirSync(new URL("golden/", folder), { recursive: true });
  for (const { name } of Deno.readDirSync(new URL("inputs/", folder))) {
    const state = JSON.parse(Deno.readTextFileSync(new URL(`inputs/${name}`, folder)));
    const answer = Array.isArray(state) ? undefined : solve(state, name.replace(".json", ""));
    if (answer === undefined) continue;
    Deno.writeTextFileSync(new URL(`golden/${name}`, folder), `${JSON.stringify(answer, null, 1)}\n`);
  }
}

function kiln(reference: { decision_variables: string[]; scenarios: Record<string, { flowing: { best: { x: number[]; cost_function_total: number } } }> }, name: string): Answer | undefined {
  const best = reference.scenarios[name]?.flowing.best;
  if (best === undefined) return undefined;
  return { cost: best.cost_function_total, minimized: best.cost_function_total, x: Object.fromEntries(reference.decision_variables.map((variable, i) => [variable, best.x[i]])) };
}

/** Undefined where the demand cannot be met. */
function boiler(s: State): Answer | undefined {
  const before = s.gas_1 + s.gas_2;
  const around = (value: number, down: number, up: number, low: number, high: number) =>
    [Math.min(Math.max(low, value - down), value + up), Math.max(Math.min(high, value + up), value - down)] as const;
  const gas1Box = around(s.gas_1, 60, 50, 300, 1200);
  const gas2Box = around(s.gas_2, 40, 40, 300, 1200);
  const evaluate = (gas: number, share: number, air: number, pressure: number) => {
    const [load1, load2] = [gas * share / 1100, gas * (1 - share) / 1100];
    const losses = 0.22 * (air - 1) + 0.6 * Math.exp(-45 * (air - 1));
    const heat = 640 * (1 - 0.17 * (s.feedwater_temperature - 105) / 105 + 0.03 * (pressure / 40 - 1));
    const efficiency1 = 0.95 - 0.11 * (load1 - 0.74) ** 2 - losses;
    const efficiency2 = 0.94 - 0.17 * (load2 - 0.62) ** 2 - losses;
    const steam = gas * (share * efficiency1 + (1 - share) * efficiency2) * 13.1 / heat;
    const co = 30 * (1 + 200 * Math.exp(-45 * (air - 1)));
    const nox = s.nox * (air / s.air_ratio) ** 1.5 * (gas / before) ** 0.8;
    const oxygen = 20.9 * (air - 1) / air;
    const fan = 160 * (gas * air / 1100 / 2.3) ** 3;
    const bad = [load1, load2].some((load) => load < 0.35 || load > 0.95);
    const soft = 200 * Math.max(0, nox - 130) / 130 + 100 * Math.max(0, 1.5 - oxygen, oxygen - 4) / 2.5;
    const cost = gas * s.gas_price + s.power_price * (fan - 12.5 * (pressure - s.drum_pressure)) + (bad ? 40 : 0);
    return { cost, minimized: cost + soft, steam, co };
  };
  /** The least gas that makes the steam: any more of it costs more. */
  const leastGas = ([share, air, pressure]: readonly number[]): number | undefined => {
    const low = Math.max(before - 60, gas1Box[0] / share, gas2Box[0] / (1 - share));
    const high = Math.min(before + 60, gas1Box[1] / share, gas2Box[1] / (1 - share));
    if (low > high || evaluate(high, share, air, pressure).steam < s.steam_demand) return undefined;
    if (evaluate(low, share, air, pressure).steam >= s.steam_demand) return low;
    let [short, enough] = [low, high];
    for (let i = 0; i < 60; i++) {
      const middle = (short + enough) / 2;
      if (evaluate(middle, share, air, pressure).steam < s.steam_demand) short = middle;
      else enough = middle;
    }
    return enough;
  };
  const share = s.gas_1 / before;
  const box = [
    [share - 0.02, share + 0.02],
    around(s.air_ratio, 0.02, 0.04, 1.03, 1.4),
    around(s.drum_pressure, 0.5, 0.25, 34, 42),
  ] as const;
  const point = search(box, (p) => {
    const gas = leastGas(p);
    const found = gas === undefined ? undefined : evaluate(gas, p[0], p[1], p[2]);
    return found === undefined || found.co > 60 ? Infinity : found.minimized;
  });
  const gas = point && leastGas(point);
  if (point === undefined || gas === undefined) return undefined;
  const { cost, minimized } = evaluate(gas, point[0], point[1], point[2]);
  return { cost, minimized, x: { gas_total: gas, gas_share: point[0], air_ratio: point[1], drum_pressure: point[2] } };
}

/** Random points, then ever smaller random steps from the best of them; undefined where all are infinite. */
function search(box: readonly (readonly [number, number])[], evaluate: (p: readonly number[]) => number): readonly number[] | undefined {
  let bits = 12345;
  const random = () => (bits = Math.imul(bits, 1664525) + 1013904223 >>> 0) / 2 ** 32;
  const draw = () => box.map(([low, high]) => low + (high - low) * random());
  let best: readonly number[] = [];
  let lowest = Infinity;
  for (let i = 0; i < 20_000; i++) {
    const point = draw();
    const value = evaluate(point);
    if (value < lowest) {
      best = point;
      lowest = value;
    }
  }
  if (lowest === Infinity) return undefined;
  let width = 0.3;
  for (let failures = 0; width > 1e-11;) {
    const point: readonly number[] = best.map((value, i) => {
      const [low, high] = box[i];
      const step = random() < 0.4 ? 0 : (2 * random() - 1) * width * (high - low);
      return Math.min(high, Math.max(low, value + step));
    });
    const value = evaluate(point);
    if (value < lowest) {
      best = point;
      lowest = value;
      failures = 0;
    } else if (++failures > 300) {
      width /= 2;
      failures = 0;
    }
  }
  return best;
}

/** Heat is cheapest at the lower end of a cell of the forest, the belt at its upper end: a corner of every cell is tried. */
function dryer(forest: ReturnType<typeof train>, s: State): Answer {
  const cuts = [0, 1, 2].map((feature) => forest.trees.flatMap((tree) => thresholds(tree, feature)));
  const ends = (now: number, down: number, up: number, low: number, high: number) => [Math.max(low, now - down), Math.min(high, now + up)];
  const boxes = [
    ends(s.air_temperature, 15, 10, 80, 160),
    ends(s.belt_speed, 0.3, 0.3, 0.5, 3),
    ends(s.fan_speed, 10, 10, 30, 100),
  ];
  const candidates = boxes.map(([low, high], feature) => {
    // A cell is left at its upper end as x ≤ threshold, and entered from below just above the threshold.
    const inside = [...new Set(cuts[feature])].filter((cut) => cut > low && cut < high);
    const shifted = inside.map((cut) => feature === 1 ? cut : above(cut));
    return [low, ...shifted, high, feature === 1 ? s.belt_speed : feature === 0 ? s.air_temperature : s.fan_speed];
  });
  let best: Answer = { cost: Infinity, minimized: Infinity, x: {} };
  for (const air_temperature of candidates[0]) {
    for (const belt_speed of candidates[1]) {
      for (const fan_speed of candidates[2]) {
        const moisture = predict(forest, [air_temperature, belt_speed, fan_speed, s.inlet_moisture].map(Math.fround));
        const score = moisture < 0.04 ? moisture / 0.04 : moisture > 0.12 ? (0.3 - moisture) / 0.18 : 1;
        const heat = (air_temperature - s.air_temperature) / 5 + 0.4 * (fan_speed - s.fan_speed) / 5;
        const cost = heat - 1.5 * (belt_speed - s.belt_speed) / 0.1 - 50 * score;
        if (cost < best.cost) best = { cost, minimized: cost, x: { air_temperature, belt_speed, fan_speed } };
      }
    }
  }
  return best;
}

function thresholds(tree: Tree, feature: number): number[] {
  if ("value" in tree) return [];
  const own = tree.feature === feature ? [tree.threshold] : [];
  return [...own, ...thresholds(tree.below, feature), ...thresholds(tree.above, feature)];
}

/** The next 32-bit float, which is what the model sees. */
function above(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  view.setInt32(0, view.getInt32(0) + 1);
  return view.getFloat32(0);
}
