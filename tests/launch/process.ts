/** `deno task` as a person runs it: its processes, what they print, and nothing of them left behind. */
import { ROOT } from "../../runtime/config.ts";
import { eventually } from "../std/eventually.ts";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. */
export async function task(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", ...args],
    cwd: options.cwd ?? ROOT,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** State and metadata of their own, so that nothing of the checkout is written. */
export class Folders implements AsyncDisposable {
  readonly root: string;
  readonly state: string;
  readonly flags: readonly string[];

  private constructor(root: string) {
    this.root = root;
    this.state = `${root}/state`;
    this.flags = ["--state", this.state, "--metadata", `${root}/metadata`];
  }

  static async make(): Promise<Folders> {
    const folders = new Folders(await Deno.makeTempDir({ prefix: "setpoint-e2e-" }));
    await Deno.mkdir(`${folders.root}/metadata`);
    const pointer = "deployed_config_version.yaml";
    await Deno.copyFile(`${ROOT}/metadata/${pointer}`, `${folders.root}/metadata/${pointer}`);
    return folders;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

/** A running `deno task start` on any free port. */
export class Service implements AsyncDisposable {
  readonly process: Deno.ChildProcess;
  readonly #state: string;
  readonly #output: Promise<string>;
  #ended = false;

  private constructor(process: Deno.ChildProcess, state: string) {
    this.process = process;
    this.#state = state;
    this.#output = new Response(process.stderr).text();
    process.status.then(() => this.#ended = true);
  }

  /** Resolves when it is ready. @param command Default `deno task start` with the folders and port 0. */
  static async start(
    folders: Folders,
    flags: readonly string[] = [],
    command?: Deno.Command,
  ): Promise<Service> {
    const args = ["task", "--quiet", "start", "--port", "0", ...folders.flags, ...flags];
    const spawned = command ?? new Deno.Command(Deno.execPath(), {
      args,
      cwd: ROOT,
      env: { NO_COLOR: "1" },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      detached: true,
    });
    const service = new Service(spawned.spawn(), folders.state);
    try {
      await service.ready();
    } catch (error) {
      await service[Symbol.asyncDispose]();
      throw new Error(`${error}; it printed: ${await service.output()}`);
    }
    return service;
  }

  get url(): string {
    return JSON.parse(Deno.readTextFileSync(`${this.#state}/run.json`)).url;
  }

  get kernelPid(): number {
    return JSON.parse(Deno.readTextFileSync(`${this.#state}/run.json`)).pid;
  }

  /** Waits until /health/ready is 200, by default of any process, else of one that is not `notPid`. */
  async ready(notPid?: number): Promise<void> {
    await eventually("the service is ready", async () => {
      if (this.#ended) throw new Error("The service has ended");
      try {
        if (this.kernelPid === notPid) return false;
        const response = await fetch(`${this.url}/health/ready`);
        await response.body?.cancel();
        return response.status === 200;
      } catch {
        return false;
      }
    });
  }

  async json(path: string, body?: unknown): Promise<Record<string, unknown>> {
    const init = body === undefined
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    return await (await fetch(`${this.url}${path}`, init)).json();
  }

  /** Everything it printed on standard error, once it has ended. */
  output(): Promise<string> {
    return this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const mine = this.#ended ? [] : tree(this.process.pid);
    kill(this.process.pid, "SIGTERM");
    await eventually("everything has ended", () => alive(mine).length === 0).catch(() => {});
    for (const pid of alive(mine)) kill(pid, "SIGKILL");
    await this.process.status;
    await this.#output;
  }
}

/** Live processes below a pid, itself included; kernel and cells have sessions of their own, so parents are followed. */
export function tree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const { pid, parent } of living()) children.set(parent, [...children.get(parent) ?? [], pid]);
  const found = [root];
  for (const pid of found) found.push(...children.get(pid) ?? []);
  return found;
}

/** Those of `pids` that still run. */
export function alive(pids: readonly number[]): number[] {
  const all = new Set(living().map(({ pid }) => pid));
  return pids.filter((pid) => all.has(pid));
}

export function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // it has ended already
  }
}

/** All processes that are no zombies. Deno lets only --allow-all read /proc, so a shell does. */
function living(): { pid: number; parent: number }[] {
  const { stdout } = new Deno.Command("sh", { args: ["-c", "cat /proc/[0-9]*/stat 2>/dev/null"] })
    .outputSync();
  return new TextDecoder().decode(stdout).trim().split("\n").flatMap((line) => {
    const [state, parent] = line.slice(line.lastIndexOf(") ") + 2).split(" ");
    return state === "Z" ? [] : [{ pid: parseInt(line), parent: Number(parent) }];
  });
}
