import { SetpointError } from "../../runtime/errors.ts";
import type { Instant, Row } from "../../runtime/historian/historian.ts";
import {
  loadPlant,
  openSimulator,
  parsePlant,
  type SimulatedHistorian,
} from "../../runtime/historian/simulator.ts";
import { STALE_MS } from "../../runtime/historian/plant_signal.ts";
import { openDatabases } from "../../runtime/sqlite.ts";
import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";

const NOW = Date.UTC(2026, 10, 21, 8, 0, 0, 123);
const MINUTE = 60_000;
const COLUMNS = [
  { name: "Level", nominal: 50, noise: 0.2, low: 0, high: 100 },
  { name: "Flow", nominal: 12, noise: 0.05, low: 10, high: 20 },
  { name: "Temperature", nominal: -5, noise: 0.1, low: -40, high: 30 },
  { name: "Constant", nominal: 1, noise: 0, low: 1, high: 1 },
];
const NAMES = COLUMNS.map(({ name }) => name);
const NO_FAULTS = { gap: 0, nan: 0, stale: 0, frozen: 0 };

function plant(changes: object = {}) {
  return parsePlant(
    JSON.stringify({ format: "setpoint/simulator/v1", columns: COLUMNS, ...changes }),
    "simulator.json",
  );
}

/** Advances minute by minute as a kernel would, and collects each row that is new. */
async function rows(historian: SimulatedHistorian, count: number, fromMs = NOW): Promise<(Row | null)[]> {
  const found: (Row | null)[] = [];
  let last: Instant | null = null;
  for (let i = 0; i < count; i++) {
    historian.advance(fromMs + i * MINUTE);
    const row: Row | null = await historian.newestAfter(last, NAMES);
    found.push(row);
    last = row ?? last;
  }
  return found;
}

Deno.test("openSimulator() is a simulated historian whose first row is good, for any seed", async () => {
  for (let seed = 0; seed < 50; seed++) {
    await using historian = openSimulator(
      ":memory:",
      plant({ seed, faults: { gap: 1, nan: 1, stale: 1, frozen: 1 } }),
    );
    assertEquals(historian.simulated, true);
    await historian.check(NAMES);
    assertEquals(await historian.newestAfter(null, NAMES), null);
    historian.advance(NOW);
    const row = (await historian.newestAfter(null, NAMES))!;
    assertEquals([row.timestamp, row.text], [NOW, "2026-11-21T08:00:00.123000"]);
    for (const { name, low, high } of COLUMNS) {
      const value = row.values[name] as number;
      assert(Number.isFinite(value) && value >= low && value <= high, `${name} ${value}`);
    }
  }
  assertEquals(openDatabases(), 0);
});

Deno.test("advance() gives a new row for each later moment, of whatever distance, and none for an earlier one", async () => {
  await using historian = openSimulator(":memory:", plant({ faults: NO_FAULTS }));
  let last: Instant | null = null;
  for (const step of [0, 1, 999, MINUTE, 7 * MINUTE + 1, 40 * 24 * 60 * MINUTE]) {
    const ms: number = (last === null ? NOW : last.micros / 1000) + step;
    historian.advance(ms);
    const row: Row | null = await historian.newestAfter(last, NAMES);
    assertEquals(row?.timestamp, ms);
    last = row;
  }
  historian.advance(last!.micros / 1000 - 3_600_000);
  assertEquals(await historian.newestAfter(last, NAMES), null);
});

Deno.test("the same seed gives the same plant, however often it is asked and restarted; another seed another", async () => {
  const path = await Deno.makeTempFile();
  const all = async (seed: number) => {
    await using historian = openSimulator(":memory:", plant({ seed }));
    return await rows(historian, 200);
  };
  const first = await all(7);
  assertEquals(await all(7), first);
  assert(JSON.stringify(await all(8)) !== JSON.stringify(first));
  for (const part of [0, 1]) {
    await using historian = openSimulator(path, plant({ seed: 7 }));
    const again = await rows(historian, 100, NOW + part * 100 * MINUTE);
    assertEquals(again.at(-1), first[part * 100 + 99]);
  }
  await Deno.remove(path);
  for (const end of ["-wal", "-shm"]) await Deno.remove(path + end).catch(() => {});
});

Deno.test("values stay within limits, near nominal, with their noise, and move together slowly", async () => {
  await using historian = openSimulator(":memory:", plant({ faults: NO_FAULTS }));
  const found = (await rows(historian, 1500)) as Row[];
  for (const { name, nominal, noise, low, high } of COLUMNS) {
    const values = found.map((row) => row.values[name] as number);
    assert(values.every((value) => value >= low && value <= high));
    const reach = 0.3 * Math.min(nominal - low, high - nominal);
    assert(values.every((value) => Math.abs(value - nominal) <= reach + 6 * noise), name);
    // The second difference of a slow signal is noise: variance 6σ².
    const second = values.slice(2).map((value, i) => value - 2 * values[i + 1] + values[i]);
    const sigma = Math.sqrt(second.reduce((sum, v) => sum + v * v, 0) / second.length / 6);
    assertAlmostEquals(sigma, noise, 0.5 * noise + 1e-12, name);
  }
  const level = found.map((row) => row.values.Level as number);
  const flow = found.map((row) => row.values.Flow as number);
  assert(Math.abs(correlation(level, flow)) > 0.1);
});

