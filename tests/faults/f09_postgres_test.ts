/** F9, F10, F11, F13 through the kernel: scheduled cycles on PostgreSQL, and what becomes of them without it. */
import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { systemClock } from "../../runtime/clock.ts";
import { readMirror } from "../e2e/mirror.ts";
import { inputOf, type OpenKernel, openKernel, type State } from "../kernel/open_kernel.ts";
import { findPostgres, POSTGRES_HINT, type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { serverTest } from "../servers/require.ts";

const NOMINAL = inputOf("kiln/nominal");
const COLUMNS = Object.keys(NOMINAL);

function table(columns: readonly string[]): string {
  return `DROP TABLE IF EXISTS process_data;
    CREATE TABLE process_data ("timestamp" timestamp, ${
    columns.map((name) => `"${name}" double precision`).join(", ")
  })`;
}

function row(time: string, state: Readonly<Record<string, number | null | string>>): string {
  const names = Object.keys(state).map((name) => `"${name}"`);
  const values = Object.values(state).map((
    value,
  ) => (typeof value === "string" ? `'${value}'` : String(value ?? "NULL")));
  return `INSERT INTO process_data ("timestamp", ${names.join(", ")}) VALUES ('${time}', ${
    values.join(", ")
  })`;
}

/** `seconds` from now, UTC, in microseconds as the predecessor writes it. */
function at(seconds: number): string {
  return new Date(systemClock.now() + 1000 * seconds).toISOString().replace("Z", "000");
}

function openOn({ host, port, user, password, dbname }: PostgresServer): Promise<OpenKernel> {
  return openKernel({
    serving: true,
    env: {
      SETPOINT_DATABASE_HOST: host,
      SETPOINT_DATABASE_PORT: String(port),
      SETPOINT_DATABASE_USER: user,
      SETPOINT_DATABASE_PASSWORD: password,
      SETPOINT_DATABASE_DBNAME: dbname,
    },
  });
}

serverTest(
  "F9: cycles on PostgreSQL take the newest row once, and every fault of the database is a reason",
  findPostgres,
  async (binaries, t) => {
    await using server = await startPostgres(binaries);
    const hot: State = { ...NOMINAL, Clinker_temperature: 162 };
    const [first, second] = [at(-90), at(-30)];
    await server.sql(`${table(COLUMNS)}; ${row(at(-300), NOMINAL)}; ${row(first, hot)}`);
    await using opened = await openOn(server);
    const { kernel, folder } = opened;
    const metadata = `${folder}/metadata`;

    await t.step("a real row is worked on, and its time is what is remembered", async () => {
      const cycle = await kernel.cycle();
      assertEquals([cycle.outcome, cycle.reason, cycle.origin], ["solved", null, "schedule"]);
      assertAlmostEquals(cycle.cost!, -100.6776304, 1e-4);
      assertEquals(cycle.row_timestamp, first);
      assertEquals(await readMirror(metadata), first);
      const { historian } = kernel.status();
      assertEquals([historian!.simulated, historian!.connected], [false, true]);
    });
    await t.step("no newer row: NO_NEW_ROW, the time stays", async () => {
      await server.sql(row(at(-200), NOMINAL));
      for (let k = 0; k < 2; k++) {
        const cycle = await kernel.cycle();
        assertEquals([cycle.outcome, cycle.reason!.code], ["data_rejected", "NO_NEW_ROW"]);
        assertStringIncludes(cycle.reason!.message, first);
      }
      assertEquals(await readMirror(metadata), first);
    });
    await t.step(
      "a row with NULL, NaN and a value out of range is rejected with every name, and not read again",
      async () => {
        await server.sql(
          row(second, {
            ...NOMINAL,
            Kiln_Coal_PV: null,
            Kiln_Drive_Current: "NaN",
            Clinker_temperature: 5000,
          }),
        );
        const cycle = await kernel.cycle();
        assertEquals(cycle.outcome, "data_rejected");
        for (const name of ["Kiln_Coal_PV", "Kiln_Drive_Current", "Clinker_temperature"]) {
          assertStringIncludes(cycle.reason!.message, name);
        }
        assert(cycle.actuators.length === 0);
        assertEquals(await readMirror(metadata), second);
        assertEquals((await kernel.cycle()).reason!.code, "NO_NEW_ROW");
      },
    );
    await t.step("a column that is gone is named", async () => {
      await server.sql(`ALTER TABLE process_data RENAME "Kiln_Coal_PV" TO coal`);
      const cycle = await kernel.cycle();
      assertEquals([cycle.outcome, cycle.reason!.code], ["data_rejected", "HISTORIAN_COLUMNS"]);
      assertStringIncludes(cycle.reason!.message, "Kiln_Coal_PV");
      assert(
        kernel.status().reasons.some(({ code, message }) =>
          code === "HISTORIAN" && message.includes("Kiln_Coal_PV")
        ),
      );
      await server.sql(`ALTER TABLE process_data RENAME coal TO "Kiln_Coal_PV"; ${row(at(-20), NOMINAL)}`);
      assertEquals((await kernel.cycle()).outcome, "solved");
      assertEquals(kernel.status().reasons, []);
    });
    await t.step("a server that is gone is a reason, and requests are answered all the same", async () => {
      await server.kill();
      const cycle = await kernel.cycle();
      assert(["data_rejected", "failed"].includes(cycle.outcome), cycle.outcome);
      assertEquals(cycle.reason!.code, "HISTORIAN_UNREACHABLE");
      assert(!cycle.reason!.message.includes(server.password));
      assertEquals(kernel.status().historian!.connected, false);
      assert(kernel.status().reasons.some(({ code, critical }) => code === "HISTORIAN" && critical));
      assertEquals((await opened.answer(NOMINAL)).outcome, "solved");
    });
    await t.step("the server is back: cycles go on after the last row", async () => {
      await server.start();
      const idle = await kernel.cycle();
      assertEquals(idle.reason!.code, "NO_NEW_ROW", idle.reason!.message);
      const time = at(-5);
      await server.sql(row(time, hot));
      const cycle = await kernel.cycle();
      assertEquals([cycle.outcome, cycle.row_timestamp], ["solved", time]);
      assertEquals(await readMirror(metadata), time);
      assertEquals(kernel.status().reasons, []);
    });
    const cycles = await kernel.cycles({ limit: 100, origin: "schedule" });
    assertEquals(cycles.map(({ outcome }) => outcome).reverse(), [
      ...["solved", "data_rejected", "data_rejected", "data_rejected", "data_rejected"],
      ...["data_rejected", "solved", "data_rejected", "data_rejected", "solved"],
    ]);
  },
  POSTGRES_HINT,
);

serverTest(
  "F9: a kernel that starts without its PostgreSQL is up, says so, and works when it comes",
  findPostgres,
  async (binaries) => {
    await using server = await startPostgres(binaries);
    await server.sql(`${table(COLUMNS)}; ${row(at(-10), NOMINAL)}`);
    await server.kill();
    await using opened = await openOn(server);
    assertEquals((await opened.kernel.cycle()).reason!.code, "HISTORIAN_UNREACHABLE");
    assertEquals((await opened.answer(NOMINAL)).outcome, "solved");
    await server.start();
    assertEquals((await opened.kernel.cycle()).outcome, "solved");
  },
  POSTGRES_HINT,
);
