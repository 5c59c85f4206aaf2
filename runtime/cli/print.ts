/** Everything that a command prints: text on standard output, errors and progress on standard error. */
import { type ErrorCode, printProblem, SetpointError } from "../errors.ts";

/** Codes that no restart mends. */
const USAGE_CODES: readonly ErrorCode[] = [
  "USAGE",
  "CONFIG_INVALID",
  "PORT_IN_USE",
  "STATE_LOCKED",
  "STATE_UNREADABLE",
  "NOT_RUNNING",
];

/** What another start may well not meet again. */
const PASSING_CODES: readonly ErrorCode[] = ["PLUGIN_DIED", "PLUGIN_TIMEOUT"];

/**
 * 2: usage, configuration, port in use, state in use; 1: anything else that went wrong.
 * @param service It runs until it is told to end and would be started again after 1; what a person must mend is 2 then.
 */
export function exitCode(error: unknown, service = false): number {
  if (!(error instanceof SetpointError)) return 1;
  const final = service ? !PASSING_CODES.includes(error.code) : USAGE_CODES.includes(error.code);
  return final ? 2 : 1;
}

/**
 * One clean line a problem, on standard error.
 * @param debug With the stack.
 */
export function printError(error: unknown, debug = false): void {
  if (error instanceof SetpointError) {
    for (const problem of error.problems) printLine(printProblem(problem));
  } else printLine(`Cannot go on: ${error instanceof Error ? error.message : String(error)}`);
  if (debug && error instanceof Error) printLine(error.stack ?? "");
}

/** A line on standard error. */
export function printLine(line: string): void {
  console.error(harmless(line));
}

/** Lines on standard output. */
export function printText(text: string): void {
  console.log(harmless(text));
}

/** Names in files are strangers': a terminal gets nothing to obey but line breaks and tabs. */
function harmless(text: string): string {
  return text.toWellFormed().replace(/[^\P{C}\n\t]/gu, " ");
}

export function printJson(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}

/** On standard output, as it is; all of it, also into a pipe. */
export function printRaw(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

const LOGGED = ["debug", "info", "warn", "error"] as const;

/** A log for a command: lines on standard error, from `least` on. */
export function printLog(
  least: (typeof LOGGED)[number],
): (level: (typeof LOGGED)[number], message: string) => void {
  return (level, message) => {
    if (LOGGED.indexOf(level) < LOGGED.indexOf(least)) return;
    const mark = level === "warn" ? "Warning: " : level === "error" ? "Error: " : "";
    printLine(`${mark}${message}`);
  };
}
