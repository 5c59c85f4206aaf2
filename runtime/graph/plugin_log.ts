/**
 * What a plugin says to the people who run it. Lines leave its thread at once, so that they also tell of a call that never
 * ends; each is short and on one line, and what is said too fast is counted in the place of being sent.
 */

const LOG_LEVELS = ["info", "warn", "error"] as const;
export type PluginLogLevel = (typeof LOG_LEVELS)[number];

export interface LogLine {
  readonly level: PluginLogLevel;
  /** "" where there is only `dropped` to tell. */
  readonly text: string;
  /** Lines since the last one that were not sent. */
  readonly dropped: number;
}

export interface LogSink {
  post(line: LogLine): void;
  /** Monotonic, ms. */
  now(): number;
}

/** Longest text, characters. */
export const LONGEST_LINE = 500;
const BURST = 20;
const LINES_PER_SECOND = 5;

/** Lets `BURST` lines through, then so many a second. */
export class LineBudget {
  #left = BURST;
  #since: number;
  #dropped = 0;

  /** @param now Monotonic, ms. */
  constructor(now: number) {
    this.#since = now;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Whether a line may go; gives the number of those that might not before it. */
  take(now: number): { readonly dropped: number } | undefined {
    this.#left = Math.min(BURST, this.#left + Math.max(0, now - this.#since) * LINES_PER_SECOND / 1000);
    this.#since = now;
    if (this.#left < 1) {
      this.#dropped++;
      return undefined;
    }
    this.#left--;
    const dropped = this.#dropped;
    this.#dropped = 0;
    return { dropped };
  }
}

/** On one line, without what a terminal or a log reader would obey, at most {@linkcode LONGEST_LINE} characters. */
export function oneLine(text: string): string {
  const cut = text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE - 1)}…` : text;
  return cut.toWellFormed().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}

/** A line that came from a thread that may be hostile. @throws {TypeError} */
export function checkLine({ level, text, dropped }: { readonly [key in keyof LogLine]?: unknown }): LogLine {
  const known = LOG_LEVELS.find((name) => name === level);
  const sound = typeof text === "string" && text.length <= LONGEST_LINE;
  if (known === undefined || !sound || !Number.isSafeInteger(dropped)) {
    throw new TypeError("no line for the log");
  }
  return { level: known, text, dropped: Math.max(0, dropped as number) };
}

let sink: LogSink | undefined;
let budget = new LineBudget(0);

/** Where lines go from here on; before, they go nowhere. */
export function connectLog(to: LogSink): void {
  sink = to;
  budget = new LineBudget(to.now());
}

/** Tells of dropped lines where none came after them. */
export function flushLog(): void {
  if (budget.dropped > 0) write("warn", "");
}

function write(level: PluginLogLevel, said: unknown): void {
  if (sink === undefined) return;
  const taken = budget.take(sink.now());
  if (taken === undefined) return;
  const text: unknown = oneLine(textOf(said));
  // a plugin may have changed what it is made with
  if (typeof text === "string") sink.post({ level, text, dropped: taken.dropped });
}

function textOf(said: unknown): string {
  if (typeof said === "string") return said;
  try {
    return said instanceof Error ? `${said.name}: ${said.message}` : String(said);
  } catch {
    return "something that cannot be read";
  }
}

/**
 * Lines in the runtime's log, under the name of the plugin, its version and the skill that it works on: on one line, 500
 * characters at most. 20 go at once, then 5 a second; how many were dropped stands at the next one. Never throws.
 *
 * ```ts
 * import { log } from "setpoint";
 *
 * log.warn("the table ends at 40 bar");
 * ```
 */
export const log: {
  readonly [level in PluginLogLevel]: (text: string) => void;
} = Object.freeze({
  info: (text: string): void => write("info", text),
  warn: (text: string): void => write("warn", text),
  error: (text: string): void => write("error", text),
});
