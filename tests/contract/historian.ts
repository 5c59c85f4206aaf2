/** What every historian must do, whatever stands behind it. Each case starts from an empty database. */
import { SetpointError } from "../../runtime/errors.ts";
import type { Historian, Instant } from "../../runtime/historian/historian.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";

export interface HistorianFixture {
  /** Runs SQL that both dialects have. */
  sql(text: string): Promise<void>;
  /** How this database's SQL writes ±∞. */
  readonly infinity: string;
  readonly minusInfinity: string;
  /** Opens a historian of table "process_data". */
  open(options?: { readonly timezone?: string; readonly table?: string }): Historian;
}

export interface HistorianCase {
  readonly name: string;
  readonly run: (fixture: HistorianFixture) => Promise<void>;
}

const TABLE =
  `CREATE TABLE process_data ("timestamp" TIMESTAMP, "Coal" DOUBLE PRECISION, "Feed" NUMERIC(12, 3),
  "Count" BIGINT, "Running" BOOLEAN, "Note" TEXT)`;
const COLUMNS = ["Coal", "Feed", "Count", "Running", "Note"];
const T = "2025-08-23T19:52:53";

export const HISTORIAN_CONTRACT: readonly HistorianCase[] = [
  {
    name: "check() accepts columns that exist, in any order, once or twice",
    async run(fixture) {
      await fixture.sql(TABLE);
      await using historian = fixture.open();
      await historian.check(["Note", "Coal", "Feed", "Coal"]);
      await historian.check([]);
      assertEquals(historian.simulated, false);
      assertStringIncludes(historian.label, "process_data");
    },
  },
  {
    name: "check() lists every missing column with near names",
    async run(fixture) {
      await fixture.sql(TABLE);
      await using historian = fixture.open();
      const error = await assertRejects(
        () => historian.check(["Coal", "coal_", "Feeds", "Pressure", "note"]),
        SetpointError,
      );
      assertEquals(error.code, "HISTORIAN_COLUMNS");
      for (const part of ['"coal_"', '"Feeds" (near: "Feed")', '"Pressure"', '"note" (near: "Note")']) {
        assertStringIncludes(error.message, part);
      }
      assert(!error.message.includes('"Coal",'));
    },
  },
  {
    name: "check() tells a table that does not exist and a table without a timestamp",
    async run(fixture) {
      await using missing = fixture.open();
      assertEquals((await assertRejects(() => missing.check([]), SetpointError)).code, "HISTORIAN_COLUMNS");
      await fixture.sql(`CREATE TABLE process_data ("time" TIMESTAMP, "Coal" REAL)`);
      await using historian = fixture.open();
      const error = await assertRejects(() => historian.check(["Coal"]), SetpointError, '"timestamp"');
      assertEquals(error.code, "HISTORIAN_COLUMNS");
    },
  },
  {
    name: "check() and newestAfter() refuse hostile names before any SQL",
    async run(fixture) {
      await fixture.sql(TABLE);
      await using historian = fixture.open();
      const hostile = [
        'x"; DROP TABLE process_data; --',
        "a\0b",
        "a".repeat(64),
        "Ofen_Kühlung",
        "",
        "1st",
        "a b",
        "а",
      ];
      for (const name of hostile) {
        for (
          const call of [() => historian.check([name]), () => historian.newestAfter(null, ["Coal", name])]
        ) {
          assertEquals((await assertRejects(call, SetpointError)).code, "IDENTIFIER_INVALID");
        }
        assertEquals((await failure(() => fixture.open({ table: name }))).code, "IDENTIFIER_INVALID");
      }
      await historian.check(COLUMNS);
    },
  },
  {
    name: "newestAfter() answers null on an empty table and the newest row of all without a last run",
    async run(fixture) {
      await fixture.sql(TABLE);
      await using historian = fixture.open();
      assertEquals(await historian.newestAfter(null, COLUMNS), null);
      await fixture.sql(
        `INSERT INTO process_data VALUES ('${T}.274472', 8.1, 210.125, 7, TRUE, 'ok'), ('${T}.274471', 1, 1, 1, FALSE, '')`,
      );
      assertEquals(await historian.newestAfter(null, COLUMNS), {
        timestamp: Date.UTC(2025, 7, 23, 19, 52, 53, 274),
        micros: Date.UTC(2025, 7, 23, 19, 52, 53) * 1000 + 274_472,
        text: `${T}.274472`,
        values: { Coal: 8.1, Feed: 210.125, Count: 7, Running: true, Note: "ok" },
      });
      assertEquals((await historian.newestAfter(null, ["Feed"]))?.values, { Feed: 210.125 });
      assertEquals((await historian.newestAfter(null, []))?.values, {});
    },
  },
  {
    name: "newestAfter() is strict and knows microseconds, so each row comes once and none is lost",
    async run(fixture) {
      await fixture.sql(TABLE);
      await using historian = fixture.open();
      const seen: unknown[] = [];
      let last: Instant | null = null;
      for (const [i, fraction] of [".274470", ".274471", ".274999", ".275"].entries()) {
        await fixture.sql(`INSERT INTO process_data ("timestamp", "Count") VALUES ('${T}${fraction}', ${i})`);
        for (let again = 0; again < 2; again++) {
          const row = await historian.newestAfter(last, ["Count"]);
          if (row === null) continue;
          seen.push(row.values.Count);
          last = row;
        }
      }
      assertEquals(seen, [0, 1, 2, 3]);
      assertEquals(last?.text, `${T}.275000`);
    },
  },
  {
    name: "newestAfter() passes rows of the future over when told so",
    async run(fixture) {
      await fixture.sql(TABLE);
      await fixture.sql(
        `INSERT INTO process_data ("timestamp", "Count") VALUES ('${T}', 1), ('2025-08-23T20:52:53', 2), ('2199-01-01', 3)`,
      );
      await using historian = fixture.open();
      const now = Date.UTC(2025, 7, 23, 19, 52, 53);
      const count = async (after: Instant | null, notAfterMs?: number) =>
        (await historian.newestAfter(after, ["Count"], undefined, notAfterMs))?.values.Count;
      assertEquals(await count(null), 3);
      assertEquals(await count(null, now), 1);
      assertEquals(await count(null, now + 3_600_000), 2);
      assertEquals(await count(null, now - 1), undefined);
      assertEquals(await count({ micros: now * 1000, text: T }, now + 3_599_999), undefined);
    },
  },
  {
    name: "values come as found: NULL, NaN, infinities, texts and booleans are never coerced",
    async run(fixture) {
      await fixture.sql(TABLE);
      await using historian = fixture.open();
      const found = async (values: string) => {
        await fixture.sql(`DELETE FROM process_data`);
        await fixture.sql(`INSERT INTO process_data VALUES ('${T}', ${values})`);
        return Object.values((await historian.newestAfter(null, COLUMNS))!.values);
      };
      assertEquals(await found("NULL, NULL, NULL, NULL, NULL"), [null, null, null, null, null]);
      assertEquals(await found(`'NaN', 'NaN', 0, FALSE, 'NaN'`), [NaN, NaN, 0, false, "NaN"]);
      assertEquals(await found(`${fixture.infinity}, 0, -3, TRUE, '8.5'`), [Infinity, 0, -3, true, "8.5"]);
      assertEquals(await found(`${fixture.minusInfinity}, 0, 1, TRUE, ''`), [-Infinity, 0, 1, true, ""]);
      assertEquals(await found(`0.1, 0.3, 9007199254740993, TRUE, 'true'`), [
        0.1,
        0.3,
        9007199254740992,
        true,
        "true",
      ]);
    },
  },
  {
    name: "times without a zone are UTC, or of the time zone that is given",
    async run(fixture) {
      await fixture.sql(TABLE);
      await fixture.sql(`INSERT INTO process_data ("timestamp") VALUES ('${T}.274472')`);
      await using utc = fixture.open();
      await using berlin = fixture.open({ timezone: "Europe/Berlin" });
      const a = (await utc.newestAfter(null, []))!;
      const b = (await berlin.newestAfter(null, []))!;
      assertEquals(a.micros - b.micros, 7200e6);
      assertEquals([a.text, b.text], [`${T}.274472`, `${T}.274472`]);
      assertEquals(await berlin.newestAfter(b, []), null);
      assertEquals((await berlin.newestAfter({ ...b, micros: b.micros - 1 }, []))?.micros, b.micros);
      assertEquals((await failure(() => fixture.open({ timezone: "Mars/Olympus" }))).code, "CONFIG_INVALID");
    },
  },
  {
    name: "check() sees a column that was renamed after the first look",
    async run(fixture) {
      await fixture.sql(TABLE);
      await using historian = fixture.open();
      await historian.check(COLUMNS);
      await fixture.sql(`ALTER TABLE process_data RENAME COLUMN "Coal" TO "Coal_PV"`);
      const error = await assertRejects(() => historian.newestAfter(null, COLUMNS), SetpointError, '"Coal"');
      assertEquals(error.code, "HISTORIAN_COLUMNS");
    },
  },
  {
    name: "a view is a table",
    async run(fixture) {
      await fixture.sql(TABLE);
      await fixture.sql(`INSERT INTO process_data ("timestamp", "Coal") VALUES ('${T}', 2)`);
      await fixture.sql(`CREATE VIEW tags AS SELECT "timestamp", "Coal" * 2 AS "Double" FROM process_data`);
      await using historian = fixture.open({ table: "tags" });
      assertEquals((await historian.newestAfter(null, ["Double"]))?.values.Double, 4);
      await fixture.sql("DROP VIEW tags");
    },
  },
  {
    name: "an aborted signal stops the call with its reason",
    async run(fixture) {
      await fixture.sql(TABLE);
      await using historian = fixture.open();
      const reason = new Error("the cycle is over");
      for (
        const call of [
          historian.check([], AbortSignal.abort(reason)),
          historian.newestAfter(null, [], AbortSignal.abort(reason)),
        ]
      ) {
        await assertRejects(() => call, Error, "the cycle is over");
      }
      await historian.check([]);
    },
  },
  {
    name: "after close() calls are refused and a second close() is nothing",
    async run(fixture) {
      await fixture.sql(TABLE);
      const historian = fixture.open();
      await historian.check([]);
      await historian.close();
      await historian.close();
      assertEquals(
        (await assertRejects(() => historian.check([]), SetpointError)).code,
        "HISTORIAN_UNREACHABLE",
      );
    },
  },
];

async function failure(open: () => Historian): Promise<SetpointError> {
  return await assertRejects(async () => {
    await using historian = open();
    await historian.check([]);
  }, SetpointError);
}
