/** Runs the same attack as a plugin in a real cell, and in an unhardened worker of a throw-away process. */
import { cellFlags } from "../../runtime/cells/cell_process.ts";
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

/** A worker of a cell without what runtime/cells/worker.ts adds: no global is taken away, no text is looked at. */
const INNER = `
const text = \`onmessage = async ({ data }) => {
  const url = URL.createObjectURL(new Blob([data], { type: "application/typescript" }));
  postMessage(await import(url).then((module) => module.default, (error) => "denied " + error));
};\`;
const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
const worker = new Worker(url, { type: "module", deno: { permissions: "none" } });
worker.onmessage = ({ data }) => {
  Deno.stdout.writeSync(new TextEncoder().encode(data));
  Deno.exit(0);
};
worker.postMessage(Deno.args[0]);`;

/** What comes of the attack under a cell's flags and permissions alone: the second wall, should the first one fall. */
export async function attackInner(body: string, statics = "", denoDir?: string): Promise<string> {
  const entry = `data:text/javascript,${encodeURIComponent(INNER)}`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [...cellFlags(64), entry, `${statics}\n${outcomeOf(body)}\nexport default outcome;`],
    clearEnv: true,
    env: { ...(denoDir !== undefined && { DENO_DIR: denoDir }) },
    stderr: "null",
  }).output();
  return new TextDecoder().decode(stdout);
}

export interface ControlOutcome {
  /** Standard output: the attack's outcome, unless the process died. */
  readonly text: string;
  readonly code: number;
  readonly signal: string | null;
}

export type ControlPermissions = "none" | "inherit";

export interface ControlOptions {
  /** Of the worker, in a process that may do all. Default "none". */
  readonly permissions?: ControlPermissions;
  /** For V8, without dashes. */
  readonly flags?: readonly string[];
}

/** The attack in a plain worker of a throw-away process. */
export async function attackControl(
  body: string,
  statics = "",
  options: ControlOptions = {},
): Promise<ControlOutcome> {
  using control = spawnControl(body, statics, options);
  const [status, text] = await Promise.all([control.child.status, new Response(control.child.stdout).text()]);
  return { text, code: status.code, signal: status.signal };
}

/** The same, while it runs; disposing kills it. */
export function spawnControl(
  body: string,
  statics = "",
  { permissions = "none", flags = [] }: ControlOptions = {},
) {
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
      permissions,
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
