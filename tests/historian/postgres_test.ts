import { type Clock, systemClock } from "../../runtime/clock.ts";
import { SetpointError } from "../../runtime/errors.ts";
import type { Historian } from "../../runtime/historian/historian.ts";
import { openPostgresHistorian } from "../../runtime/historian/postgres.ts";
import { POSTGRES_VARIABLES } from "../../runtime/launch/permissions.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { HISTORIAN_CONTRACT } from "../contract/historian.ts";
import { findPostgres, POSTGRES_HINT, type PostgresServer, startPostgres } from "../servers/postgres.ts";
import { serverTest } from "../servers/require.ts";
import { freeze } from "../std/freeze.ts";

const RESET = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";

serverTest("PostgreSQL historian keeps the contract", findPostgres, async (binaries, t) => {
  await using server = await startPostgres(binaries);
  const fixture = {
    infinity: "'Infinity'",
    minusInfinity: "'-Infinity'",
    sql: (text: string) => server.sql(text),
    open: (options: object = {}) => openPostgresHistorian({ ...server, ...options }),
  };
  for (const { name, run } of HISTORIAN_CONTRACT) {
    await server.sql(RESET);
    await t.step(name, () => run(fixture));
  }
}, POSTGRES_HINT);

serverTest("PostgreSQL historian reads what only PostgreSQL has", findPostgres, async (binaries, t) => {
  await using server = await startPostgres(binaries);
  const newest = async (options: object = {}) => {
    await using historian = openPostgresHistorian({ ...server, ...options });
    return await historian.newestAfter(null, ["v"]);
  };
  const value = async (type: string, literal: string) => {
    await server.sql(
      `${RESET}; CREATE DOMAIN share AS numeric CHECK (VALUE < 2); CREATE TABLE process_data ("timestamp" timestamp, v ${type});
      INSERT INTO process_data VALUES ('2025-01-01', ${literal})`,
    );
    return (await newest())?.values.v;
  };
  await t.step("numbers of every numeric type, and nothing else as a number", async () => {
    assertEquals(await value("real", "8.1"), 8.1);
    assertEquals(await value("double precision", "0.1::float8 + 0.2"), 0.30000000000000004);
    assertEquals(await value("smallint", "-5"), -5);
    assertEquals(await value("numeric", "'-Infinity'"), -Infinity);
    assertEquals(await value("share", "1.25"), 1.25);
    assertEquals(await value("money", "8.5"), "$8.50");
    assertEquals(await value("interval", "'1 hour'"), "01:00:00");
    assertEquals(await value("float8[]", "'{1,2}'"), "{1,2}");
    assertEquals(await value("jsonb", "'8.5'"), "8.5");
  });
  await t.step(
    "timestamptz, whatever the session's zone, and a zoneless column in the given zone",
    async () => {
      await server.sql(`${RESET}; CREATE TABLE process_data ("timestamp" timestamptz, v int);
      INSERT INTO process_data VALUES ('2025-08-23T21:52:53.274472+02', 1); ALTER ROLE plant SET timezone = 'Asia/Kolkata'`);
      assertEquals((await newest())?.text, "2025-08-23T19:52:53.274472");
      assertEquals((await newest({ timezone: "Europe/Berlin" }))?.text, "2025-08-23T21:52:53.274472");
      await using historian = openPostgresHistorian({ ...server, timezone: "Europe/Berlin" });
      const row = (await historian.newestAfter(null, []))!;
      assertEquals(await historian.newestAfter(row, []), null);
      assert(await historian.newestAfter({ ...row, micros: row.micros - 1 }, []) !== null);
    },
  );
  await t.step("infinity and years that cannot be are no newest row", async () => {
    await server.sql(`${RESET}; CREATE TABLE process_data ("timestamp" timestamp, v int);
      INSERT INTO process_data VALUES ('infinity', 1), ('-infinity', 2), ('9999-01-01', 3), (NULL, 4), ('2025-01-01', 5)`);
    assertEquals((await newest())?.values.v, 5);
  });
  await t.step("a timestamp column of text is refused with its type", async () => {
    await server.sql(`${RESET}; CREATE TABLE process_data ("timestamp" text, v int)`);
    assertEquals((await assertRejects(newest, SetpointError, "type text")).code, "HISTORIAN_COLUMNS");
  });
  await t.step("columns that differ by case only are ambiguous", async () => {
    await server.sql(`${RESET}; CREATE TABLE process_data ("timestamp" timestamp, "V" int, v int)`);
    const error = await assertRejects(newest, SetpointError, 'more than once: "v" (also "V")');
    assertEquals(error.code, "HISTORIAN_COLUMNS");
  });
  await t.step("a table with its schema", async () => {
    await server.sql(
      `CREATE SCHEMA plant; CREATE TABLE plant.tags ("timestamp" timestamp, v int); INSERT INTO plant.tags VALUES ('2025-01-01', 9)`,
    );
    assertEquals((await newest({ table: "plant.tags" }))?.values.v, 9);
    assertEquals(
      (await assertRejects(() => newest({ table: "a.b.c" }), SetpointError)).code,
      "IDENTIFIER_INVALID",
    );
  });
  await t.step("it cannot write", async () => {
    await server.sql(`${RESET}; CREATE TABLE process_data ("timestamp" timestamp, v int);
      CREATE FUNCTION put() RETURNS int LANGUAGE sql VOLATILE AS 'INSERT INTO process_data VALUES (now(), 1) RETURNING v';
      CREATE VIEW trap AS SELECT '2025-01-01'::timestamp AS "timestamp", put() AS v`);
    await assertRejects(() => newest({ table: "trap" }), SetpointError, "read-only transaction");
  });
}, POSTGRES_HINT);

