import { assertAlmostEquals, assertEquals } from "@std/assert";
import composition from "../../plugins/composition/composition.ts";
import constraint from "../../plugins/constraint/constraint.ts";
import mathFunction from "../../plugins/function/function.ts";
import model from "../../plugins/model/model.ts";
import { parseManifest } from "../../runtime/artifacts/manifest.ts";
import { linkStrategy } from "../../runtime/strategy/link.ts";
import { readStrategy } from "../../runtime/strategy/load.ts";
import { inProcessDriver } from "../strategy/in_process_driver.ts";
import { Plant } from "../strategy/plant.ts";
import { smallPlugins } from "../strategy/small_plugins.ts";

const STORE = new URL("../fixtures/legacy/store/", import.meta.url);
const { cases } = JSON.parse(
  Deno.readTextFileSync(new URL("../fixtures/legacy/expected.json", import.meta.url)),
);

Deno.test("a strategy of the predecessor, quirks and all, gives the values of plain loops", async () => {
  const manifest = parseManifest(Deno.readFileSync(new URL("manifest.json", STORE)));
  const text = Deno.readTextFileSync(new URL("configs/config-0.9.0.yaml", STORE));
  const plugins = {
    MathFunction: mathFunction,
    InferenceModel: model,
    Constraint: constraint,
    CompositionSkill: composition,
    OptimizationSkill: smallPlugins.Search,
  };
  const linked = await linkStrategy(
    readStrategy(text, { file: "config.yaml" }),
    inProcessDriver(plugins),
    (path) => {
      const logical = `models/${path.replace(/^(\.\.\/)+/, "")}`;
      const { file = logical, sha256 } = manifest.get(logical)!;
      return Promise.resolve({ name: logical, sha256, bytes: Deno.readFileSync(new URL(file, STORE)) });
    },
  );
  for (const { state, x, values } of cases) {
    const plant = new Plant(linked, state);
    for (const [name, expected] of Object.entries(values as Record<string, number>)) {
      assertAlmostEquals(plant.value(name, x), expected, 1e-12 * Math.max(1, Math.abs(expected)), name);
    }
  }
  const codes = new Set(linked.notes.map((note) => note.code));
  for (const code of ["WRITTEN_TWICE", "UNDECLARED_VARIABLE", "KPI_UNREAD", "CONFIG_IGNORED"] as const) {
    assertEquals(codes.has(code), true, code);
  }
});
