import { SetpointError } from "../../runtime/errors.ts";
import { parseTimestamp } from "../../runtime/historian/timestamp.ts";
import { openJournal } from "../../runtime/journal/journal.ts";
import { MIRROR_FILE, readMirror, restoreMirror, writeMirror } from "../../runtime/journal/mirror.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { cycle, lastRun } from "./cycle_fixture.ts";

const TEXT = "2025-08-23T19:52:53.274472";

async function inFolder(work: (folder: string, path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  await work(folder, `${folder}/${MIRROR_FILE}`);
  await Deno.remove(folder, { recursive: true });
}

Deno.test("writeMirror() writes the predecessor's format and nothing else", () =>
  inFolder(async (folder, path) => {
    await writeMirror(folder, { micros: 0, text: TEXT });
    assertEquals(await Deno.readTextFile(path), `last_run_timestamp: '${TEXT}'\n`);
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), [MIRROR_FILE]);
    assertEquals(await readMirror(folder), TEXT);
  }));

Deno.test("readMirror() reads the quotings of YAML, and null where there is no time", () =>
  inFolder(async (folder, path) => {
    assertEquals(await readMirror(folder), null);
    const cases: [string, string | null][] = [
      [`last_run_timestamp: '${TEXT}'\n`, TEXT],
      [`last_run_timestamp: "${TEXT}" # from the plant\n`, TEXT],
      [
        `# comment\nother: 1\nlast_run_timestamp: 2025-08-23 19:52:53.274472\r\n`,
        "2025-08-23 19:52:53.274472",
      ],
      ["last_run_timestamp: null\n", null],
      ["last_run_timestamp:\n", null],
      ["", null],
      ["not_last_run_timestamp: 1\n", null],
    ];
    for (const [text, expected] of cases) {
      await Deno.writeTextFile(path, text);
      assertEquals(await readMirror(folder), expected, text);
    }
  }));

Deno.test("restoreMirror() takes the predecessor's timestamp once, from then on the journal is the truth", () =>
  inFolder(async (folder, path) => {
    using journal = openJournal(":memory:");
    await Deno.writeTextFile(path, `last_run_timestamp: '${TEXT}'\n`);
    const expected = { micros: Date.UTC(2025, 7, 23, 19, 52, 53) * 1000 + 274_472, text: TEXT };
    assertEquals(await restoreMirror(journal, folder, parseTimestamp), {
      lastRun: expected,
      source: "mirror",
    });
    assertEquals(journal.lastRun(), expected);
    await Deno.writeTextFile(path, "last_run_timestamp: '2030-01-01T00:00:00'\n");
    assertEquals(await restoreMirror(journal, folder, parseTimestamp), {
      lastRun: expected,
      source: "journal",
    });
    assertEquals(await readMirror(folder), TEXT);
  }));

Deno.test("restoreMirror() makes a mirror that is behind, gone or broken agree with the journal", () =>
  inFolder(async (folder, path) => {
    using journal = openJournal(":memory:");
    journal.record(cycle(7), { lastRun: lastRun(7) });
    for (const text of [null, "", `last_run_timestamp: '${lastRun(6).text}'\n`, "\0\0\0"]) {
      if (text === null) await Deno.remove(path).catch(() => {});
      else await Deno.writeTextFile(path, text);
      assertEquals((await restoreMirror(journal, folder, parseTimestamp)).source, "journal");
      assertEquals(await readMirror(folder), lastRun(7).text);
    }
  }));

Deno.test("restoreMirror() tells a mirror that it cannot use and goes on without", () =>
  inFolder(async (folder, path) => {
    using journal = openJournal(":memory:");
    assertEquals(await restoreMirror(journal, folder, parseTimestamp), { lastRun: null, source: "none" });
    await Deno.writeTextFile(path, "last_run_timestamp: yesterday\n");
    const wrong = await restoreMirror(journal, folder, parseTimestamp);
    assertEquals([wrong.lastRun, wrong.source], [null, "none"]);
    assertStringIncludes(wrong.problem!, "yesterday");
    await Deno.remove(path);
    await Deno.mkdir(path);
    assertStringIncludes((await restoreMirror(journal, folder, parseTimestamp)).problem!, path);
    journal.record(cycle(1), { lastRun: lastRun(1) });
    const unwritable = await restoreMirror(journal, folder, parseTimestamp);
    assertEquals([unwritable.lastRun, unwritable.source], [lastRun(1), "journal"]);
    assertStringIncludes(unwritable.problem!, path);
    const error = await assertRejects(() => writeMirror(folder, lastRun(1)), SetpointError, path);
    assertEquals(error.code, "STATE_UNREADABLE");
  }));
