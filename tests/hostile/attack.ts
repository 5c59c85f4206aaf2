/** Runs the same attack as a plugin in a real cell, and in an unhardened worker of a throw-away process. */
import { startHost } from "../cells/start.ts";
import { skillOf } from "../cells/plugins.ts";

export type Host = ReturnType<typeof startHost>["host"];

/** `body` runs while the plugin loads, so it may wait; what it returns or throws becomes the plugin's only answer. */
export function attackPlugin(body: string, statics = ""): string {
  return `${statics}
import { definePlugin } from "setpoint";
${outcomeOf(body)}
export default definePlugin({
  name: "test/attack",
  version: "1.0.0",
  kind: "composition",
  sequence(skill: { config: { run?: string } }) {
    return [outcome];
  },
});`;
}

function outcomeOf(body: string): string {
  return `
let outcome = "pending";
try {
  outcome = "got " + String(await (async () => { ${body} })());
} catch (error) {
  outcome = "denied " + String(error);
}`;
}

/** What came of the attack in a cell: "got …" or "denied …". */
export async function attackCell(host: Host, body: string, statics = ""): Promise<string> {
  const id = `attack ${crypto.randomUUID()}`;
  try {
    const plugin = await host.open({ id, text: attackPlugin(body, statics) });
    return (await plugin.sequence(skillOf("attack")))[0];
  } catch (error) {
    return `denied ${(error as Error).message}`;
  } finally {
    await host.release(id);
  }
}

export interface ControlOutcome {
  /** Standard output: the attack's outcome, unless the process died. */
  readonly text: string;
  readonly code: number;
  readonly signal: string | null;
}

/** The attack in a worker with permissions "none" of a process that may do all. @param flags For V8, without dashes. */
export async function attackControl(
  body: string,
  statics = "",
  flags: readonly string[] = [],
): Promise<ControlOutcome> {
  using control = spawnControl(body, statics, flags);
  const [status, text] = await Promise.all([control.child.status, new Response(control.child.stdout).text()]);
  return { text, code: status.code, signal: status.signal };
}

/** The same, while it runs; disposing kills it. */
export function spawnControl(body: string, statics = "", flags: readonly string[] = []) {
  const text = `${statics}\n${outcomeOf(body)}\npostMessage(outcome);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--quiet",
      "--no-lock",
      "--no-config",
      "--unstable-worker-options",
      `--v8-flags=${["max-old-space-size=64", ...flags].map((flag) => `--${flag}`).join(",")}`,
      decodeURIComponent(new URL("./control.ts", import.meta.url).pathname),
      text,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  return {
    child,
    [Symbol.dispose]() {
      try {
        child.kill("SIGKILL");
      } catch {
        // it is over
      }
    },
  };
}
