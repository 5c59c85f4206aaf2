import { type Clock, systemClock } from "../../runtime/clock.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { groupCommit } from "../../runtime/journal/group_commit.ts";
import { openJournal } from "../../runtime/journal/journal.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { cycle } from "./cycle_fixture.ts";

/** A clock whose one pending timer the test fires by hand. */
function heldClock(): Clock & { fire: () => void; delays: number[] } {
  let pending: (() => void) | null = null;
  return {
    ...systemClock,
    delays: [],
    fire: () => pending?.(),
    after(ms, fn) {
      this.delays.push(ms);
      pending = fn;
      return () => void (pending = null);
    },
  };
}

Deno.test("add() resolves for all of a group after one transaction, at most 20 ms after the first", async () => {
  let commits = 0;
  using journal = openJournal(":memory:", { onStep: (step) => void (step === "committed" && commits++) });
  const clock = heldClock();
  using commit = groupCommit(journal, clock);
  const added = Promise.all([1, 2, 3].map((n) => commit.add(cycle(n, { origin: "api" }))));
  assertEquals([journal.size, clock.delays], [0, [20]]);
  clock.fire();
  await added;
  assertEquals([journal.size, commits], [3, 1]);
  const next = commit.add(cycle(4));
  clock.fire();
  await next;
  assertEquals([journal.size, commits, clock.delays], [4, 2, [20, 20]]);
});

Deno.test("a full group does not wait, and disposing writes what waits", async () => {
  using journal = openJournal(":memory:");
  const clock = heldClock();
  let last: Promise<void>;
  {
    using commit = groupCommit(journal, clock, { maxBatch: 2 });
    await Promise.all([commit.add(cycle(1)), commit.add(cycle(2))]);
    assertEquals(journal.size, 2);
    last = commit.add(cycle(3));
  }
  await last;
  assertEquals(journal.size, 3);
});

Deno.test("add() takes the record as it is now", async () => {
  using journal = openJournal(":memory:");
  using commit = groupCommit(journal, heldClock());
  const inputs = { level: 1 };
  const added = commit.add(cycle(1, { inputs }));
  inputs.level = 2;
  commit.flush();
  await added;
  assertEquals(journal.cycle(cycle(1).id)?.inputs, { level: 1 });
});

Deno.test("a record that cannot be encoded fails alone, a transaction that fails rejects its group", async () => {
  const journal = openJournal(":memory:");
  const commit = groupCommit(journal, heldClock());
  const good = commit.add(cycle(1));
  await assertRejects(() => commit.add(cycle(2, { inputs: 1n })), TypeError);
  commit.flush();
  await good;
  assertEquals(journal.size, 1);
  const lost = [commit.add(cycle(3)), commit.add(cycle(4))];
  journal.close();
  commit.flush();
  for (const each of lost) {
    assertEquals((await assertRejects(() => each, SetpointError)).code, "JOURNAL_UNUSABLE");
  }
});
