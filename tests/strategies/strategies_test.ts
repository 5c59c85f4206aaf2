import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import composition from "../../plugins/composition/composition.ts";
import constraint from "../../plugins/constraint/constraint.ts";
import mathFunction from "../../plugins/function/function.ts";
import model from "../../plugins/model/model.ts";
import { parsePlant } from "../../runtime/historian/plant.ts";
import { linkStrategy } from "../../runtime/strategy/link.ts";
import type { LinkedStrategy } from "../../runtime/strategy/linked.ts";
import { readStrategy } from "../../runtime/strategy/load.ts";
import { inProcessDriver } from "../strategy/in_process_driver.ts";
import { Plant } from "../strategy/plant.ts";
import { smallPlugins } from "../strategy/small_plugins.ts";

const FOLDER = new URL("../../strategies/", import.meta.url);
const PLUGINS = {
  MathFunction: mathFunction,
  InferenceModel: model,
  Constraint: constraint,
  CompositionSkill: composition,
  OptimizationSkill: smallPlugins.Search,
};

type State = Readonly<Record<string, number>>;

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, FOLDER));
}

function link(name: string): Promise<LinkedStrategy> {
  const strategy = readStrategy(read(`${name}/strategy.yaml`), { file: `${name}/strategy.yaml` });
  return linkStrategy(strategy, inProcessDriver(PLUGINS), (path) =>
    Promise.resolve({
      name: path,
      sha256: "0".repeat(64),
      bytes: Deno.readFileSync(new URL(`${name}/${path}`, FOLDER)),
    }));
}

function states(name: string): State[] {
  const folder = new URL(`${name}/inputs/`, FOLDER);
  return [...Deno.readDirSync(folder)].flatMap((entry) =>
    JSON.parse(Deno.readTextFileSync(new URL(entry.name, folder)))
  );
}

for (const name of ["kiln", "boiler", "tree", "debutanizer", "sulfur"]) {
  Deno.test(`the ${name} strategy links, and its inputs and its simulated plant have every measured variable`, async () => {
    const linked = await link(name);
    const expected = [...linked.measured].sort();
    for (const state of states(name)) assertEquals(Object.keys(state).sort(), expected);
    const plant = parsePlant(read(`${name}/simulator.json`), "simulator.json");
    assertEquals(plant.columns.map((column) => column.name).sort(), expected);
    const notes = linked.notes.map(({ code }) => code);
    assertEquals(notes, { kiln: ["KPI_UNREAD"] }[name] ?? []);
  });
}

/** The boilers by hand, in kg/h, bar, °C, mg/m³ and € an hour. */
function boiler(s: State, total: number, share: number, air: number, pressure: number) {
  const [load1, load2] = [total * share / 1100, total * (1 - share) / 1100];
  const losses = 0.22 * (air - 1) + 0.6 * Math.exp(-45 * (air - 1));
  const [efficiency1, efficiency2] = [
    0.95 - 0.11 * (load1 - 0.74) ** 2 - losses,
    0.94 - 0.17 * (load2 - 0.62) ** 2 - losses,
  ];
  const heat = 640 * (1 - 0.17 * (s.feedwater_temperature - 105) / 105 + 0.03 * (pressure / 40 - 1));
  const steam = total * (share * efficiency1 + (1 - share) * efficiency2) * 13.1 / heat;
  const before = s.gas_1 + s.gas_2;
  const fan = 160 * (total * air / 1100 / 2.3) ** 3;
  const good = [load1, load2].every((load) => load >= 0.35 && load <= 0.95);
  return {
    steam_reserve: steam - s.steam_demand,
    oxygen: 20.9 * (air - 1) / air,
    co: 30 * (1 + 200 * Math.exp(-45 * (air - 1))),
    predicted_nox: s.nox * (air / s.air_ratio) ** 1.5 * (total / before) ** 0.8,
    cost: total * s.gas_price + s.power_price * (fan - 12.5 * (pressure - s.drum_pressure)) + (good ? 0 : 40),
  };
}

Deno.test("the boiler strategy computes what a page of arithmetic does", async () => {
  const linked = await link("boiler");
  for (const state of states("boiler")) {
    for (
      const [gas, share, air, pressure] of [[0, 0, 0, 0], [-40, 0.01, -0.015, 0.2], [25, -0.02, 0.02, -0.4]]
    ) {
      const total = state.gas_1 + state.gas_2;
      const x = {
        gas_total: total + gas,
        gas_share: state.gas_1 / total + share,
        air_ratio: state.air_ratio + air,
        drum_pressure: state.drum_pressure + pressure,
      };
      const plant = new Plant(linked, state);
      const expected = boiler(state, x.gas_total, x.gas_share, x.air_ratio, x.drum_pressure);
      for (const [name, value] of Object.entries(expected)) {
        assertAlmostEquals(plant.value(name, x), value, 1e-12 * Math.max(1, Math.abs(value)), name);
      }
    }
  }
});

Deno.test("the boiler strategy can meet the demands of its inputs, and one that is too high not", async () => {
  const linked = await link("boiler");
  for (
    const [file, possible] of [["nominal", true], ["demand_high", true], ["demand_too_high", false]] as const
  ) {
    const state: State = JSON.parse(read(`boiler/inputs/${file}.json`));
    const plant = new Plant(linked, state);
    const gas_total = state.gas_1 + state.gas_2 + 60;
    assertEquals(plant.value("steam_reserve", { gas_total, air_ratio: 1.14 }) > 0, possible, file);
  }
});

for (const name of ["kiln", "boiler"]) {
  Deno.test(`the golden answers of the ${name} strategy cost what they say, inside their bounds and limits`, async () => {
    const linked = await link(name);
    for (const entry of Deno.readDirSync(new URL(`${name}/golden/`, FOLDER))) {
      const golden = JSON.parse(read(`${name}/golden/${entry.name}`));
      const plant = new Plant(linked, JSON.parse(read(`${name}/inputs/${entry.name}`)));
      assertAlmostEquals(
        plant.outputs(golden.x)[0],
        golden.minimized,
        1e-9 * Math.abs(golden.minimized),
        entry.name,
      );
      linked.search.forEach(({ name: variable, up, down }, k) => {
        const x = golden.x[variable] ?? plant.x0[k];
        assert(x >= plant.x0[k] - down * (1 + 1e-9) && x <= plant.x0[k] + up * (1 + 1e-9), variable);
      });
      for (const { mode, output, lower, upper } of linked.limits) {
        const value = plant.outputs(golden.x)[output];
        assert(mode !== "hard" || (value >= lower - 1e-9 && value <= upper + 1e-9), entry.name);
      }
    }
  });
}
