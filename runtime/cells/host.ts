/**
 * The kernel's side of the plugins. The four built-in plugins for skills share a cell; the optimizer has one of its own, so
 * that a model file that makes its reader run away cannot end a solve; each plugin of a user has one; ONNX Runtime has one.
 */
import type { Clock } from "../clock.ts";
import { SetpointError, setpointError } from "../errors.ts";
import type { PluginLimits } from "../graph/manifest.ts";
import type { OptimizationResult } from "../graph/optimization.ts";
import { PLUGIN_KINDS, type PluginKind } from "../graph/plugin_identity.ts";
import { checkDescription, type PluginDescription } from "./answers.ts";
import type { CallLabel } from "./call_errors.ts";
import {
  BUILTIN_LIMITS,
  DEFAULT_LIMITS,
  DESCRIBER_FRAME_BYTES,
  DESCRIBER_IDLE_MS,
  grantedLimits,
  type Limits,
  neededLimits,
} from "./limits.ts";
import { OnnxHost } from "./onnx_host.ts";
import { loadOnnxRuntime } from "./onnx_runtime.ts";
import { PluginHandle } from "./plugin_handle.ts";
import type { SearchTrial } from "./search_trial.ts";
import { type SdkExtent, sdkExtentOf } from "./sdk_extent.ts";
import { selfTest } from "./self_test.ts";
import { type CellLog, type CellState, SupervisedCell } from "./supervised_cell.ts";

export type { OptimizationResult } from "../graph/optimization.ts";
export type { OpaqueRoute, OptimizationRun, PluginDescription, ProblemMessage } from "./plugin_handle.ts";
export type { CellLog, CellState, LogLevel } from "./supervised_cell.ts";
export type { Limits } from "./limits.ts";
export { OnnxHost, PluginHandle };

export interface PluginSource {
  /** Unique, e.g. "builtin:function" or "my/plugin@" and its SHA-256. */
  readonly id: string;
  /** One of the five that come with the runtime; `text` replaces what its file says. */
  readonly builtin?: PluginKind;
  /** TypeScript or JavaScript: one file whose default export is a plugin. */
  readonly text?: string;
  /** For messages. Default: the id. */
  readonly file?: string;
  /** SHA-256 of the text, to be shown. */
  readonly digest?: string;
  /** What a strategy grants it. */
  readonly limits?: PluginLimits;
}

export interface HostOptions {
  readonly clock: Clock;
  readonly log: CellLog;
  /** Over the defaults of limits.ts, for every cell. */
  readonly limits?: Partial<Limits>;
  /** Default min(2, cores). */
  readonly optimizerWorkers?: number;
  /** DENO_DIR of the cells: their environment is empty. Default: Deno's place in the home folder, if there is one. */
  readonly denoDir?: string;
  /** Default: the npm package, read when the first model needs it. */
  readonly onnxRuntime?: () => Promise<{ readonly script: Uint8Array | string; readonly wasm: Uint8Array }>;
}

export interface CellStatus {
  readonly id: string;
  readonly state: CellState;
  readonly pid: number | null;
  readonly plugins: readonly OpenPlugin[];
  /** In force, by the names that strategies use. */
  readonly limits: PluginLimits;
  /** Of the last 512 calls that are a plugin's work, ms; null where there was none. */
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  /** Why the last call or the process failed; null where none has. */
  readonly last_failure: string | null;
  /** How long it is still shut out, ms; null where it is not. */
  readonly quarantine_ms: number | null;
  readonly starts_last_hour: number;
  /** Since the last heartbeat, ms; null without a process. */
  readonly heartbeat_age_ms: number | null;
  /** Calls, failures and restarts since the cell was opened. */
  readonly calls: number;
  readonly failures: number;
  readonly restarts: number;
  readonly rss_bytes: number | null;
  /** JavaScript heap of its largest thread, as that said itself when it last rested. */
  readonly heap_bytes: number | null;
}

/** One plugin of a cell, as people see it. */
export interface OpenPlugin {
  readonly name: string;
  readonly version: string;
  readonly kind: PluginKind;
  readonly description: string | null;
  /** null for the built-in ones. */
  readonly file: string | null;
  readonly digest: string | null;
  /** How many tests of its own it passed when it was opened. */
  readonly tests: number;
}

interface OpenCell {
  readonly cell: SupervisedCell;
  readonly limits: Limits;
  readonly plugins: OpenPlugin[];
}

export class PluginHost implements AsyncDisposable {
  readonly onnx: OnnxHost;
  readonly #options: HostOptions;
  readonly #limits: Limits;
  readonly #cells = new Map<string, OpenCell>();
  readonly #handles = new Map<string, Promise<PluginHandle>>();
  #closed = false;

