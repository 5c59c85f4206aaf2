/** A hostile plugin beside an honest one: what came of it, and what the kernel and the honest one noticed. */
import { cpuUsage } from "node:process";
import { systemClock } from "../../runtime/clock.ts";
import { skillOf } from "../cells/plugins.ts";
import { cpuTicks, lives } from "../cells/start.ts";
import { eventually } from "../std/eventually.ts";
import type { Host } from "./attack.ts";

export interface Abuse {
  readonly name: string;
  /** At the top of the plugin's file: runs while it loads. */
  readonly top?: string;
  /** In `evaluate` of a skill whose config has `attack`. Default: the honest answer. */
  readonly body?: string;
  /** Further lines of the manifest, or one in the place of what stands there. */
  readonly manifest?: string;
  /** The whole file. */
  readonly text?: string;
  /** "load": opening it is the attack; "call": a call; "rest": what it does after a good answer. */
  readonly at: "load" | "call" | "rest";
  /** The call, or the loading, ends at its deadline alone, which is a short one. Default false. */
  readonly endless?: boolean;
  /** In a plain worker of a process of its own: works on after it was ended, or takes the memory of that process. */
  readonly control?: "spins" | "eats";
  /** What the failure must say, or "answers" where it may go on. */
  readonly says: RegExp | "answers";
}

export interface Assault {
  /** What it answered, or how it failed. */
  readonly outcome: string;
  /** Longest time that the kernel's event loop stood still, ms. */
  readonly lagMs: number;
  /** Longest that the kernel worked without a turn of its event loop, ms of a processor: the same on a busy machine. */
  readonly workMs: number;
  /** Answers of the honest plugin meanwhile. */
  readonly others: number;
  /** Longest call of the honest plugin meanwhile, ms. */
  readonly othersMs: number;
  /** From the answer, or the failure, until its process is gone or at rest, ms. */
  readonly idleMs: number;
}

/** `config.attack` runs `body`; all else is answered with ones. */
export function abuseText({ top = "", body = "", manifest = "", text }: Abuse): string {
  return text ?? `import { definePlugin, Graph, log, SkillError } from "setpoint";
const kept = [];
/** A thing that no JavaScript engine collects or clones in a hurry. */
const nested = (depth) => { let value = []; for (let k = 0; k < depth; k++) value = [value, value.length]; return value; };
/** A timer that stayed: it waits in memory that is shared with nobody. */
const cell = new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
const later = (ms, then) => Atomics.waitAsync(cell, 0, 0, ms).value.then(then);
let calls = 0;
${top}
export default definePlugin({
  name: "test/abuse",
  version: "1.0.0",
  kind: "model",
  ${manifest}
  evaluate(skill, batch, count) {
    const ones = () => new Float64Array(count).fill(1);
    if (skill.config.attack) { calls++; ${body} }
    return ones();
  },
});`;
}

const TICK_MS = 2;
const POLL_MS = 50;
/** Clock ticks of the system in one poll from which a process works: a fifth of a processor. */
const WORKS = 1;

/** @param bystander Calls the honest plugin once. */
export async function assault(
  host: Host,
  abuse: Abuse,
  bystander: () => Promise<unknown>,
): Promise<Assault> {
  const id = `abuse ${crypto.randomUUID()}`;
  let lagMs = 0;
  let workMs = 0;
  let others = 0;
  let othersMs = 0;
  let over = false;
  let last = performance.now();
  let worked = processorMs();
  const stop = systemClock.every(TICK_MS, () => {
    const now = performance.now();
    lagMs = Math.max(lagMs, now - last - TICK_MS);
    last = now;
    const used = processorMs();
    workMs = Math.max(workMs, used - worked);
    worked = used;
  });
  const asking = (async () => {
    while (!over) {
      const begun = performance.now();
      await bystander();
      othersMs = Math.max(othersMs, performance.now() - begun);
      others++;
      await systemClock.sleep(10);
    }
  })();
  const pid = () => host.status().find((cell) => cell.id === id)?.pid ?? null;
  let watched: number | null = null;
  let ended: number | undefined;
  const outcome = (async () => {
    try {
      const plugin = await host.open({ id, text: abuseText(abuse) });
      watched = pid();
      if (abuse.at === "load") return "loaded";
      const skill = skillOf("attacked", { config: { attack: true } });
      await plugin.lower(skill);
      const values = await plugin.evaluate(skill, 0, Float64Array.of(1, 2), 1, deadlineOf(abuse));
      ended = performance.now();
      if (abuse.at === "rest") return await failureOf(host, id);
      return `answered ${values}`;
    } catch (error) {
      return (error as Error).message;
    }
  })();
  const said = await outcome;
  ended ??= performance.now();
  await atRest(watched);
  const idleMs = performance.now() - ended;
  over = true;
  await asking;
  stop();
  await host.release(id);
  if (watched !== null && lives(watched)) throw new Error(`process ${watched} outlived its plugin`);
  return { outcome: said, lagMs, workMs, others, othersMs, idleMs };
}

/** Short for what ends there or may; what must be answered has time on the slowest machine. */
function deadlineOf({ endless = false, at, says }: Abuse): number {
  if (endless) return 300;
  return at === "call" && says !== "answers" && says.test("exceeded 2000 ms") ? 2_000 : 30_000;
}

/** User and system time of this process, ms. */
function processorMs(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1000;
}

/** Waits until its cell died of what it does between calls. */
async function failureOf(host: Host, id: string): Promise<string> {
  const failure = () => host.status().find((cell) => cell.id === id)?.last_failure ?? null;
  await eventually("its cell has died", () => failure() !== null);
  return failure()!;
}

async function atRest(pid: number | null): Promise<void> {
  await eventually(`process ${pid} rests`, async () => {
    if (pid === null || !lives(pid)) return true;
    const before = cpuTicks(pid);
    await systemClock.sleep(POLL_MS);
    return !lives(pid) || cpuTicks(pid) - before <= WORKS;
  });
}
