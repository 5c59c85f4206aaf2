/** What `plugin:test` tries: everything that the runtime will ask of a plugin, in the same cell that it will have. */
import { sha256 } from "../artifacts/digest.ts";
import { type CellStatus, type PluginHandle, PluginHost } from "../cells/host.ts";
import { skillOfTest } from "../cells/self_test.ts";
import type { Clock } from "../clock.ts";
import { SetpointError } from "../errors.ts";
import type { PluginTest } from "../graph/manifest.ts";
import { checkOptimizer } from "./optimizer_check.ts";
import { checkSkill } from "./skill_check.ts";

export interface Check {
  readonly what: string;
  readonly ok: boolean;
  /** "" where there is nothing to say. */
  readonly detail: string;
}

export interface PluginReport {
  readonly name: string;
  readonly version: string;
  readonly kind: string;
  readonly digest: string;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** What it used of what it may. */
  readonly limits: readonly { readonly limit: string; readonly used: string; readonly allowed: string }[];
}

export interface CheckOptions {
  readonly clock: Clock;
  readonly log: (message: string) => void;
}

/** @throws {SetpointError} PLUGIN_INVALID where it cannot even be opened, with the author's line. */
export async function checkPlugin(
  text: string,
  file: string,
  { clock, log }: CheckOptions,
): Promise<PluginReport> {
  const digest = await sha256(new TextEncoder().encode(text));
  await using host = new PluginHost({
    clock,
    log: (level, message, fields) => {
      if (level !== "debug") log(fields.reason === undefined ? message : `${message}: ${fields.reason}`);
    },
  });
  const before = clock.monotonic();
  const plugin = await host.open({ id: file, text, file, digest });
  const startMs = clock.monotonic() - before;
  const { name, version, kind, sdk, config, tests = [], examples = [] } = plugin.description;
  const checks: Check[] = [
    { what: "opens", ok: true, detail: `in ${startMs.toFixed(0)} ms, its own tests included` },
    {
      what: "its own tests",
      ok: tests.length > 0,
      detail: tests.length > 0
        ? `${tests.length} passed`
        : "there are none; expected at least one in `tests`",
    },
    { what: "SDK range", ok: true, detail: sdk ?? "any; say which, e.g. ^1.0.0" },
    {
      what: "config schema",
      ok: true,
      detail: config === undefined ? "none: any config is taken" : shownExamples(examples.length),
    },
    ...await checksOf(plugin, tests, clock),
  ];
  const [status] = host.status();
  return {
    name,
    version,
    kind,
    digest,
    ok: checks.every(({ ok }) => ok),
    checks,
    limits: limitsOf(status, startMs),
  };
}

async function checksOf(plugin: PluginHandle, tests: readonly PluginTest[], clock: Clock): Promise<Check[]> {
  if (plugin.description.kind === "optimizer") return await checkOptimizer(plugin);
  const checks: Check[] = [];
  for (const test of tests) {
    checks.push(
      ...await guarded(
        `"${test.name}"`,
        () => checkSkill(plugin, skillOfTest(plugin.description, test), test, clock),
      ),
    );
  }
  return checks;
}

/** What a check throws is a check that failed, with the author's line. */
export async function guarded(what: string, run: () => Promise<Check[]>): Promise<Check[]> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const detail = error instanceof SetpointError ? error.message : `${error.name}: ${error.message}`;
    return [{ what, ok: false, detail }];
  }
}

function shownExamples(count: number): string {
  return `${count} ${count === 1 ? "example fits" : "examples fit"}`;
}

function limitsOf(
  { limits, p50_ms, p99_ms, rss_bytes }: CellStatus,
  startMs: number,
): PluginReport["limits"] {
  const ms = (value: number | null) => (value === null ? "-" : `${value.toFixed(2)} ms`);
  return [
    { limit: "start", used: `${startMs.toFixed(0)} ms`, allowed: "10000 ms" },
    {
      limit: "a call (wall_ms)",
      used: `${ms(p50_ms)} median, ${ms(p99_ms)} p99`,
      allowed: `${limits.wall_ms} ms`,
    },
    {
      limit: "memory (rss_mb)",
      used: rss_bytes === null ? "not told yet" : `${Math.round(rss_bytes / 2 ** 20)} MB`,
      allowed: `${limits.rss_mb} MB`,
    },
    { limit: "heap of a thread (heap_mb)", used: "within it", allowed: `${limits.heap_mb} MB` },
  ];
}
