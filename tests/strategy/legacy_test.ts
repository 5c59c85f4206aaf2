import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { SetpointError } from "../../runtime/errors.ts";
import { readStrategy } from "../../runtime/strategy/load.ts";
import { linkStrategy } from "../../runtime/strategy/link.ts";
import { inProcessDriver, noFiles } from "./in_process_driver.ts";
import { BUILTINS, linkKiln } from "./kiln.ts";
import { Plant } from "./plant.ts";

/** A store of the predecessor, whose manifest maps `.pth` and `.pkl` to forms that can be read. */
const STORE = new URL("../fixtures/legacy/store/", import.meta.url);
const TEXT = Deno.readTextFileSync(new URL("configs/config-0.9.0.yaml", STORE));
const MANIFEST = JSON.parse(Deno.readTextFileSync(new URL("manifest.json", STORE)));
const EXPECTED = JSON.parse(Deno.readTextFileSync(new URL("../expected.json", STORE)));

interface Case {
  readonly state: Record<string, number>;
  readonly x: Record<string, number>;
  readonly values: Record<string, number>;
}

function stored(path: string): Uint8Array {
  const logical = `models/${path.replace(/^(\.\.\/)+/, "")}`;
  return Deno.readFileSync(new URL(MANIFEST.files[logical].file ?? logical, STORE));
}

Deno.test("linkStrategy() takes a file of the predecessor as it is, with its values to 1e-9", async () => {
  const linked = await linkKiln(TEXT, stored);
  assert(linked.legacy);
  for (const { state, x, values } of EXPECTED.cases as Case[]) {
    const plant = new Plant(linked, state);
    for (const [name, expected] of Object.entries(values)) {
      assertAlmostEquals(plant.value(name, x), expected, 1e-9 * Math.max(1, Math.abs(expected)), name);
    }
  }
});

Deno.test("linkStrategy() tells a legacy file's oddities and refuses none of them", async () => {
  const { notes, name, version } = await linkKiln(TEXT, stored);
  const told = notes.map(({ level, code, variable }) => `${level} ${code} ${variable ?? ""}`.trim());
  for (
    const expected of [
      "warning UNDECLARED_VARIABLE Furnace_Gas_Flow",
      "warning KPI_UNREAD penalty_air_intervention",
      "note WRITTEN_TWICE delta_Crown_temperature",
      "note CONFIG_IGNORED",
      "note SKILL_NOTE penalty_air_intervention",
    ]
  ) assert(told.includes(expected), `${expected}\n${told.join("\n")}`);
  assertEquals(notes.filter(({ code }) => code === "CONFIG_IGNORED").length, 2);
  assertEquals([name, version], ["strategy", "0.0.0"]);
  const named = readStrategy(TEXT, { name: "config", version: "0.9.0" });
  assertEquals([named.name, named.version], ["config", "0.9.0"]);
});

Deno.test("linkStrategy() names each missing file of a legacy strategy at its place, all at once", async () => {
  const strategy = readStrategy(TEXT, { file: "config.yaml" });
  const error = await assertRejects(
    () => linkStrategy(strategy, inProcessDriver(BUILTINS), noFiles),
    SetpointError,
  );
  const lines = TEXT.split("\n");
  const expected = lines.flatMap((line, k) =>
    /_path: "/.test(line) ? [`${k + 1}:${line.indexOf('"') + 1}`] : []
  );
  assertEquals(
    error.problems.map(({ code, at }) => `${code} ${at!.line}:${at!.column}`),
    expected.map((at) => `FILE_MISSING ${at}`),
  );
});
