/** The real kernel in the test's process, composed as main.ts does; its cells are real processes. */
import { dirname } from "node:path/posix";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { readConfig, ROOT } from "../../runtime/config.ts";
import { composeKernel } from "../../runtime/kernel/compose.ts";
import type { SetpointKernel } from "../../runtime/kernel/kernel.ts";
import type { Answer } from "../../runtime/kernel/types.ts";

export type State = Readonly<Record<string, number>>;

export interface KernelOptions {
  /** A strategy file of this checkout, e.g. "strategies/kiln/strategy.yaml", or its whole text. Default: the deployed one. */
  readonly strategy?: string;
  /** Beside a strategy's text: name → content, e.g. a plugin; folders in names are made. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** SETPOINT_* variables: the configuration. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default false: nothing is written anywhere. */
  readonly serving?: boolean;
  readonly clock?: Clock;
  /** As the launcher counts them. Default 0. */
  readonly crashes?: number;
}

export interface OpenKernel extends AsyncDisposable {
  readonly kernel: SetpointKernel;
  /** What it logged. */
  readonly lines: readonly string[];
  /** Temporary; the strategy and its files are in it, and `state` and `metadata` where none are configured. */
  readonly folder: string;
  /** One answer to one state, for a caller of the API. */
  answer(state: State, config?: unknown): Promise<Answer>;
}

/** Opens a kernel that has loaded its strategy. @throws {SetpointError} What loading throws; nothing is left open then. */
export async function openKernel(options: KernelOptions = {}): Promise<OpenKernel> {
  const { strategy, files = {}, serving = false, clock = systemClock, crashes } = options;
  const folder = await Deno.makeTempDir({ prefix: "setpoint-kernel-" });
  const lines: string[] = [];
  await using opened = new AsyncDisposableStack();
  opened.defer(() => Deno.remove(folder, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.mkdir(dirname(`${folder}/${name}`), { recursive: true });
    await Deno.writeFile(`${folder}/${name}`, bytes);
  }
  const env: Record<string, string> = {
    // no good solve takes as long, also on a slow and busy machine
    SETPOINT_OPTIMIZATION_DEADLINE_MS: "120000",
    SETPOINT_FOLDERS_STATE: `${folder}/state`,
    SETPOINT_FOLDERS_METADATA: serving ? `${folder}/metadata` : `${ROOT}/metadata`,
    ...options.env,
  };
  if (serving && options.env?.SETPOINT_FOLDERS_METADATA === undefined) await deploy(`${folder}/metadata`);
  const flags: Record<string, string> = {};
  if (strategy !== undefined) flags.strategy = await strategyFile(strategy, folder);
  const config = await readConfig({ flags, env: (name) => env[name] });
  const log = (_: string, message: string) => void lines.push(message);
  const { kernel } = opened.use(await composeKernel(config, { clock, log, serving, crashes }));
  await kernel.load();
  const all = opened.move();
  return {
    kernel,
    lines,
    folder,
    answer: (input, posted) =>
      kernel.optimize({ input, origin: "api", ...(posted !== undefined && { config: posted }) }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A state that comes with a strategy of this checkout. @param path E.g. "kiln/nominal". */
export function inputOf(path: string): State {
  const [strategy, name] = path.split("/");
  return JSON.parse(Deno.readTextFileSync(`${ROOT}/strategies/${strategy}/inputs/${name}.json`));
}

/** A metadata folder with the checkout's own pointer. */
async function deploy(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const pointer = "deployed_config_version.yaml";
  await Deno.copyFile(`${ROOT}/metadata/${pointer}`, `${folder}/${pointer}`);
}

async function strategyFile(strategy: string, folder: string): Promise<string> {
  if (!strategy.includes("\n")) return `${ROOT}/${strategy}`;
  await Deno.writeTextFile(`${folder}/strategy.yaml`, strategy);
  return `${folder}/strategy.yaml`;
}
