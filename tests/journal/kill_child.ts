/**
 * The process that the kill test kills: records cycles back to back, each with its timestamp and mirror, as the kernel
 * does. Says "open" with a transaction open and "done <n>" when cycle n is durable.
 * Arguments: folder, and "run", or the number of cycles after which to stop with a transaction open.
 */
import { openJournal } from "../../runtime/journal/journal.ts";
import { writeMirror } from "../../runtime/journal/mirror.ts";
import { cycle, lastRun } from "./cycle_fixture.ts";

const [folder, mode] = Deno.args;
const holdAfter = mode === "run" ? Infinity : Number(mode);
const encoder = new TextEncoder();
let recorded = 0;

function say(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

using journal = openJournal(`${folder}/journal.sqlite`, {
  onStep(step) {
    if (step !== "written" || recorded < holdAfter) return;
    say("open");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  },
});
for (let n = journal.size;; n++) {
  journal.record(cycle(n), { lastRun: lastRun(n) });
  recorded++;
  say(`done ${n}`);
  await writeMirror(folder, lastRun(n));
}
