import type { Clock } from "../clock.ts";
import { SetpointError, setpointError, whyUnreadable } from "../errors.ts";
import { readStrategy } from "../strategy/load.ts";
import type { Activation } from "./activation.ts";

export interface FileDeploymentOptions {
  readonly clock: Clock;
  /** The strategy. */
  readonly file: string;
  /** Links, starts and tries what the file says; rejects where it must not run. */
  readonly open: (text: string, file: string) => Promise<Activation>;
  /** After another one has become the active one. */
  readonly onSwap: () => void;
  readonly log: (line: string, level: "info" | "warn") => void;
}

/** Looking costs a `stat` a file. A change is taken up when it looks the same twice: nobody saves in one go. */
const LOOK_EVERY_MS = 400;

/**
 * A strategy file in the place of a deployed version. When it changes, or a plugin that it names by path does, the new
 * one is opened, its plugins' own tests included, beside the old one, which goes on working and stays on any failure.
 * Whoever runs a cycle holds its activation, so a swap never takes it away in mid-cycle.
 */
export class FileDeployment implements AsyncDisposable {
  readonly #options: FileDeploymentOptions;
  #active: Activation | undefined;
  #watched: readonly string[] = [];
  #problem: string | undefined;
  /** What the files looked like when they were last opened, and when they were last looked at. */
  #opened = "";
  #seen = "";
  #looking: Promise<void> | undefined;
  #stopLooking = () => {};

  constructor(options: FileDeploymentOptions) {
    this.#options = options;
  }

  get active(): Activation | undefined {
    return this.#active;
  }

  /** Why the files as they are now are not what runs; undefined when they are. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** @throws {SetpointError} With every problem of the strategy. */
  async start(): Promise<void> {
    const { clock, open, file } = this.#options;
    const text = await readStrategyFile(file);
    this.#watched = filesOf(text, file);
    this.#opened = this.#seen = await this.#look();
    this.#active = await open(text, file);
    this.#stopLooking = clock.every(LOOK_EVERY_MS, () => {
      this.#looking ??= this.#compare().finally(() => this.#looking = undefined);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopLooking();
    await this.#looking;
    await this.#active?.retire();
    this.#active = undefined;
  }

  async #compare(): Promise<void> {
    const now = await this.#look();
    const settled = now === this.#seen;
    this.#seen = now;
    if (!settled || now === this.#opened) return;
    this.#opened = now;
    const { file, log } = this.#options;
    try {
      await this.#swap();
      log(`Changed files of strategy "${file}" are in use`, "info");
    } catch (error) {
      if (!(error instanceof SetpointError)) throw error;
      this.#problem = `The changed files of the strategy cannot run, what ran before stays: ${error.message}`;
      log(this.#problem, "warn");
    }
  }

  async #swap(): Promise<void> {
    const { open, file, onSwap } = this.#options;
    const text = await readStrategyFile(file);
    this.#watched = filesOf(text, file);
    const next = await open(text, file);
    const old = this.#active;
    this.#active = next;
    this.#problem = undefined;
    onSwap();
    await old?.retire();
  }

  async #look(): Promise<string> {
    const marks = await Promise.all(this.#watched.map(async (file) => {
      const info = await Deno.stat(file).catch(() => undefined);
      return info === undefined ? "none" : `${info.mtime?.getTime()} ${info.size} ${info.ino}`;
    }));
    return marks.join("\n");
  }
}

/** The strategy's and those of the plugins that it names by path. */
function filesOf(text: string, file: string): string[] {
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  try {
    const plugins = [...readStrategy(text, { file }).plugins.values()];
    return [file, ...plugins.flatMap((ref) => (ref.source === "path" ? [`${folder}${ref.path}`] : []))];
  } catch {
    // opening it tells why
    return [file];
  }
}

async function readStrategyFile(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    throw setpointError("FILE_MISSING", `Cannot read the strategy "${file}": ${whyUnreadable(cause)}`, {
      cause,
    });
  }
}
