import { systemClock } from "../../runtime/clock.ts";
import { parseTimestamp } from "../../runtime/historian/timestamp.ts";
import { openJournal } from "../../runtime/journal/journal.ts";
import { readMirror, restoreMirror } from "../../runtime/journal/mirror.ts";
import { assert, assertEquals } from "@std/assert";
import { cycle, lastRun } from "./cycle_fixture.ts";

const KILLS = 50;
/** Of these, one in three is killed while it certainly has a transaction open. */
const HOLD_EVERY = 3;

Deno.test("kill -9 at any moment leaves whole cycles, all that were told durable, and their timestamp (F26)", async () => {
  // Two gateways side by side, each killed and started again on its own state.
  const chains = await Promise.all([chain(1, KILLS / 2), chain(2, KILLS / 2)]);
  const open = chains.reduce((sum, each) => sum + each.open, 0);
  const cycles = chains.reduce((sum, each) => sum + each.cycles, 0);
  assert(open >= 10, `only ${open} of ${KILLS} kills met an open transaction`);
  assert(cycles >= KILLS, `only ${cycles} cycles in ${KILLS} runs`);
});

async function chain(seed: number, kills: number): Promise<{ open: number; cycles: number }> {
  const folder = await Deno.makeTempDir();
  const random = generator(seed);
  let open = 0;
  let checked = 0;
  for (let i = 0; i < kills; i++) {
    const hold = i % HOLD_EVERY === 0;
    const { lines, killedOpen } = await runAndKill(
      folder,
      hold ? String(Math.floor(random() * 30)) : "run",
      50 + 450 * random(),
    );
    if (killedOpen) open++;
    checked = await checkState(folder, checked, lines, killedOpen);
  }
  await Deno.remove(folder, { recursive: true });
  return { open, cycles: checked };
}

/** Kills the child after `ms`, or when it has said "open". */
async function runAndKill(
  folder: string,
  mode: string,
  ms: number,
): Promise<{ lines: string[]; killedOpen: boolean }> {
  const script = decodeURIComponent(new URL("./kill_child.ts", import.meta.url).pathname);
  await using child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-prompt", "--no-check", "--quiet", "--no-config", "--no-lock"],
      ...[`--allow-read=${folder}`, `--allow-write=${folder}`, script, folder, mode],
    ],
    stdout: "piped",
  }).spawn();
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    // The clock starts with the first cycle: before it there is nothing to tear.
    if (text === "" && mode === "run") systemClock.after(ms, () => child.kill("SIGKILL"));
    text += part;
    if (text.endsWith("open\n")) child.kill("SIGKILL");
  }
  const { signal } = await child.status;
  assertEquals(signal, "SIGKILL");
  // A line without its end was being written when the kill came.
  const lines = text.split("\n").slice(0, -1);
  return { lines, killedOpen: lines.at(-1) === "open" };
}

async function checkState(
  folder: string,
  from: number,
  lines: string[],
  killedOpen: boolean,
): Promise<number> {
  using journal = openJournal(`${folder}/journal.sqlite`);
  const told = lines.filter((line) => line.startsWith("done")).map((line) => Number(line.slice(5)) + 1);
  const durable = Math.max(from, ...told);
  // A commit may have been made and the kill have come before it was told; one at most.
  assert(
    journal.size === durable || (journal.size === durable + 1 && !killedOpen),
    `${journal.size} for ${durable}`,
  );
  for (let n = from; n < journal.size; n++) assertEquals(journal.cycle(cycle(n).id), cycle(n));
  const last = journal.size === 0 ? null : lastRun(journal.size - 1);
  assertEquals(journal.lastRun(), last);
  assertEquals(journal.cycles({ limit: 1 })[0]?.rowTimestamp, last?.text);
  await restoreMirror(journal, folder, parseTimestamp);
  assertEquals(await readMirror(folder), last?.text ?? null);
  return journal.size;
}

/** Numbers in [0, 1) after Park and Miller, the same in each run. */
function generator(seed: number): () => number {
  let state = seed * 48_271;
  return () => (state = state * 48_271 % 2_147_483_647) / 2_147_483_647;
}
