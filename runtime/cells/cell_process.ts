/** In the kernel: one life of one cell, from its spawning to its end. */
import { fileURLToPath } from "node:url";
import type { Clock } from "../clock.ts";
import { checkFromCell } from "./answers.ts";
import { decodeFrame, encodeFrame, FrameError, FrameReader } from "./frames.ts";
import type { CellLimits, Limits } from "./limits.ts";
import type { FromCell, ToCell } from "./protocol.ts";
import type { SdkExtent } from "./sdk_extent.ts";

export interface CellProcessOptions {
  readonly clock: Clock;
  readonly limits: Limits;
  /** What plugins find as "setpoint". Default: "core". */
  readonly sdk?: SdkExtent;
  /** The script that runs as the cell, a path. Default: cell.ts. */
  readonly entry?: string;
  /** Where Deno keeps compiled sources, a path. Default: Deno's own place in the home folder, if there is one. */
  readonly denoDir?: string;
  /** Called for every frame but ready, beat and end. */
  readonly onFrame: (frame: Exclude<FromCell, { t: "ready" | "beat" | "end" }>) => void;
  /** Called once, when the process cannot be used any more. */
  readonly onEnd: (end: CellEnd) => void;
}

export interface CellEnd {
  /** FRAME_*: what the cell sent was broken. */
  readonly code: "PLUGIN_DIED" | "FRAME_INVALID" | "FRAME_TOO_LARGE";
  readonly reason: string;
}

/** What a cell may read: its own sources, of which none is secret. */
const TRUSTED = [
  "./",
  "../graph/",
  "../solver/",
  "../engine/",
  "../clock.ts",
  "../../plugins/sdk.ts",
  "../../plugins/sdk_core.ts",
];
const STDERR_BYTES = 2_000;
/** Lines for the log that a cell may send in one tick: its workers send fewer. */
const MOST_LINES = 200;
/** Silence is measured in this many ticks, and heartbeats are counted in each. */
const TICKS = 6;

export class CellProcess {
  readonly #options: CellProcessOptions;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #done: Promise<unknown>;
  readonly #stopTimer: () => void;
  #ready: { resolve(): void; reject(error: unknown): void } | undefined;
  readonly ready: Promise<void>;
  #over = false;
  #rss: number | null = null;
  #heap: number | null = null;
  #silentTicks = 0;
  #heard: number;
  #beats = 0;
  #lines = 0;
  #lastWords = "";
  #stderr = "";

