/** The process behind `deno task`: command line → configuration → kernel → HTTP → schedule. runtime/launch.ts starts it. */
import { configOf, LAUNCHED, parseCommandLine } from "./runtime/cli/command_line.ts";
import { exitCode, printError } from "./runtime/cli/print.ts";
import { systemClock as clock } from "./runtime/clock.ts";
import { type Config, listenAddress } from "./runtime/config.ts";
import { ageSeconds } from "./runtime/historian/timestamp.ts";
import type { CycleRow } from "./runtime/kernel/types.ts";
import { aborted, stopSignal, untilInputEnds } from "./runtime/launch/stop.ts";

/** Who asks for the end waits no longer than 10 s, whatever hangs; answers under way have 3 s. */
const STOP_MS = 9_000;
const ANSWERS_MS = 3_000;

/** Optimizes and serves until it is told to end. @param crashes How often in a row it ended otherwise. */
async function start(config: Config, stop: AbortSignal, crashes: number): Promise<number> {
  const [{ composeKernel }, { createApp }, { serveHttp }, { openLog }, { Metrics }, { cycleLine }, folder] =
    await Promise.all([
      import("./runtime/kernel/compose.ts"),
      import("./runtime/http/app.ts"),
      import("./runtime/http/server.ts"),
      import("./runtime/telemetry/log.ts"),
      import("./runtime/telemetry/metrics.ts"),
      import("./runtime/telemetry/cycle_line.ts"),
      import("./runtime/state_folder.ts"),
    ]);
  const { folders: { state }, app: { mode } } = config;
  using lines = openLog({ level: config.log.level, file: `${state}/logs/app.log` });
  const { log } = lines;
  const metrics = new Metrics();
  const onCycle = (row: CycleRow) => {
    metrics.cycle(row);
    metrics.inputAge(ageSeconds(row.row_timestamp, row.started_at, config.database?.timezone));
    if (row.origin === "schedule") log("info", cycleLine(row), { cycle_id: row.cycle_id });
  };
  await using composed = await composeKernel(config, { clock, log, serving: true, crashes, onCycle });
  const { kernel } = composed;
  metrics.attach(kernel);
  const token = await folder.makeToken(state);
  const { fetch } = createApp({ kernel, config, clock, token, metrics, log });
  const server = serveHttp({ ...listenAddress(config), fetch, clock });
  try {
    await folder.writeRun(state, { pid: Deno.pid, url: server.url });
    await Promise.race([kernel.load(), aborted(stop)]);
    if (mode !== "api" && !stop.aborted) kernel.startSchedule(periodOf(config));
    log("info", `Serving ${server.url} in mode ${mode}`, { pid: Deno.pid, state });
    await aborted(stop);
    log("info", "Stopping");
  } finally {
    await Promise.all([server.stop(ANSWERS_MS), folder.removeRun(state)]);
  }
  return 0;
}

function periodOf({ optimization: { interval_seconds: seconds, interval_source: source } }: Config) {
  return seconds === null ? {} : source === "flag" ? { flagSeconds: seconds } : { configSeconds: seconds };
}

async function run(args: readonly string[]): Promise<number> {
  const invocation = parseCommandLine(args);
  const launched = LAUNCHED in invocation.flags;
  if (invocation.command !== "start") {
    if (launched) untilInputEnds().then(() => Deno.exit(130));
    const { runCommand } = await import("./runtime/cli/run.ts");
    return await runCommand(invocation, await configOf(invocation), clock);
  }
  const stop = stopSignal(launched);
  stop.addEventListener("abort", () => void clock.after(STOP_MS, () => Deno.exit(0)));
  return await start(await configOf(invocation), stop, Number(invocation.flags[LAUNCHED] ?? 0));
}

let code: number;
try {
  code = await run(Deno.args);
} catch (error) {
  printError(error, Deno.args.includes("--debug"));
  code = exitCode(error, Deno.args[0] === "start");
}
Deno.exit(code);
