/** Log lines: for people on standard error, as JSON in a file that cannot fill the disk. */
import { configureSync, disposeSync, getLogger, type LogRecord, type Sink } from "@logtape/logtape";
import type { LogLevel } from "../config.ts";
import { styleText } from "node:util";
import { RotatingFile } from "./rotating_file.ts";

export type Level = "debug" | "info" | "warn" | "error" | "fatal";

/** @param fields What a machine may search for; printed after the message. Never secrets. */
export type Log = (level: Level, message: string, fields?: Readonly<Record<string, unknown>>) => void;

export interface LogOptions {
  readonly level: LogLevel;
  /** Made with its folder; default none. */
  readonly file?: string;
  /** Default standard error. */
  readonly write?: (text: string) => void;
  /** Default: standard error is a terminal, and NO_COLOR is not set. */
  readonly colors?: boolean;
}

export interface OpenLog extends Disposable {
  readonly log: Log;
  /** Lines that the file did not take, on a full disk for example. */
  readonly lost: number;
}

const LEVELS = {
  DEBUG: "debug",
  INFO: "info",
  WARNING: "warning",
  ERROR: "error",
  CRITICAL: "fatal",
} as const satisfies Record<LogLevel, LogRecord["level"]>;
const COLORS = {
  trace: "gray",
  debug: "gray",
  info: "green",
  warning: "yellow",
  error: "red",
  fatal: "red",
} as const;

/** Opens the log of this process; there is one at a time. */
export function openLog({ level, file, write = toStandardError, colors }: LogOptions): OpenLog {
  const colored = colors ?? (Deno.stderr.isTerminal() && !Deno.noColor);
  const kept = file === undefined ? undefined : new RotatingFile(file);
  const sinks: Record<string, Sink> = { person: (record) => write(`${personLine(record, colored)}\n`) };
  if (kept !== undefined) sinks.file = (record) => kept.append(`${jsonLine(record)}\n`);
  configureSync({
    reset: true,
    sinks,
    loggers: [
      { category: "setpoint", lowestLevel: LEVELS[level], sinks: Object.keys(sinks) },
      { category: ["logtape", "meta"], lowestLevel: "fatal", sinks: [] },
    ],
  });
  const logger = getLogger("setpoint");
  return {
    // a brace begins a placeholder in logtape; ours stand for themselves
    log: (level, message, fields = {}) => logger[level](message.replace(/[{}]/g, "$&$&"), { ...fields }),
    get lost() {
      return kept?.lost ?? 0;
    },
    [Symbol.dispose]() {
      disposeSync();
      kept?.[Symbol.dispose]();
    },
  };
}

function toStandardError(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}

function messageOf({ message }: LogRecord): string {
  return message.map(String).join("");
}

/** `2026-11-21T02:13:44.123Z INFO  Cycle solved  cost=-102` */
function personLine(record: LogRecord, colored: boolean): string {
  const level = record.level.toUpperCase().padEnd(7);
  const shown = colored ? styleText(COLORS[record.level], level, { validateStream: false }) : level;
  const fields = Object.entries(record.properties).map(([name, value]) => ` ${name}=${inLine(value)}`);
  // what is quoted in a message may be a stranger's: only the runtime itself begins a line
  const message = messageOf(record).replaceAll("\n", "\n    ");
  return `${new Date(record.timestamp).toISOString()} ${shown} ${message}${fields.length > 0 ? " " : ""}${
    fields.join("")
  }`;
}

function jsonLine(record: LogRecord): string {
  const { level, timestamp, properties } = record;
  const fields = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, plain(value)]));
  return JSON.stringify({
    timestamp: new Date(timestamp).toISOString(),
    level,
    message: messageOf(record),
    ...fields,
  });
}

function inLine(value: unknown): string {
  const text = plain(value);
  return typeof text === "string" && !/[\s"]/.test(text) ? text : JSON.stringify(text) ?? String(text);
}

/** An error as its message, with its stack for whoever debugs it. */
function plain(value: unknown): unknown {
  return value instanceof Error ? value.stack ?? value.message : value;
}
