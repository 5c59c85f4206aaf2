/**
 * What `deno task` runs: reads the command line and the configuration, works out exactly what the process behind it may
 * do, starts that process with these permissions, and looks after it.
 */
import { configOf, helpOf, type Invocation, LAUNCHED, parseCommandLine } from "./cli/command_line.ts";
import { exitCode, printError, printLine, printText } from "./cli/print.ts";
import { systemClock } from "./clock.ts";
import { ROOT } from "./config.ts";
import { permissionFlags, permissionsOf } from "./launch/permissions.ts";
import { type Child, supervise } from "./launch/supervise.ts";

/** Requests leave garbage. A small young generation and an old one that grows slowly save some 80 MB under load. */
const HEAP = "--v8-flags=--max-semi-space-size=4,--heap-growing-percent=30";

async function launch(args: readonly string[]): Promise<number> {
  const invocation = parseCommandLine(args);
  const { command, flags } = invocation;
  if ("help" in flags) {
    printText(helpOf(command));
    return 0;
  }
  const deno = Deno.execPath();
  const allowed = permissionFlags(await permissionsOf(invocation, await configOf(invocation), deno));
  if ("print-permissions" in flags) {
    printText(allowed.join("\n"));
    return 0;
  }
  return await supervise({
    clock: systemClock,
    start: (crashes) => startKernel(deno, allowed, invocation, args, crashes),
    onSignal,
    restart: command === "start" && !("no-supervise" in flags),
    service: command === "start",
    log: printLine,
  });
}

/**
 * Detached, because a terminal sends Ctrl-C to its whole group: the one SIGTERM comes from here. Its standard input
 * stays open as long as this process lives, and tells it when that has died.
 */
function startKernel(
  deno: string,
  allowed: readonly string[],
  { command }: Invocation,
  args: readonly string[],
  crashes: number,
): Child {
  const child = new Deno.Command(deno, {
    args: [
      ...["run", "--no-prompt", "--no-remote", "--config", `${ROOT}/deno.json`, HEAP],
      ...allowed,
      ...[`${ROOT}/main.ts`, command, `--${LAUNCHED}=${crashes}`, ...args.slice(1)],
    ],
    stdin: "piped",
    stdout: "inherit",
    stderr: "inherit",
    detached: true,
  }).spawn();
  return {
    pid: child.pid,
    status: child.status,
    kill(signal) {
      try {
        child.kill(signal);
      } catch {
        // it has ended by itself just now
      }
    },
  };
}

function onSignal(handle: () => void): () => void {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, handle);
  return () => signals.forEach((signal) => Deno.removeSignalListener(signal, handle));
}

if (import.meta.main) {
  try {
    Deno.exit(await launch(Deno.args));
  } catch (error) {
    printError(error, Deno.args.includes("--debug"));
    Deno.exit(exitCode(error));
  }
}