serverTest("PostgreSQL historian survives its server (F9)", findPostgres, async (binaries, t) => {
  await using server = await startPostgres(binaries);
  await server.sql(
    `CREATE TABLE process_data ("timestamp" timestamp, v int); INSERT INTO process_data VALUES ('2025-01-01', 1);
    CREATE VIEW slow AS SELECT "timestamp", v, pg_sleep(30) IS NULL AS late FROM process_data`,
  );
  const read = async (historian: Historian) => (await historian.newestAfter(null, ["v"]))?.values.v;
  await t.step("a slow query ends at the statement timeout and the connection goes on", async () => {
    await using historian = openPostgresHistorian({ ...server, table: "slow", statementTimeoutMs: 1_000 });
    const error = await assertRejects(
      () => historian.newestAfter(null, ["late"]),
      SetpointError,
      "timeout of 1000 ms",
    );
    assertEquals(error.code, "HISTORIAN_UNREACHABLE");
    await historian.check(["v"]);
  });
  await t.step("an aborted signal ends a slow query at once", async () => {
    await using historian = openPostgresHistorian({ ...server, table: "slow" });
    const abort = new AbortController();
    const call = historian.newestAfter(null, ["late"], abort.signal);
    await systemClock.sleep(50);
    abort.abort(new Error("the cycle is over"));
    await assertRejects(() => call, Error, "the cycle is over");
    await historian.check(["v"]);
  });
  await t.step("wrong password, user and database are told, without the password", async () => {
    for (const wrong of [{ password: "hunter2" }, { user: "nobody" }, { dbname: "elsewhere" }]) {
      await using historian = openPostgresHistorian({ ...server, ...wrong });
      const error = await assertRejects(() => historian.check([]), SetpointError);
      assertEquals(error.code, "HISTORIAN_UNREACHABLE");
      assert(!error.message.includes("hunter2") && !error.message.includes(server.password));
    }
  });
  await t.step("a server that hangs costs a call its deadline, and the next works", async () => {
    await using historian = openPostgresHistorian({ ...server }, hurried(systemClock));
    assertEquals(await read(historian), 1);
    for (const pid of await processesOf(server)) await freeze(pid);
    const error = await assertRejects(() => read(historian), SetpointError, "did not answer");
    assertEquals(error.code, "HISTORIAN_UNREACHABLE");
    await assertRejects(() => read(historian), SetpointError, "did not answer");
    for (const pid of await processesOf(server)) Deno.kill(pid, "SIGCONT");
    assertEquals(await read(historian), 1);
  });
  await t.step("a server that is gone is told at once, and met again when it is back", async () => {
    await using historian = openPostgresHistorian({ ...server });
    assertEquals(await read(historian), 1);
    await server.kill();
    for (let again = 0; again < 3; again++) {
      assertEquals((await assertRejects(() => read(historian), SetpointError)).code, "HISTORIAN_UNREACHABLE");
    }
    await server.start();
    assertEquals(await read(historian), 1);
  });
  await t.step("a server that dies in mid-query fails that query only", async () => {
    await using historian = openPostgresHistorian({ ...server, table: "slow" });
    await historian.check([]);
    const call = assertRejects(() => historian.newestAfter(null, ["late"]), SetpointError);
    await systemClock.sleep(100);
    await server.kill();
    assertEquals((await call).code, "HISTORIAN_UNREACHABLE");
    await server.start();
    await historian.check(["v"]);
  });
}, POSTGRES_HINT);

