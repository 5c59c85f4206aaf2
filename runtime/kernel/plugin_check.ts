/** What `plugin:test` tries: everything that the runtime will ask of a plugin, in the same cell that it will have. */
import { sha256 } from "../artifacts/digest.ts";
import { PluginHost } from "../cells/host.ts";
import { DEFAULT_LIMITS } from "../cells/limits.ts";
import { skillOfTest } from "../cells/self_test.ts";
import type { Clock } from "../clock.ts";
import { printProblem, SetpointError } from "../errors.ts";
import type { PluginTest } from "../graph/manifest.ts";
import { checkOptimizer } from "./optimizer_check.ts";
import { MeasuredPlugin } from "./measured_plugin.ts";
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
  const measured = new MeasuredPlugin(plugin, clock);
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
    ...await checksOf(measured, tests),
  ];
  return {
    name,
    version,
    kind,
    digest,
    ok: checks.every(({ ok }) => ok),
    checks,
    limits: await limitsOf(host, measured, startMs, clock),
  };
}

/** How long the memory is waited for: two heartbeats, and a busy machine. */
const MEMORY_WAIT_MS = 10_000;
const LOOK_MS = 50;

async function checksOf(plugin: MeasuredPlugin, tests: readonly PluginTest[]): Promise<Check[]> {
  if (plugin.description.kind === "optimizer") return await checkOptimizer(plugin);
  const checks: Check[] = [];
  for (const test of tests) {
    checks.push(
      ...await guarded(
        `"${test.name}"`,
        () => checkSkill(plugin, skillOfTest(plugin.description, test), test),
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
    const detail = error instanceof SetpointError
      ? error.problems.map(printProblem).join("\n     ")
      : `${error.name}: ${error.message}`;
    return [{ what, ok: false, detail }];
  }
}

function shownExamples(count: number): string {
  if (count === 0) return "no examples to try it on";
  return `${count} ${count === 1 ? "example fits" : "examples fit"}`;
}

/** What it used, once its process has told its memory. */
async function limitsOf(
  host: PluginHost,
  { lowerMs, wallMs, frameBytes }: MeasuredPlugin,
  startMs: number,
  clock: Clock,
): Promise<PluginReport["limits"]> {
  const told = () => (host.status()[0].heap_bytes ?? 0) > 0;
  for (let wait = 0; wait < MEMORY_WAIT_MS && !told(); wait += LOOK_MS) await clock.sleep(LOOK_MS);
  const [{ limits, rss_bytes, heap_bytes, restarts }] = host.status();
  const ms = (value: number | undefined) => value === undefined ? "not called" : `${value.toFixed(1)} ms`;
  const mb = (bytes: number | null) => bytes === null ? "not told" : `${Math.round(bytes / 2 ** 20)} MB`;
  const sorted = wallMs.toSorted((a, b) => a - b);
  const called = sorted.length === 0 ? "" : `, median ${ms(sorted[sorted.length >> 1])}`;
  return [
    { limit: "start", used: ms(startMs), allowed: `${DEFAULT_LIMITS.startMs} ms` },
    { limit: "wall_ms, longest", used: `${ms(sorted.at(-1))}${called}`, allowed: `${limits.wall_ms} ms` },
    {
      limit: "lower_ms, longest",
      used: lowerMs === 0 ? "not called" : ms(lowerMs),
      allowed: `${limits.lower_ms} ms`,
    },
    { limit: "heap_mb", used: mb(heap_bytes), allowed: `${limits.heap_mb} MB` },
    { limit: "rss_mb", used: mb(rss_bytes), allowed: `${limits.rss_mb} MB` },
    {
      limit: "frame_bytes, largest",
      used: frameBytes === 0 ? "little" : `${frameBytes} bytes`,
      allowed: `${limits.frame_bytes} bytes`,
    },
    { limit: "starts_per_hour", used: `${restarts + 1}`, allowed: `${limits.starts_per_hour}` },
  ];
}
