import type { ArtifactCache } from "../artifacts/cache.ts";
import type { Release } from "../artifacts/release.ts";
import type { PluginHost } from "../cells/host.ts";
import type { Clock } from "../clock.ts";
import { type ErrorCode, SetpointError, setpointError } from "../errors.ts";
import type { Historian } from "../historian/historian.ts";
import { type GroupCommit, groupCommit } from "../journal/group_commit.ts";
import type { Journal } from "../journal/journal.ts";
import { writeMirror } from "../journal/mirror.ts";
import { readStrategy } from "../strategy/load.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { Activation } from "./activation.ts";
import { type ActivationSource, Activator } from "./activator.ts";
import type { ControlMode } from "./control.ts";
import { type Finished, runScheduled, runState } from "./cycle.ts";
import { Deployment } from "./deployment.ts";
import { FileDeployment } from "./file_deployment.ts";
import { explainState, type Explanation } from "./explain.ts";
import { gate } from "./gate.ts";
import { Posted } from "./posted.ts";
import { Referee } from "./referee.ts";
import { goodInputs, rowOf } from "./record.ts";
import { runOnce } from "./run.ts";
import {
  choosePeriod,
  type Period,
  type PeriodSources,
  printPeriod,
  type Schedule,
  startSchedule,
} from "./schedule.ts";
import { statusOf } from "./status.ts";
import type {
  Answer,
  CacheStats,
  CellStatus,
  CycleRow,
  Kernel,
  KernelStatus,
  OptimizeRequest,
  Origin,
  ValidationReport,
} from "./types.ts";

/** What a kernel is made of; it closes none but what it starts itself. */
export interface KernelParts {
  readonly clock: Clock;
  readonly log: (
    level: "debug" | "info" | "warn" | "error",
    message: string,
    fields?: Readonly<Record<string, unknown>>,
  ) => void;
  readonly host: PluginHost;
  readonly cache: ArtifactCache;
  readonly cacheMaxBytes: number;
  readonly journal: Journal;
  /** null: no scheduled cycles. */
  readonly historian: Historian | null;
  /** Lets a simulated plant run up to now, before its row is read. */
  readonly advance?: (nowMs: number) => void;
  /** The metadata folder: pointer and mirror. */
  readonly metadata: string;
  /** Verdicts on models; default: nobody asks ONNX Runtime about them. */
  readonly refereeFile?: string;
  /** A strategy file that runs in the place of the deployed version. */
  readonly strategyFile: string | null;
  /** How often in a row this process ended by itself soon after its start. Default 0. */
  readonly crashes?: number;
  readonly deadlineMs: number;
  /** What is asked for; an answer may get less. Default advisory. */
  readonly control?: ControlMode;
  readonly options: { readonly max_iterations?: number; readonly tolerance?: number };
  /** Called after each cycle, for metrics. */
  readonly onCycle?: (row: CycleRow) => void;
}

/** A kernel that is told to end has 10 s for everything. */
const LAST_CYCLE_MS = 6_000;

export function createKernel(parts: KernelParts): SetpointKernel {
  return new SetpointKernel(parts);
}

export class SetpointKernel implements Kernel, AsyncDisposable {
  readonly #parts: KernelParts;
  readonly #startedAt: number;
  readonly #startedMonotonic: number;
  readonly #activator: Activator;
  readonly #deployment: Deployment;
  readonly #posted: Posted;
  readonly #commits: GroupCommit;
  readonly #referee: Referee | undefined;
  /** A strategy file in the place of a deployed version. */
  readonly #file: FileDeployment | undefined;
  readonly #ended = new AbortController();
  readonly #problems = new Map<"historian" | "journal" | "mirror", string>();
  /** The last good value of each measured variable, of scheduled cycles. */
  readonly #held = new Map<string, number>();
  #lastCycle: CycleRow | null = null;
  #cycling: Promise<CycleRow> | undefined;
  #schedule: Schedule | null = null;
  #periodSources: Omit<PeriodSources, "cron"> = {};
  /** What the historian was last checked for. */
  #checked: Activation | undefined;

