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
 * A strategy file in the place of a deployed version. When it changes, or a plugin, a model or another file beside it
 * that it names, the new one is opened with every check beside the old one, which goes on working and stays on any
 * failure.
 * Whoever runs a cycle holds its activation, so a swap never takes it away in mid-cycle.
 */
export class FileDeployment implements AsyncDisposable {
  readonly #options: FileDeploymentOptions;
  #active: Activation | undefined;
  #problem: string | undefined;
  /** What each file looked like when it was last opened, and when it was last looked at. */
  #opened: Looks = new Map();
  #seen: Looks = new Map();
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
    const { clock } = this.#options;
    this.#active = await this.#open();
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
    const now = await look(this.#opened.keys());
    const settled = isSame(now, this.#seen);
    this.#seen = now;
    if (!settled || isSame(now, this.#opened)) return;
    const { file, log, onSwap } = this.#options;
    try {
      const next = await this.#open();
      const old = this.#active;
      this.#active = next;
      this.#problem = undefined;
      onSwap();
      await old?.retire();
      log(`Changed files of strategy "${file}" are in use`, "info");
    } catch (error) {
      if (!(error instanceof SetpointError)) throw error;
      this.#problem = `The changed files of the strategy cannot run, what ran before stays: ${error.message}`;
      log(this.#problem, "warn");
    }
  }

  /** Looked at before they are read: what changes in between is opened again. */
  async #open(): Promise<Activation> {
    const { open, file } = this.#options;
    const before = await look([file, ...this.#opened.keys()]);
    this.#opened = before;
    const text = await readStrategyFile(file);
    const named = [file, ...filesBeside(text, file)];
    this.#opened = new Map([...await look(named), ...before]);
    const next = await open(text, file);
    // Weights of a model are known by the model alone. What nothing names any more is forgotten.
    const used = new Set([...named, ...next.local]);
    const rest = await look([...used].filter((name) => !this.#opened.has(name)));
    this.#opened = new Map([...this.#opened, ...rest].filter(([name]) => used.has(name)));
    return next;
  }
}

/** By file: time, size and number. */
type Looks = ReadonlyMap<string, string>;

async function look(files: Iterable<string>): Promise<Looks> {
  return new Map(
    await Promise.all([...files].map(async (file): Promise<[string, string]> => {
      const info = await Deno.stat(file).catch(() => undefined);
      return [file, info === undefined ? "none" : `${info.mtime?.getTime()} ${info.size} ${info.ino}`];
    })),
  );
}

function isSame(a: Looks, b: Looks): boolean {
  return a.size === b.size && [...a].every(([file, mark]) => b.get(file) === mark);
}

/** Plugins that a strategy names by path, and what its skills name by a key that ends in `_path`. */
function filesBeside(text: string, file: string): string[] {
  const folder = file.slice(0, file.lastIndexOf("/") + 1);
  try {
    const { plugins, skills } = readStrategy(text, { file });
    const paths = [
      ...[...plugins.values()].flatMap((ref) => (ref.source === "path" ? [ref.path] : [])),
      ...[...skills.values()].flatMap(({ config }) =>
        Object.entries(config).flatMap(([key, value]) =>
          key.endsWith("_path") && typeof value === "string" ? [value.replace(/^(\.{1,2}\/)+/, "")] : []
        )
      ),
    ];
    return [...new Set(paths)].map((path) => folder + path);
  } catch {
    // opening it tells why
    return [];
  }
}

/** @throws {SetpointError} FILE_MISSING */
export async function readStrategyFile(file: string): Promise<string> {
  try {
    return await Deno.readTextFile(file);
  } catch (cause) {
    throw setpointError("FILE_MISSING", `Cannot read the strategy "${file}": ${whyUnreadable(cause)}`, {
      cause,
    });
  }
}