Deno.test("PostgreSQL historian gives up on a port that accepts and never answers", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = {
    host: "127.0.0.1",
    port: listener.addr.port,
    dbname: "plant",
    user: "plant",
    password: "x",
  };
  await using historian = openPostgresHistorian({ ...address, connectTimeoutMs: 50 });
  const error = await assertRejects(
    () => historian.check(["v"]),
    SetpointError,
    "did not answer within 50 ms",
  );
  assertEquals(error.code, "HISTORIAN_UNREACHABLE");
  assertStringIncludes(error.message, `127.0.0.1:${address.port}/plant`);
});

Deno.test("PostgreSQL historian gives up on a port that accepts and hangs up", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async () => {
    for await (const connection of listener) connection.close();
  };
  const serving = serve();
  const address = {
    host: "127.0.0.1",
    port: listener.addr.port,
    dbname: "plant",
    user: "plant",
    password: "x",
  };
  {
    await using historian = openPostgresHistorian({ ...address, connectTimeoutMs: 60_000 });
    assertEquals(
      (await assertRejects(() => historian.check(["v"]), SetpointError)).code,
      "HISTORIAN_UNREACHABLE",
    );
  }
  listener.close();
  await serving;
});

Deno.test("the PostgreSQL driver needs no environment variable but those of POSTGRES_VARIABLES", async () => {
  const module = import.meta.resolve("../../runtime/historian/postgres.ts");
  const program = `import { openPostgresHistorian } from "${module}";
    await openPostgresHistorian({ host: "127.0.0.1", port: 1, dbname: "plant", user: "plant" }).check([]).catch((e) => console.log(e.message));`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "--no-prompt",
        "--no-check",
        "--quiet",
        "--cached-only",
        "--no-lock",
        "--allow-net=127.0.0.1",
      ],
      ...[
        `--config=${decodeURIComponent(new URL("../../deno.json", import.meta.url).pathname)}`,
        `--allow-env=${POSTGRES_VARIABLES.join(",")}`,
      ],
      `data:text/typescript,${encodeURIComponent(program)}`,
    ],
  }).output();
  assertStringIncludes(
    new TextDecoder().decode(stdout),
    "connection refused",
    new TextDecoder().decode(stderr),
  );
});

/** A clock whose timers are 40 times as fast, so a test need not wait for real deadlines. */
function hurried(clock: Clock): Clock {
  return { ...clock, after: (ms, fn) => clock.after(ms / 40, fn) };
}

/** Stops or continues the postmaster and each of its children. */
async function processesOf({ pid }: PostgresServer): Promise<number[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "pid=", "--ppid", String(pid)] }).output();
  const children = new TextDecoder().decode(stdout).trim().split(/\s+/).map(Number);
  return [pid, ...children];
}