  constructor(parts: KernelParts) {
    const { clock, cache, metadata, host, log, options, journal, crashes } = parts;
    this.#parts = parts;
    this.#startedAt = clock.now();
    this.#startedMonotonic = clock.monotonic();
    this.#activator = new Activator({ clock, host, cache, options });
    this.#posted = new Posted(this.#activator);
    this.#commits = groupCommit(journal, clock);
    this.#referee = parts.refereeFile === undefined
      ? undefined
      : new Referee({ clock, log, onnx: host.onnx, file: parts.refereeFile });
    this.#deployment = new Deployment({
      clock,
      cache,
      metadata,
      crashes,
      open: (release) => this.#openRelease(release),
      onSwap: () => void this.#reschedule(),
      log: (line) => log("info", line),
    });
    const { strategyFile: file } = parts;
    this.#file = file === null ? undefined : new FileDeployment({
      clock,
      file,
      open: (text) => this.#openFile(text, file),
      onSwap: () => void this.#reschedule(),
      log: (line, level) => log(level, line),
    });
    const [last] = journal.cycles({ limit: 1, origin: "schedule" });
    if (last !== undefined) {
      this.#lastCycle = rowOf(last);
      for (const [name, value] of goodInputs(last)) this.#held.set(name, value);
    }
  }

  get active(): Activation | undefined {
    return this.#file === undefined ? this.#deployment.active : this.#file.active;
  }

  async load(): Promise<void> {
    await this.#parts.host.start();
    await (this.#file ?? this.#deployment).start();
  }

  async optimize(request: OptimizeRequest): Promise<Answer> {
    const { clock, deadlineMs, control } = this.#parts;
    const values = stateOf(request.input);
    using posted = request.config === undefined ? undefined : await this.#posted.hold(request.config);
    const activation = posted === undefined ? this.active : posted.activation;
    if (activation === undefined) {
      throw setpointError("ARTIFACT_MISSING", "Cannot optimize: no strategy is loaded");
    }
    using _held = activation.hold();
    const warnings = activation.checkNames(values);
    const { signal, origin } = request;
    const finished = await runState(clock, activation, {
      origin,
      row: null,
      values,
      deadlineMs,
      control,
      signal,
      warnings,
    });
    if (finished.answer === undefined) {
      await this.#record(finished);
      throw new SetpointError(finished.gated.problems);
    }
    const began = clock.monotonic();
    const recorded = this.#record(finished);
    this.#referee?.judgeLater(activation);
    if (origin === "cli") await recorded;
    const record = clock.monotonic() - began;
    const { timing_ms, ...answer } = finished.answer;
    return { ...answer, timing_ms: { ...timing_ms, record, total: timing_ms.total + record } };
  }

  /** Runs a cycle now and then by schedule, until {@linkcode dispose}. */
  startSchedule(sources: Omit<PeriodSources, "cron">): void {
    this.#periodSources = sources;
    this.#schedule = startSchedule(this.#parts.clock, this.#period(), () => this.cycle());
  }

  cycle(): Promise<CycleRow> {
    return this.#cycling ??= this.#cycle().finally(() => this.#cycling = undefined);
  }

  async validate(text: string, file: string): Promise<ValidationReport> {
    await this.#parts.host.start();
    const activation = await this.#openFile(text, file);
    const { name, version, digest, variables, skills, search, notes } = activation.linked;
    await activation.retire();
    return {
      name,
      version,
      digest,
      variables: variables.length,
      skills,
      decisions: search.filter(({ role }) => role === "decision").map(({ name }) => name),
      notes,
    };
  }

  /**
   * Why the active strategy says what it says.
   * @throws {SetpointError} ARTIFACT_MISSING, INPUT_INVALID and what else is wrong with the state.
   */
  async explain(input: unknown): Promise<Explanation> {
    const activation = this.active;
    if (activation === undefined) {
      throw setpointError("ARTIFACT_MISSING", "Cannot explain: no strategy is loaded");
    }
    using _held = activation.hold();
    const values = stateOf(input);
    activation.checkNames(values);
    const { problems, values: measured } = gate(activation.measuredVariables, { values });
    if (problems.length > 0) throw new SetpointError(problems);
    return await explainState(activation, measured);
  }

  // deno-lint-ignore require-await -- asynchronous for callers, as every question to the kernel
  async cycles(query: { limit: number; before?: string; origin?: Origin }): Promise<readonly CycleRow[]> {
    this.#commits.flush();
    return this.#parts.journal.cycles(query).map(rowOf);
  }

  status(): KernelStatus {
    const { clock, cache, host, historian, control } = this.#parts;
    return statusOf({
      active: this.active,
      deployment: (this.#file ?? this.#deployment).problem,
      problems: this.#problems,
      cache: cache.status(),
      storeKind: cache.store.kind,
      cells: host.status(),
      control,
      historian,
      schedule: this.#schedule && {
        period: printPeriod(this.#schedule.period),
        source: this.#schedule.period.source,
        running: true,
        skipped: this.#schedule.skipped,
      },
      lastCycle: this.#lastCycle,
      startedAt: this.#startedAt,
      uptimeMs: clock.monotonic() - this.#startedMonotonic,
    });
  }

  plugins(): readonly CellStatus[] {
    return this.#parts.host.status();
  }

  releasePlugin(name: string): readonly string[] {
    return this.#parts.host.endQuarantine(name);
  }

  cacheStats(): CacheStats {
    const { cache, journal } = this.#parts;
    const { hits, misses, requests, hitRate, bytes, entries, evictions, oldestAgeMs, perKind } = cache
      .stats();
    return {
      current_config_version: this.active?.version ?? null,
      cached_last_run_timestamp: journal.lastRun()?.text ?? null,
      cache_details: Object.fromEntries(
        Object.entries(perKind).map((
          [kind, { active, expired, total }],
        ) => [kind, { active_items: active, expired_items: expired, total_items: total }]),
      ),
      hits,
      misses,
      hit_rate: requests === 0 ? null : hitRate,
      bytes,
      max_bytes: this.#parts.cacheMaxBytes,
      entries,
      evictions,
      oldest_age_s: entries === 0 ? null : oldestAgeMs / 1000,
    };
  }

  clearCache(): Promise<number> {
    return this.#parts.cache.clear();
  }

  async dispose(): Promise<void> {
    // a running cycle may finish; one that hangs is given up
    const cancelTimer = this.#parts.clock.after(LAST_CYCLE_MS, () => {
      this.#ended.abort(new DOMException("The kernel stops", "AbortError"));
    });
    await this.#schedule?.stop();
    await this.#cycling;
    cancelTimer();
    this.#ended.abort(new DOMException("The kernel stops", "AbortError"));
    await this.#referee?.[Symbol.asyncDispose]();
    await this.#deployment[Symbol.asyncDispose]();
    await this.#file?.[Symbol.asyncDispose]();
    await this.#posted[Symbol.asyncDispose]();
    this.#activator[Symbol.dispose]();
    this.#commits[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  #period(): Period {
    return choosePeriod({ ...this.#periodSources, cron: this.active?.linked.schedule });
  }

  /** A new version may have another schedule. */
  async #reschedule(): Promise<void> {
    const { clock } = this.#parts;
    const old = this.#schedule;
    if (old === null || printPeriod(old.period) === printPeriod(this.#period())) return;
    await old.stop();
    if (this.#ended.signal.aborted) return;
    this.#schedule = startSchedule(clock, this.#period(), () => this.cycle(), { atOnce: false });
  }

  async #cycle(): Promise<CycleRow> {
    const { clock, historian, journal, advance, deadlineMs, control } = this.#parts;
    if (historian === null) throw new TypeError("Cannot run a scheduled cycle without a historian");
    const activation = this.active;
    using _held = activation?.hold();
    try {
      advance?.(clock.now());
      if (activation !== undefined && this.#checked !== activation) {
        await historian.check(activation.linked.measured, this.#ended.signal);
        this.#checked = activation;
      }
      this.#problems.delete("historian");
    } catch (error) {
      this.#problems.set("historian", (error as Error).message);
    }
    const finished = await runScheduled({
      clock,
      historian,
      activation,
      lastRun: journal.lastRun(),
      held: (name) => this.#held.get(name),
      deadlineMs,
      control,
      signal: this.#ended.signal,
    });
    this.#noteData(finished, activation);
    await this.#record(finished);
    if (activation !== undefined) this.#referee?.judgeLater(activation);
    return this.#lastCycle!;
  }

  #noteData(
    { record, gated }: Awaited<ReturnType<typeof runScheduled>>,
    activation: Activation | undefined,
  ): void {
    const historianFault = record.outcome === "data_rejected" && gated === undefined &&
      !record.reason?.startsWith("NO_NEW_ROW");
    if (historianFault) this.#problems.set("historian", record.reason!);
    const bad = new Set(gated?.verdicts.map(({ variable }) => variable));
    activation?.linked.measured.forEach((name, k) => {
      if (gated !== undefined && !bad.has(name)) this.#held.set(name, gated.values[k]);
    });
  }

  /** Journals a cycle. A journal that cannot be written to costs the record, not the answer: health says so. */
  async #record({ record, lastRun }: Finished): Promise<void> {
    const { journal, metadata, onCycle, log } = this.#parts;
    const row = rowOf(record);
    if (record.origin === "schedule") this.#lastCycle = row;
    onCycle?.(row);
    try {
      if (record.origin === "schedule") journal.record(record, { lastRun });
      else if (record.origin === "cli") journal.record(record);
      else await this.#commits.add(record);
      this.#problems.delete("journal");
    } catch (error) {
      if (!this.#problems.has("journal")) log("error", (error as Error).message);
      this.#problems.set("journal", (error as Error).message);
      return;
    }
    if (lastRun === undefined) return;
    try {
      await writeMirror(metadata, lastRun);
      this.#problems.delete("mirror");
    } catch (error) {
      this.#problems.set("mirror", (error as Error).message);
    }
  }

  async #openRelease(release: Release): Promise<Activation> {
    const { text, source: file, version } = release;
    const strategy = readStrategy(text, { file, version });
    if (strategy.version !== version) {
      const message = `Cannot deploy version ${version}: the strategy calls itself ${strategy.version}`;
      throw setpointError("STRATEGY_INVALID", message, { at: strategy.position(["version"]) });
    }
    const activation = await this.#activate(strategy, { resolve: (path) => release.resolve(path) });
    try {
      await this.#tryOut(activation);
    } catch (error) {
      await activation.retire();
      throw error;
    }
    return activation;
  }

  async #openFile(text: string, file: string): Promise<Activation> {
    const folder = file.includes("/") ? file.slice(0, file.lastIndexOf("/")) || "/" : ".";
    const strategy = readStrategy(text, { file });
    return await this.#activate(strategy, { folder });
  }

  async #activate(strategy: Strategy, source: ActivationSource): Promise<Activation> {
    const activation = await this.#activator.open(strategy, source);
    await this.#referee?.recall(activation);
    for (const { code, level, message } of activation.linked.notes) {
      const told = level === "warning" ? "warn" : code === "MODEL_OPAQUE" ? "info" : "debug";
      this.#parts.log(told, message, { code });
    }
    return activation;
  }

  /**
   * Runs a version once on the plant's last good state, where one is known, before it may be used: it warms up what is
   * compiled on first use, and shows faults that only a run has.
   */
  async #tryOut(activation: Activation): Promise<void> {
    const { clock, deadlineMs } = this.#parts;
    const measured = Float64Array.from(activation.linked.measured, (name) => this.#held.get(name) ?? NaN);
    if (!measured.every(Number.isFinite)) return;
    const { outcome, reason } = await runOnce(clock, activation, { measured, deadlineMs });
    if (outcome !== "failed") return;
    const { name, version } = activation.identity;
    throw setpointError(
      reason!.code as ErrorCode,
      `Cannot use ${name} ${version}: its trial on the last state failed: ${reason!.message}`,
    );
  }
}

function stateOf(input: unknown): Readonly<Record<string, unknown>> {
  if (typeof input === "object" && input !== null && !Array.isArray(input)) {
    return input as Record<string, unknown>;
  }
  const got = input === null ? "null" : Array.isArray(input) ? "a list" : `a ${typeof input}`;
  throw setpointError(
    "REQUEST_INVALID",
    `Cannot read input_data: it is ${got}, expected an object from variable to number`,
  );
}
