import { Rest } from "../../runtime/cells/rest.ts";
import { assertEquals } from "../std/assert.ts";

const BEAT_MS = 250;

/** Heartbeats at rest until it is noticed; undefined: not within an hour. @param share Of a processor, by heartbeat. */
function noticed(share: (beat: number) => number, rest = new Rest()): number | undefined {
  for (let beat = 1; beat <= 4 * 3_600; beat++) {
    if (rest.broken(share(beat) * BEAT_MS, BEAT_MS, true)) return beat;
  }
}

Deno.test("Rest notices a processor within three heartbeats, and a small part of one within a minute", () => {
  assertEquals(noticed(() => 1), 3);
  assertEquals(noticed(() => 4), 2);
  assertEquals(noticed(() => 0.26), 3);
  assertEquals(noticed(() => 0.24), 29);
  assertEquals(noticed(() => 0.12), 201);
  // two beats of much, one of nothing: for the first rule that is clearing up
  assertEquals(noticed((beat) => beat % 3 === 0 ? 0 : 0.5), 17);
});

Deno.test("Rest lets a cell clear up after a call, and beat for ever", () => {
  assertEquals(noticed((beat) => beat <= 2 ? 1.5 : 0.05), undefined);
  assertEquals(noticed(() => 0.09), undefined);
  const rest = new Rest();
  for (let call = 0; call < 1_000; call++) {
    assertEquals(rest.broken(4 * BEAT_MS, BEAT_MS, false), false);
    assertEquals(rest.broken(1.5 * BEAT_MS, BEAT_MS, true), false);
  }
});
