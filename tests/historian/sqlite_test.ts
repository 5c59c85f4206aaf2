import { SetpointError } from "../../runtime/errors.ts";
import { openSqliteHistorian, SqliteHistorian } from "../../runtime/historian/sqlite.ts";
import { Database, openDatabases } from "../../runtime/sqlite.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { HISTORIAN_CONTRACT, type HistorianFixture } from "../contract/historian.ts";

for (const { name, run } of HISTORIAN_CONTRACT) {
  Deno.test(`SQLite historian: ${name}`, async () => {
    const folder = await Deno.makeTempDir();
    const path = `${folder}/plant.sqlite`;
    {
      using database = new Database(path);
      const fixture: HistorianFixture = {
        infinity: "9e999",
        minusInfinity: "-9e999",
        sql: (text) => Promise.resolve(database.exec(text)),
        open: ({ timezone, table } = {}) => openSqliteHistorian(path, { timezone, table }),
      };
      await run(fixture);
    }
    assertEquals(openDatabases(), 0);
    await Deno.remove(folder, { recursive: true });
  });
}

async function newestOf(
  times: readonly (string | number | null)[],
  timezone?: string,
): Promise<string | undefined> {
  const database = new Database(":memory:");
  await using historian = new SqliteHistorian(database, { timezone });
  database.exec(`CREATE TABLE process_data ("timestamp", "n" INTEGER)`);
  const insert = database.prepare("INSERT INTO process_data VALUES (?, ?)");
  times.forEach((time, i) => insert.run(time, i));
  const row = await historian.newestAfter(null, ["n"]);
  return row === null ? undefined : String(times[row.values.n as number]);
}

Deno.test("newestAfter() orders times by what they mean, not by their text", async () => {
  assertEquals(await newestOf(["2025-01-01 23:00", "2025-01-01T01:00"]), "2025-01-01 23:00");
  assertEquals(await newestOf(["2025-01-02T09:00+14:00", "2025-01-01T20:00Z"]), "2025-01-01T20:00Z");
  assertEquals(
    await newestOf(["2025-01-01T12:00-12:00", "2025-01-01T23:00", "2025-01-02T01:00+02:00"]),
    "2025-01-01T12:00-12:00",
  );
  assertEquals(await newestOf(["2025-01-01T00:00:53Z", "2025-01-01T00:00:53.2Z"]), "2025-01-01T00:00:53.2Z");
  assertEquals(
    await newestOf(["2025-06-01T12:00", "2025-06-01T11:30Z"], "Europe/Berlin"),
    "2025-06-01T11:30Z",
  );
});

Deno.test("newestAfter() passes times over that are none", async () => {
  assertEquals(
    await newestOf(["abc", null, 1755978773, "2025-02-30", "2025-01-01", "9999-99-99", ""]),
    "2025-01-01",
  );
  assertEquals(await newestOf(["later", null]), undefined);
});

Deno.test("newestAfter() takes the last written of rows with one time", async () => {
  const database = new Database(":memory:");
  await using historian = new SqliteHistorian(database);
  database.exec(
    `CREATE TABLE process_data ("timestamp", "n"); INSERT INTO process_data VALUES ('2025-01-01', 1), ('2025-01-01', 2)`,
  );
  assertEquals((await historian.newestAfter(null, ["n"]))?.values.n, 2);
});

Deno.test("bytes in a column come as text, which no gate takes for a number", async () => {
  const database = new Database(":memory:");
  await using historian = new SqliteHistorian(database);
  database.exec(
    `CREATE TABLE process_data ("timestamp", "n" REAL); INSERT INTO process_data VALUES ('2025-01-01', x'00ff')`,
  );
  assertEquals((await historian.newestAfter(null, ["n"]))?.values.n, "\\x00ff");
});

Deno.test("openSqliteHistorian() tells a file that is missing or no database", async () => {
  const error = assertThrows(
    () => openSqliteHistorian("/nowhere/plant.sqlite"),
    SetpointError,
    "/nowhere/plant.sqlite",
  );
  assertEquals(error.code, "HISTORIAN_UNREACHABLE");
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "this is no database ".repeat(300));
  {
    await using historian = openSqliteHistorian(path);
    const refused = await assertRejects(() => historian.check(["a"]), SetpointError, "not a database");
    assertEquals(refused.code, "HISTORIAN_UNREACHABLE");
  }
  await Deno.remove(path);
});

Deno.test("openSqliteHistorian() never writes", async () => {
  const path = await Deno.makeTempFile();
  {
    using database = new Database(path);
    database.exec(`CREATE TABLE process_data ("timestamp"); INSERT INTO process_data VALUES ('2025-01-01')`);
  }
  const before = await Deno.readFile(path);
  {
    await using historian = openSqliteHistorian(path);
    assert(await historian.newestAfter(null, []) !== null);
  }
  assertEquals(await Deno.readFile(path), before);
  await Deno.remove(path);
});