  constructor(options: HostOptions) {
    this.#options = options;
    this.#limits = Object.freeze({ ...DEFAULT_LIMITS, ...options.limits });
    const { clock, log, denoDir, onnxRuntime = loadOnnxRuntime } = options;
    this.onnx = new OnnxHost({ clock, log, denoDir, limits: this.#limits, runtime: onnxRuntime });
  }

  /** Starts the built-in plugins, all at once. @throws {SetpointError} PLUGIN_* */
  async start(): Promise<void> {
    await Promise.all(PLUGIN_KINDS.map((kind) => this.open({ id: `builtin:${kind}`, builtin: kind })));
  }

  /** Loads a plugin; the same id again gives the same handle. @throws {SetpointError} PLUGIN_INVALID, PLUGIN_DIED … */
  open(source: PluginSource): Promise<PluginHandle> {
    const known = this.#handles.get(source.id);
    if (known !== undefined) return known;
    const handle = this.#open(source);
    this.#handles.set(source.id, handle);
    handle.catch(() => {
      // released and opened anew in the meantime, it is another's
      if (this.#handles.get(source.id) === handle) this.#handles.delete(source.id);
    });
    return handle;
  }

  /** Ends a user's plugin. The built-in ones stay. */
  async release(id: string): Promise<void> {
    const open = this.#cells.get(id);
    if (open === undefined) return;
    this.#handles.delete(id);
    this.#cells.delete(id);
    await open.cell.close();
  }

  status(): readonly CellStatus[] {
    return this.#openCells().map(({ cell, plugins }) => ({
      ...cell.figures(),
      id: cell.id,
      state: cell.state,
      pid: cell.pid,
      plugins: [...plugins],
      rss_bytes: cell.rss,
    }));
  }

  /**
   * Ends the quarantine of the cells of a plugin. @param name Its name, `name@version`, or the id of a cell.
   * @returns The ids of the cells. @throws {SetpointError} NOT_FOUND where none of that name is in quarantine.
   */
  endQuarantine(name: string): readonly string[] {
    const shut = this.#openCells().filter(({ cell }) => cell.state === "quarantined");
    const named = shut.filter(({ cell, plugins }) => namesOf(cell.id, plugins).includes(name));
    if (named.length === 0) {
      const known = shut.map(({ cell, plugins }) => JSON.stringify(namesOf(cell.id, plugins)[0])).join(", ");
      const message = `Cannot release the plugin ${JSON.stringify(name)}: it is not in quarantine, ${
        known === "" ? "none is" : `expected one of ${known}`
      }`;
      throw setpointError("NOT_FOUND", message);
    }
    for (const { cell } of named) cell.release();
    return named.map(({ cell }) => cell.id);
  }

  /** Ends every process and resolves when they are reaped. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.onnx.close(), ...[...this.#cells.values()].map(({ cell }) => cell.close())]);
    this.#cells.clear();
    this.#handles.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #openCells(): readonly Pick<OpenCell, "cell" | "plugins">[] {
    return [...this.#cells.values(), ...(this.onnx.started ? [{ cell: this.onnx.cell, plugins: [] }] : [])];
  }

  /** A plugin that says it needs less memory than it may have starts again with that. */
  async #open(source: PluginSource, needs: Partial<Limits> = {}): Promise<PluginHandle> {
    const { id, builtin, file = id } = source;
    const text = source.text ?? await readBuiltin(source);
    if (this.#closed) throw setpointError("PLUGIN_DIED", `Cannot load plugin "${id}": the host is closed`);
    const open = this.#cellFor(source, needs, builtin === undefined ? sdkExtentOf(text) : "whole");
    const label: CallLabel = { plugin: file, method: "spawn", file, text };
    const spawn = { mode: "plugin", text, file } as const;
    try {
      const first = await open.cell.addWorker(spawn, label);
      const description = describe(first.described, source, file);
      const tighter = builtin === undefined ? needsOf(description, source, open.limits, file) : {};
      if (Object.keys(tighter).length > 0) {
        await this.#drop(open);
        return await this.#open({ ...source, text }, { ...needs, ...tighter });
      }
      const workers = [first.worker];
      const more = description.kind === "optimizer" ? this.#optimizerWorkers() - 1 : 0;
      const others = await Promise.all(Array.from({ length: more }, () => open.cell.addWorker(spawn, label)));
      workers.push(...others.map(({ worker }) => worker));
      const { clock } = this.#options;
      const { cell, limits } = open;
      const handle = new PluginHandle({
        cell,
        clock,
        limits,
        description,
        file,
        text,
        workers,
        onnx: () => this.onnx,
      });
      if (builtin === undefined) await tested(handle, limits, file);
      open.plugins.push(shownPlugin(description, source));
      return handle;
    } catch (error) {
      if (builtin === undefined || open.plugins.length === 0) await this.#drop(open);
      throw error;
    }
  }

  #optimizerWorkers(): number {
    return Math.max(1, this.#options.optimizerWorkers ?? Math.min(2, navigator.hardwareConcurrency));
  }