  constructor(options: CellProcessOptions) {
    this.#options = options;
    this.#heard = options.clock.monotonic();
    this.#child = spawn(options);
    this.#writer = this.#child.stdin.getWriter();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.#ready = { resolve, reject };
    promise.catch(() => {});
    this.#writer.closed.catch(() => {});
    const { clock, limits } = options;
    this.#stopTimer = clock.every(limits.silenceMs / TICKS, () => this.#tick());
    const drained = Promise.all([this.#read(), this.#readErrors()]);
    this.#done = Promise.all([drained, this.#wait(drained)]);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Resident bytes, as its last heartbeat told. */
  get rss(): number | null {
    return this.#rss;
  }

  /** Heap of its largest worker, bytes: what the worker says of itself. */
  get heap(): number | null {
    return this.#heap;
  }

  /** Since the last frame of any kind, ms. */
  get heartbeatAge(): number {
    return this.#options.clock.monotonic() - this.#heard;
  }

  /** Never waits: what the pipe does not take now is kept. @throws {FrameError} FRAME_TOO_LARGE @throws {TypeError} */
  send(message: ToCell): void {
    const { requestBytes } = this.#options.limits;
    const frame = encodeFrame(message, { frameBytes: requestBytes, jsonBytes: requestBytes });
    if (!this.#over) this.#writer.write(frame).catch(() => {});
  }

  /** SIGKILL; the process is of no use from here on, also when it still answers. */
  kill(reason: string, code: CellEnd["code"] = "PLUGIN_DIED"): void {
    if (this.#over) return;
    this.#signal();
    this.#finish({ code, reason });
  }

  /** Kills it and resolves when it is reaped and its pipes are closed. */
  async close(): Promise<void> {
    this.kill("closed");
    await this.#done;
  }

  #signal(): void {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it is dead already
    }
  }

  #finish(end: CellEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopTimer();
    this.#writer.abort(end.reason).catch(() => {});
    this.#ready?.reject(new Error(end.reason));
    this.#options.onEnd(end);
  }

  async #read(): Promise<void> {
    const reader = new FrameReader(this.#options.limits);
    try {
      for await (const chunk of this.#child.stdout) {
        if (this.#over) continue;
        for (const frame of reader.push(chunk)) {
          if (!this.#over) this.#receive(checkFromCell(decodeFrame(frame, this.#options.limits)));
        }
      }
    } catch (error) {
      const code = error instanceof FrameError ? error.code : "FRAME_INVALID";
      this.kill((error as Error).message, code);
      await this.#child.stdout.cancel().catch(() => {});
    }
  }

  #receive(message: FromCell): void {
    this.#silentTicks = 0;
    this.#heard = this.#options.clock.monotonic();
    switch (message.t) {
      case "ready":
        this.#ready?.resolve();
        this.#ready = undefined;
        return;
      case "beat":
        this.#rss = message.rss;
        this.#heap = message.heap;
        if (++this.#beats > this.#mostBeats) this.kill("floods its pipe", "FRAME_INVALID");
        return;
      case "log":
        if (++this.#lines > MOST_LINES) this.kill("floods the log", "FRAME_INVALID");
        return this.#options.onFrame(message);
      case "end":
        this.#lastWords = message.reason;
        return;
      default:
        this.#options.onFrame(message);
    }
  }

  /** In one tick, with room for some that were held up. */
  get #mostBeats(): number {
    const { silenceMs, beatMs } = this.#options.limits;
    return 20 + 4 * silenceMs / beatMs;
  }

  /** Ticks are counted, not times compared: after the kernel itself was held up, a cell gets its chance to be heard. */
  #tick(): void {
    this.#beats = this.#lines = 0;
    if (this.#ready === undefined && ++this.#silentTicks > 6) {
      return this.kill(`silent for ${this.#options.limits.silenceMs} ms`);
    }
    this.send({ t: "beat" });
  }

  /** V8 tells there why it gave up. */
  async #readErrors(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of this.#child.stderr) {
        if (this.#stderr.length < STDERR_BYTES * 4) this.#stderr += decoder.decode(chunk, { stream: true });
      }
    } catch {
      // the pipe broke: nothing more is said
    }
  }

  async #wait(drained: Promise<unknown>): Promise<void> {
    const { code, signal } = await this.#child.status;
    // The last frame says why it ended, and is in the pipe still.
    await drained;
    const how = signal === null ? `exit code ${code}` : signal;
    const why = this.#lastWords || lastFault(this.#stderr, this.#options.limits);
    this.#finish({ code: "PLUGIN_DIED", reason: why === "" ? how : `${how}, ${why}` });
  }
}

function lastFault(stderr: string, { heapMb }: Limits): string {
  if (/out of memory/i.test(stderr)) return `memory: its JavaScript heap is more than ${heapMb} MB`;
  const line = stderr.split("\n").find((text) =>
    /fatal|error|panic/i.test(text) && !text.includes("Import map:")
  );
  return line?.trim().slice(0, 300) ?? "";
}

function spawn(
  { limits, sdk = "core", entry = pathOf("./cell.ts"), denoDir }: CellProcessOptions,
): Deno.ChildProcess {
  const { rssMb, frameBytes, jsonBytes, requestBytes, beatMs, silenceMs } = limits;
  const cellLimits: CellLimits = { rssMb, frameBytes, jsonBytes, requestBytes, beatMs, silenceMs };
  const command = new Deno.Command(Deno.execPath(), {
    args: [...cellFlags(limits.heapMb, sdk), entry, JSON.stringify(cellLimits), sdk],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    clearEnv: true,
    // Read by Deno before any code runs; no code in the cell may read the environment.
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...(denoDir !== undefined && { DENO_DIR: denoDir }) },
    // A terminal sends Ctrl-C to the whole group; the kernel ends its cells itself.
    detached: true,
  });
  return command.spawn();
}

/** Everything between `deno` and the script. */
export function cellFlags(heapMb: number, sdk: SdkExtent = "core"): string[] {
  const importMap = sdk === "core" ? "./import_map_core.json" : "./import_map.json";
  return [
    "run",
    "--quiet",
    "--no-prompt",
    "--no-npm",
    "--no-remote",
    "--cached-only",
    "--no-config",
    "--no-lock",
    "--no-code-cache",
    "--unstable-worker-options",
    `--import-map=${pathOf(importMap)}`,
    `--v8-flags=--max-old-space-size=${heapMb},--max-semi-space-size=2,--heap-growing-percent=30,--disallow-code-generation-from-strings`,
    `--allow-read=${TRUSTED.map((source) => pathOf(source).replaceAll(",", ",,")).join(",")}`,
  ];
}

function pathOf(source: string): string {
  return fileURLToPath(new URL(source, import.meta.url));
}
