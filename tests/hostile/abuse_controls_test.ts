/** What is denied in a cell does its harm in a plain process, so that no script is merely broken. */
import { cpuTicks, lives, residentBytes } from "../cells/start.ts";
import { assert } from "../std/assert.ts";
import { eventually } from "../std/eventually.ts";
import { ABUSES } from "./abuses.ts";
import { spawnControl } from "./attack.ts";

/** What assault.ts gives a body, without the SDK. */
const WORLD = `const kept = [];
const cell = new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);`;
/** More than a cell of these abuses may have. */
const MUCH = 400 << 20;
/** Clock ticks of the system that nobody needs who rests. */
const WORK = 20;

for (const { name, at, top = "", body = "", control } of ABUSES) {
  if (control === undefined) continue;
  const script = at === "load" ? top : body;
  Deno.test(`control: ${name} ${control === "spins" ? "works on after its end" : "takes a plain process's memory"}`, async () => {
    const told = control === "spins" ? "terminate me" : "go on";
    using process = spawnControl(`postMessage("${told}"); ${script}`, WORLD);
    const { child } = process;
    const over = child.status;
    try {
      if (control === "spins") {
        const reader = child.stdout.getReader();
        await reader.read();
        reader.releaseLock();
        const before = cpuTicks(child.pid);
        await eventually("it works on", () => cpuTicks(child.pid) - before > WORK);
      } else {
        await eventually("it has taken much", () => !lives(child.pid) || residentBytes(child.pid) > MUCH);
        // the script itself ends with 0, whatever came of it
        if (!lives(child.pid)) assert((await over).code !== 0, "it ended by itself");
      }
    } finally {
      if (lives(child.pid)) child.kill("SIGKILL");
      await Promise.all([over, child.stdout.cancel()]);
    }
  });
}