  #cellFor(
    { id, builtin, limits: granted = {} }: PluginSource,
    needs: Partial<Limits>,
    sdk: SdkExtent,
  ): OpenCell {
    const cellId = builtin === undefined || builtin === "optimizer" ? id : "builtin";
    let open = this.#cells.get(cellId);
    if (open === undefined) {
      const describes = builtin !== undefined && builtin !== "optimizer";
      const limits = {
        ...this.#limits,
        ...(describes && {
          idleMs: DESCRIBER_IDLE_MS,
          frameBytes: DESCRIBER_FRAME_BYTES,
          ...this.#options.limits,
        }),
        ...(builtin !== undefined ? BUILTIN_LIMITS : { ...grantedLimits(granted), ...needs }),
      };
      const { clock, log, denoDir } = this.#options;
      open = {
        cell: new SupervisedCell({ id: cellId, clock, log, limits, denoDir, sdk }),
        limits,
        plugins: [],
      };
      this.#cells.set(cellId, open);
    }
    return open;
  }

  async #drop(open: OpenCell): Promise<void> {
    if (this.#cells.get(open.cell.id) === open) this.#cells.delete(open.cell.id);
    await open.cell.close();
  }
}

/** @throws {SetpointError} PLUGIN_INVALID where it needs more than it may have. */
function needsOf(
  { limits: needs = {} }: PluginDescription,
  { limits: granted = {} }: PluginSource,
  limits: Limits,
  file: string,
): Partial<Limits> {
  try {
    return neededLimits(needs, granted, limits);
  } catch (error) {
    throw refused(file, error);
  }
}

/** @throws {SetpointError} PLUGIN_INVALID where one of its own tests fails. */
async function tested(handle: PluginHandle, { lowerMs }: Limits, file: string): Promise<void> {
  try {
    await selfTest({
      lower: (skill) => handle.lower(skill),
      sequence: (skill) => handle.sequence(skill),
      // its code runs for the first time: that is slow, and no fault
      evaluate: (skill, opaque, batch, count, jacobians) =>
        handle.evaluate(skill, opaque, batch, count, lowerMs, jacobians),
      search: (test) => searched(handle, test),
    }, handle.description);
  } catch (error) {
    throw refused(file, error);
  }
}

async function searched(handle: PluginHandle, { problem, run }: SearchTrial): Promise<OptimizationResult> {
  await handle.load("test", problem);
  try {
    return await handle.optimize("test", run);
  } finally {
    handle.unload("test");
  }
}

/** Keeps the author's line, where there is one. */
function refused(file: string, error: unknown): SetpointError {
  const { message, cause } = error as Error;
  const at = cause instanceof SetpointError ? cause.problems[0].at : undefined;
  return setpointError("PLUGIN_INVALID", `Cannot load plugin "${file}": ${message}`, {
    at: at ?? { file },
    cause,
  });
}

function namesOf(id: string, plugins: readonly OpenPlugin[]): readonly string[] {
  return [...plugins.flatMap(({ name, version }) => [name, `${name}@${version}`]), id];
}

function shownPlugin(
  { name, version, kind, description, tests = [] }: PluginDescription,
  { builtin, file, digest }: PluginSource,
): OpenPlugin {
  return {
    ...{ name, version, kind },
    description: description ?? null,
    file: builtin === undefined ? file ?? null : null,
    digest: builtin === undefined ? digest ?? null : null,
    tests: tests.length,
  };
}

/** The built-in plugins are read as text and travel as a user's do. */
async function readBuiltin({ id, builtin, file }: PluginSource): Promise<string> {
  if (builtin === undefined) {
    throw setpointError(
      "PLUGIN_INVALID",
      `Cannot load plugin "${id}": it has no text`,
      file ? { at: { file } } : {},
    );
  }
  try {
    return await Deno.readTextFile(new URL(`../../plugins/${builtin}/${builtin}.ts`, import.meta.url));
  } catch (cause) {
    const message = `Cannot load plugin "${id}": ${(cause as Error).message}`;
    throw setpointError("PLUGIN_INVALID", message, { cause });
  }
}

function describe(described: unknown, { builtin }: PluginSource, file: string): PluginDescription {
  let description: PluginDescription;
  try {
    description = checkDescription(described);
  } catch (error) {
    throw setpointError("PLUGIN_INVALID", `Cannot load plugin "${file}": ${(error as Error).message}`, {
      at: { file },
    });
  }
  if (builtin === undefined && /^(?:builtin|setpoint)\//.test(description.name)) {
    const message =
      `Cannot load plugin "${file}": the name "${description.name}" is one of the runtime's own`;
    throw setpointError("PLUGIN_INVALID", message, { at: { file } });
  }
  if (builtin !== undefined && description.kind !== builtin) {
    const message = `Cannot load plugin "${file}": its kind is "${description.kind}", expected "${builtin}"`;
    throw setpointError("PLUGIN_INVALID", message, { at: { file } });
  }
  return description;
}
