/** Puts a kernel together from a configuration: store, cache, journal, historian, plugins. */
import { ArtifactCache } from "../artifacts/cache.ts";
import { openDirectory } from "../artifacts/directory.ts";
import { openMinio } from "../artifacts/minio.ts";
import { PluginHost } from "../cells/host.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Historian } from "../historian/historian.ts";
import { openPostgresHistorian } from "../historian/postgres.ts";
import { loadPlant, openSimulator } from "../historian/simulator.ts";
import { parseTimestamp } from "../historian/timestamp.ts";
import { openJournal } from "../journal/journal.ts";
import { lockState } from "../journal/lock.ts";
import { restoreMirror } from "../journal/mirror.ts";
import { readStrategyFile } from "./file_deployment.ts";
import { createKernel, type KernelParts, type SetpointKernel } from "./kernel.ts";

export interface ComposeOptions {
  readonly clock: Clock;
  readonly log: KernelParts["log"];
  readonly onCycle?: KernelParts["onCycle"];
  /** True: with the state folder, locked, and in modes with a schedule a historian. False: nothing is written anywhere. */
  readonly serving: boolean;
  /** As {@linkcode KernelParts.crashes}. */
  readonly crashes?: number;
}

export interface ComposedKernel extends AsyncDisposable {
  readonly kernel: SetpointKernel;
}

/**
 * Opens everything that a kernel needs; disposing closes it in the opposite order, the kernel first.
 * @throws {SetpointError} STATE_LOCKED, STATE_UNREADABLE, JOURNAL_UNUSABLE, HISTORIAN_UNREACHABLE.
 */
export async function composeKernel(config: Config, options: ComposeOptions): Promise<ComposedKernel> {
  const { clock, log, onCycle, serving, crashes } = options;
  const { state, metadata } = config.folders;
  await using opened = new AsyncDisposableStack();
  if (serving) opened.use(await lockState(state));
  const journal = opened.use(openJournal(serving ? `${state}/journal.sqlite` : ":memory:"));
  const { minio, directory } = config.storage;
  const cache = opened.use(
    await ArtifactCache.open({
      clock,
      store: minio === null ? openDirectory(directory) : openMinio(minio, clock),
      ...(serving && { dir: `${state}/cache` }),
      maxBytes: config.cache.max_bytes,
      log: (line) => log("info", line),
    }),
  );
  const scheduled = serving && config.app.mode !== "api";
  const data = scheduled ? await openHistorian(config, clock) : null;
  if (data !== null) opened.use(data.historian);
  if (scheduled) {
    const zone = config.database?.timezone ?? "UTC";
    const { problem } = await restoreMirror(journal, metadata, (text) => parseTimestamp(text, zone));
    if (problem !== undefined) log("warn", problem);
  }
  const host = opened.use(
    new PluginHost({
      clock,
      log: (level, message, fields) => log(level === "warning" ? "warn" : level, message, fields),
    }),
  );
  const { max_iterations, tolerance, deadline_ms: deadlineMs, config_file: strategyFile, control } =
    config.optimization;
  const kernel = opened.use(
    createKernel({
      clock,
      log,
      host,
      cache,
      cacheMaxBytes: config.cache.max_bytes,
      journal,
      historian: data?.historian ?? null,
      ...(data?.advance && { advance: data.advance }),
      metadata,
      ...(serving && { refereeFile: `${state}/referee.json` }),
      strategyFile,
      crashes,
      deadlineMs,
      control,
      options: {
        ...(max_iterations !== null && { max_iterations }),
        ...(tolerance !== null && { tolerance }),
      },
      ...(onCycle && { onCycle }),
    }),
  );
  const all = opened.move();
  return { kernel, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

interface ProcessData {
  readonly historian: Historian;
  readonly advance?: (nowMs: number) => void;
}

/** PostgreSQL where it is configured; else the embedded database, which a simulated plant fills. */
async function openHistorian(
  { database, folders, storage, optimization }: Config,
  clock: Clock,
): Promise<ProcessData> {
  if (database !== null) {
    const { timestamp_column: timestampColumn, ...address } = database;
    return { historian: openPostgresHistorian({ ...address, timestampColumn }, clock) };
  }
  const file = optimization.config_file;
  // a missing strategy is told as that, not as a plant that is missing beside it
  if (file !== null) await readStrategyFile(file);
  const folder = file === null ? storage.directory : file.slice(0, file.lastIndexOf("/"));
  const historian = openSimulator(
    `${folders.state}/historian.sqlite`,
    await loadPlant(`${folder}/simulator.json`),
  );
  return { historian, advance: (nowMs) => historian.advance(nowMs) };
}