Deno.test("gaps, NaN, stale and frozen values come at the declared rates", async () => {
  await using historian = openSimulator(
    ":memory:",
    plant({ faults: { gap: 0.2, nan: 0.1, stale: 0.05, frozen: 0.3 } }),
  );
  const count = 2000;
  const found = await rows(historian, count);
  const share = (test: (row: Row | null, i: number) => boolean) => found.filter(test).length / count;
  const any = (row: Row | null, test: (value: unknown) => boolean) =>
    row !== null && Object.values(row.values).some(test);
  const near = (actual: number, expected: number) => assertAlmostEquals(actual, expected, 0.4 * expected);
  near(share((row) => any(row, (value) => value === null)), 0.2);
  near(share((row) => any(row, Number.isNaN)), 0.1);
  near(share((row) => row === null), 0.05);
  // One column in four is constant by nature and freezes unseen.
  near(
    share((row, i) =>
      ["Level", "Flow", "Temperature"].some((name) =>
        typeof row?.values[name] === "number" && row.values[name] === found[i - 1]?.values[name]
      )
    ),
    0.3 * 0.75 * 0.9 * 0.85,
  );
});

Deno.test("a stale row is half an hour old", async () => {
  await using historian = openSimulator(":memory:", plant({ faults: { ...NO_FAULTS, stale: 1 } }));
  historian.advance(NOW);
  historian.advance(NOW + 2 * STALE_MS);
  assertEquals((await historian.newestAfter(null, NAMES))?.timestamp, NOW + STALE_MS);
});

Deno.test("openSimulator() goes on in a file whose plant has gained a column, and keeps it small", async () => {
  const path = await Deno.makeTempFile();
  {
    await using historian = openSimulator(path, plant());
    historian.advance(NOW);
  }
  {
    const more = plant({
      columns: [...COLUMNS, { name: "New", nominal: 1, noise: 0, low: 0, high: 2 }],
      faults: NO_FAULTS,
    });
    await using historian = openSimulator(path, more, { maxRows: 10 });
    assertEquals((await historian.newestAfter(null, ["New"]))?.values.New, null);
    historian.advance(NOW + 30 * MINUTE);
    assert(typeof (await historian.newestAfter(null, ["New"]))?.values.New === "number");
    assertEquals(await historian.newestAfter(null, ["New"], undefined, NOW + 20 * MINUTE), null);
  }
  await Deno.remove(path);
  for (const end of ["-wal", "-shm"]) await Deno.remove(path + end).catch(() => {});
});

Deno.test("openSimulator() tells a file that it cannot use", () => {
  assertEquals(
    assertThrows(() => openSimulator("/nowhere/x.sqlite", plant()), SetpointError).code,
    "HISTORIAN_UNREACHABLE",
  );
  assertEquals(openDatabases(), 0);
});

Deno.test("loadPlant() reads a file and tells one that is missing", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, JSON.stringify({ format: "setpoint/simulator/v1", columns: COLUMNS }));
  assertEquals((await loadPlant(path)).columns, COLUMNS);
  await Deno.remove(path);
  const error = await assertRejects(() => loadPlant(path), SetpointError, path);
  assertEquals(error.code, "FILE_MISSING");
  assertStringIncludes(error.message, "there is no such file; expected one, or `database`");
});

Deno.test("parsePlant() gives defaults", () => {
  const { periodMs, seed, faults } = plant();
  assertEquals([periodMs, seed, faults], [60_000, 1, { gap: 0.02, nan: 0.01, stale: 0.01, frozen: 0.02 }]);
  assertEquals(plant({ faults: { gap: 0 } }).faults, { gap: 0, nan: 0.01, stale: 0.01, frozen: 0.02 });
});

Deno.test("parsePlant() tells every problem of a file at once", () => {
  const column = { name: "a", nominal: 5, noise: 1, low: 0, high: 10 };
  const wrong = {
    format: "setpoint/simulator/v2",
    colour: "red",
    periodMs: 5,
    seed: 1.5,
    columns: [column, { ...column, noise: -1 }, { ...column, name: "b", nominal: 11 }, {
      name: 'x"; DROP',
      nominal: 0,
      low: 0,
      high: 0,
    }, {
      ...column,
      name: "timestamp",
      units: "t/h",
    }, null],
    faults: { gap: 2, spike: 0.1 },
  };
  const error = assertThrows(
    () => parsePlant(JSON.stringify(wrong), "strategies/x/simulator.json"),
    SetpointError,
  );
  assertEquals(error.code, "CONFIG_INVALID");
  const expected = [
    "simulator/v2",
    '"colour"',
    "periodMs 5",
    "seed 1.5",
    '"a" twice',
    "noise -1",
    '"b": low 0, nominal 11',
    "DROP",
    '"timestamp"',
    '"units"',
    "column 6",
    "rate 2",
    '"spike"',
  ];
  for (const part of expected) {
    assert(
      error.problems.some(({ message, at }) =>
        message.includes(part) && at?.file === "strategies/x/simulator.json"
      ),
      part,
    );
  }
});

Deno.test("parsePlant() refuses what is no description", () => {
  for (
    const text of [
      "",
      "{",
      "[]",
      "null",
      "5",
      '{"format":"setpoint/simulator/v1"}',
      '{"format":"setpoint/simulator/v1","columns":[]}',
    ]
  ) {
    assertEquals(
      assertThrows(() => parsePlant(text, "simulator.json"), SetpointError).code,
      "CONFIG_INVALID",
    );
  }
});

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  const cross = a.reduce((sum, v, i) => sum + (v - ma) * (b[i] - mb), 0);
  return cross /
    Math.sqrt(a.reduce((s, v) => s + (v - ma) ** 2, 0) * b.reduce((s, v) => s + (v - mb) ** 2, 0));
}
