import { ageSeconds, formatTimestamp, parseTimestamp } from "../../runtime/historian/timestamp.ts";
import { assertEquals } from "@std/assert";

const MICROS = Date.UTC(2025, 7, 23, 19, 52, 53) * 1000 + 274_472;

Deno.test("parseTimestamp() reads every form of one moment", () => {
  const forms = [
    "2025-08-23T19:52:53.274472",
    "2025-08-23 19:52:53.274472",
    "2025-08-23T19:52:53.274472Z",
    "2025-08-23T19:52:53.274472999Z",
    "2025-08-23 21:52:53,274472+02:00",
    "2025-08-23 21:52:53.274472+02",
    "2025-08-23T14:22:53.274472-0530",
    " 2025-08-23 19:52:53.274472 UTC ",
  ];
  for (const form of forms) {
    assertEquals(parseTimestamp(form), { micros: MICROS, text: "2025-08-23T19:52:53.274472" }, form);
  }
});

Deno.test("parseTimestamp() reads less than a full time", () => {
  assertEquals(parseTimestamp("2025-08-23")?.text, "2025-08-23T00:00:00.000000");
  assertEquals(parseTimestamp("2025-08-23 19:52")?.text, "2025-08-23T19:52:00.000000");
  assertEquals(parseTimestamp("2025-08-23T19:52:53.5")?.text, "2025-08-23T19:52:53.500000");
  assertEquals(parseTimestamp("1700-01-01")?.text, "1700-01-01T00:00:00.000000");
  assertEquals(parseTimestamp("1969-12-31T23:59:59.999999")?.micros, -1);
});

Deno.test("parseTimestamp() answers null for what is no time", () => {
  const wrong = [
    "",
    "now",
    "2025-02-29",
    "2025-13-01",
    "2025-08-23T24:00",
    "2025-08-23T19:60",
    "2025-08-23T19:52:60",
  ];
  for (
    const text of [
      ...wrong,
      "23.08.2025",
      "1755978773",
      "2025-08-23T",
      "9999-01-01",
      "2025-08-23T19:52 Berlin",
    ]
  ) {
    assertEquals(parseTimestamp(text), null, text);
  }
});

Deno.test("parseTimestamp() takes a time without a zone as the given zone's, and keeps its text", () => {
  const cases: [string, string, string][] = [
    ["2025-08-23T19:52:53", "Europe/Berlin", "2025-08-23T17:52:53.000000"],
    ["2025-01-23T19:52:53", "Europe/Berlin", "2025-01-23T18:52:53.000000"],
    ["2025-01-23T19:52:53", "Asia/Kathmandu", "2025-01-23T14:07:53.000000"],
    ["2025-01-23T19:52:53", "America/St_Johns", "2025-01-23T23:22:53.000000"],
    ["2025-07-01T00:00:00", "Pacific/Kiritimati", "2025-06-30T10:00:00.000000"],
  ];
  for (const [wall, zone, utc] of cases) {
    const { micros, text } = parseTimestamp(wall, zone)!;
    assertEquals(formatTimestamp(micros), utc);
    assertEquals(text, `${wall}.000000`);
  }
});

Deno.test("parseTimestamp() takes the first pass of an hour that occurs twice and moves one that does not occur", () => {
  const utc = (wall: string) => formatTimestamp(parseTimestamp(wall, "Europe/Berlin")!.micros).slice(0, 16);
  assertEquals(utc("2025-10-26T02:30"), "2025-10-26T00:30");
  assertEquals(utc("2025-10-26T03:00"), "2025-10-26T02:00");
  assertEquals(utc("2025-03-30T02:30"), "2025-03-30T01:30");
  assertEquals(parseTimestamp("2025-03-30T02:30", "Europe/Berlin")?.text, "2025-03-30T03:30:00.000000");
});

Deno.test("formatTimestamp() is undone by parseTimestamp() to the microsecond", () => {
  for (const zone of ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"]) {
    for (let i = 0; i < 500; i++) {
      // An odd step visits every season, hour and fraction.
      const micros = MICROS + i * 86_399_123_457;
      assertEquals(parseTimestamp(formatTimestamp(micros, zone), zone)?.text, formatTimestamp(micros, zone));
      assertEquals(parseTimestamp(`${formatTimestamp(micros)}Z`, zone)?.micros, micros);
    }
  }
});

Deno.test("ageSeconds() is the time from a row to a cycle, in the row's zone", () => {
  assertEquals(ageSeconds("2026-01-01 12:00:00.5", "2026-01-01T12:00:12.500Z"), 12);
  assertEquals(ageSeconds("2026-01-01 13:00:00", "2026-01-01T12:00:12.000Z", "Europe/Berlin"), 12);
  assertEquals(ageSeconds("2026-01-01T12:00:20Z", "2026-01-01T12:00:12.000Z"), -8);
  assertEquals([ageSeconds(null, "2026-01-01T12:00:12.000Z"), ageSeconds("soon", "2026-01-01")], [
    null,
    null,
  ]);
});
