import { SetpointError } from "../../runtime/errors.ts";
import { encodeCycle, Journal, openJournal } from "../../runtime/journal/journal.ts";
import { prepareSchema } from "../../runtime/journal/schema.ts";
import { Database, openDatabases } from "../../runtime/sqlite.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { cycle, lastRun } from "./cycle_fixture.ts";

function ids(journal: Journal, query = {}): number[] {
  return journal.cycles(query).map(({ id }) => Number(id.slice(-12)));
}

/** A path in a folder of its own, which goes with everything that is in it. */
async function inFolder(work: (path: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await work(`${folder}/journal.sqlite`);
  await Deno.remove(folder, { recursive: true });
  assertEquals(openDatabases(), 0);
}

Deno.test("a cycle comes back as it was recorded, after reopening too", () =>
  inFolder((path) => {
    const cycles = [
      cycle(1),
      cycle(2, {
        origin: "api",
        outcome: "failed",
        reason: "EVALUATION_FAILED",
        strategy: null,
        rowTimestamp: null,
      }),
      cycle(3, {
        inputs: { a: NaN, b: [Infinity, -Infinity, -0], c: "8.5", d: true, e: null },
        result: null,
        details: { $number: "NaN" },
      }),
    ];
    {
      using journal = openJournal(path);
      for (const each of cycles) assertEquals(journal.record(each), true);
      assertEquals(journal.cycles(), cycles.toReversed());
    }
    using journal = openJournal(path);
    for (const each of cycles) assertEquals(journal.cycle(each.id), each);
    assertEquals(journal.cycle("unknown"), null);
    assertEquals(journal.size, 3);
  }));

Deno.test("record() moves the last run timestamp with the cycle, only ahead, and keeps its microseconds", () =>
  inFolder((path) => {
    {
      using journal = openJournal(path);
      assertEquals(journal.lastRun(), null);
      journal.record(cycle(1));
      assertEquals(journal.lastRun(), null);
      journal.record(cycle(2), { lastRun: lastRun(2) });
      journal.record(cycle(3), { lastRun: lastRun(1) });
      journal.insert([encodeCycle(cycle(4))]);
      assertEquals(journal.lastRun(), lastRun(2));
    }
    using journal = openJournal(path);
    assertEquals(journal.lastRun(), lastRun(2));
  }));

Deno.test("a second record of an id changes neither the cycle nor the timestamp", () => {
  using journal = openJournal(":memory:");
  assertEquals(journal.record(cycle(1), { lastRun: lastRun(1) }), true);
  assertEquals(journal.record(cycle(1, { outcome: "failed" }), { lastRun: lastRun(9) }), false);
  assertEquals(journal.insert([cycle(1), cycle(2), cycle(2)].map(encodeCycle)), 1);
  assertEquals(journal.cycle(cycle(1).id)?.outcome, "solved");
  assertEquals([journal.size, journal.lastRun()], [2, lastRun(1)]);
});

Deno.test("record() that fails before its commit leaves nothing behind", () => {
  let fail = true;
  const onStep = (step: string) => {
    if (fail && step === "written") throw new Error("power cut");
  };
  const database = new Database(":memory:");
  prepareSchema(database);
  using journal = new Journal(database, { onStep });
  assertThrows(() => journal.record(cycle(1), { lastRun: lastRun(1) }), SetpointError, "power cut");
  assertEquals([journal.size, journal.lastRun(), journal.cycles()], [0, null, []]);
  fail = false;
  assertEquals(journal.record(cycle(1), { lastRun: lastRun(1) }), true);
  assertEquals([journal.size, journal.lastRun()], [1, lastRun(1)]);
});

Deno.test("cycles() pages newest first in the order of recording, by origin where asked", () => {
  using journal = openJournal(":memory:");
  for (let n = 1; n <= 9; n++) journal.record(cycle(n, { origin: n % 3 === 0 ? "api" : "schedule" }));
  // A clock that was set back gives an id that sorts before the others.
  journal.record(cycle(0));
  assertEquals(ids(journal, { limit: 4 }), [0, 9, 8, 7]);
  assertEquals(ids(journal, { limit: 3, before: cycle(7).id }), [6, 5, 4]);
  assertEquals(ids(journal, { origin: "api" }), [9, 6, 3]);
  assertEquals(ids(journal, { origin: "api", before: cycle(9).id, limit: 1 }), [6]);
  assertEquals(ids(journal, { origin: "cli" }), []);
  assertEquals(ids(journal, { before: "unknown" }), []);
  assertEquals(ids(journal, { limit: 0 }), []);
});

Deno.test("retention keeps the newest, and requests do not drive the schedule's cycles out", () =>
  inFolder((path) => {
    {
      using journal = openJournal(path, { maxRows: 20 });
      for (let n = 0; n < 30; n++) journal.record(cycle(n));
      assertEquals(ids(journal), Array.from({ length: 20 }, (_, i) => 29 - i));
      for (let n = 100; n < 200; n++) journal.record(cycle(n, { origin: "api" }));
      assertEquals(journal.size, 20);
      assertEquals(ids(journal, { origin: "schedule" }), Array.from({ length: 10 }, (_, i) => 29 - i));
      assertEquals(ids(journal, { origin: "api" })[0], 199);
    }
    using journal = openJournal(path, { maxRows: 10 });
    assertEquals(journal.size, 20);
    for (let n = 200; n < 210; n++) journal.record(cycle(n));
    assertEquals([journal.size, journal.cycles().length], [10, 10]);
  }));

Deno.test("startFrom() takes a predecessor's timestamp once", () => {
  using journal = openJournal(":memory:");
  assertEquals(journal.startFrom(lastRun(5)), true);
  assertEquals(journal.startFrom(lastRun(9)), false);
  assertEquals(journal.lastRun(), lastRun(5));
});

Deno.test("openJournal() tells what is wrong with a file and leaves it alone", async () => {
  const cases: [string, string, (path: string) => void | Promise<void>][] = [
    ["text", "damaged or no journal", (path) => Deno.writeTextFile(path, "not a database ".repeat(500))],
    ["another program's", "another program", (path) => {
      using database = new Database(path);
      database.exec("CREATE TABLE theirs (a)");
    }],
    ["a later format", "format 7", (path) => {
      openJournal(path).close();
      using database = new Database(path);
      database.exec("PRAGMA user_version = 7");
    }],
    ["a folder", "cannot be opened", (path) => Deno.mkdir(path)],
    ["damaged pages", "damaged", async (path) => {
      {
        using journal = openJournal(path);
        journal.insert(Array.from({ length: 200 }, (_, n) => encodeCycle(cycle(n))));
      }
      const bytes = await Deno.readFile(path);
      bytes.fill(0x5a, 4096 * 3, 4096 * 30);
      await Deno.writeFile(path, bytes);
    }],
  ];
  for (const [name, expected, make] of cases) {
    await inFolder(async (path) => {
      await make(path);
      const before = await Deno.readFile(path).catch(() => null);
      const error = assertThrows(() => openJournal(path), SetpointError, expected);
      assertEquals(error.code, "JOURNAL_UNUSABLE", name);
      assertStringIncludes(error.message, path);
      assertEquals(await Deno.readFile(path).catch(() => null), before, name);
    });
  }
  const missing = assertThrows(
    () => openJournal("/nowhere/journal.sqlite"),
    SetpointError,
    "cannot be opened",
  );
  assertEquals(missing.code, "JOURNAL_UNUSABLE");
});

Deno.test("a journal that another program has locked is told", () =>
  inFolder((path) => {
    openJournal(path).close();
    {
      using other = new Database(path);
      other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
      const error = assertThrows(() => openJournal(path), SetpointError, "locked");
      assertEquals(error.code, "JOURNAL_UNUSABLE");
    }
    using journal = openJournal(path);
    using other = new Database(path);
    other.exec("BEGIN IMMEDIATE");
    assertThrows(() => journal.record(cycle(1)), SetpointError, "locked");
    other.exec("COMMIT");
    assertEquals(journal.record(cycle(1)), true);
  }));

Deno.test("a full disk is told, loses nothing, and recording goes on when there is room", () =>
  inFolder((path) => {
    const database = new Database(path);
    prepareSchema(database);
    using journal = new Journal(database, {});
    database.exec("PRAGMA max_page_count = 40");
    let recorded = 0;
    const error = assertThrows(
      () => {
        for (;;) recorded += Number(journal.record(cycle(recorded), { lastRun: lastRun(recorded) }));
      },
      SetpointError,
      "the disk is full",
    );
    assertEquals(error.code, "JOURNAL_UNUSABLE");
    assert(recorded > 10);
    assertEquals([journal.size, journal.lastRun()], [recorded, lastRun(recorded - 1)]);
    database.exec("PRAGMA max_page_count = 1000");
    assertEquals(journal.record(cycle(recorded), { lastRun: lastRun(recorded) }), true);
    assertEquals(journal.cycles({ limit: 1000 }).length, recorded + 1);
  }));

Deno.test("a closed journal refuses", () => {
  const journal = openJournal(":memory:");
  journal.close();
  journal.close();
  assertEquals(assertThrows(() => journal.cycles(), SetpointError).code, "JOURNAL_UNUSABLE");
  assertEquals(assertThrows(() => journal.record(cycle(1)), SetpointError).code, "JOURNAL_UNUSABLE");
  assertEquals(openDatabases(), 0);
});
