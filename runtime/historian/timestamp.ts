import { setpointError } from "../errors.ts";
import type { Instant } from "./historian.ts";

const ISO =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?(Z|UTC|[+-]\d\d(?::?\d\d(?::\d\d)?)?))?)?$/i;

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * Reads an ISO 8601 time with `T` or a space, none to nine digits of a second (cut to microseconds), with or without
 * a zone; a date alone is its midnight.
 * @param zone IANA time zone of a text that names none; default UTC. An hour that occurs twice (end of summer time) is
 * taken as its first pass, one that does not occur is moved ahead by the change.
 * @returns null for anything else: no such day, another form, a year before 1685 or after 2254.
 */
export function parseTimestamp(text: string, zone = "UTC"): Instant | null {
  const match = ISO.exec(text.trim());
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const wallMs = utcMs(year, month, day, hour, minute, second);
  if (wallMs === null) return null;
  const ms = match[8] === undefined ? fromWall(wallMs, zone) : wallMs - offsetOf(match[8]);
  const micros = ms * 1000 + Number((match[7] ?? "").slice(0, 6).padEnd(6, "0"));
  if (!Number.isSafeInteger(micros)) return null;
  return { micros, text: formatTimestamp(micros, zone) };
}

/** How old a row was, s. @param text Its time. @param at ISO 8601 with a zone. @returns null where one is no time. */
export function ageSeconds(text: string | null, at: string, zone = "UTC"): number | null {
  const time = text === null ? null : parseTimestamp(text, zone);
  const age = time === null ? NaN : Date.parse(at) / 1000 - time.micros / 1e6;
  return Number.isFinite(age) ? age : null;
}

/** Writes microseconds since 1970 UTC as wall time in `zone`, always `YYYY-MM-DDTHH:MM:SS.ffffff`. */
export function formatTimestamp(micros: number, zone = "UTC"): string {
  const seconds = Math.floor(micros / 1e6);
  const fraction = micros - seconds * 1e6;
  const wall = new Date(seconds * 1000 + offsetMs(zone, seconds * 1000));
  return `${wall.toISOString().slice(0, 19)}.${String(fraction).padStart(6, "0")}`;
}

/** @throws {SetpointError} CONFIG_INVALID If `zone` is no IANA time zone that this machine knows. */
export function checkTimeZone(zone: string): void {
  try {
    formatOf(zone);
  } catch (cause) {
    throw setpointError(
      "CONFIG_INVALID",
      `Cannot use time zone "${zone}": it is not known, expected an IANA name such as "UTC" or "Europe/Berlin"`,
      { cause },
    );
  }
}

function utcMs(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number | null {
  if (year === 0 || hour > 23 || minute > 59 || second > 59) return null;
  const date = new Date(0);
  // Date.UTC would read the years 0 to 99 as 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.setUTCHours(hour, minute, second);
}

function offsetOf(zone: string): number {
  if (/^[zu]/i.test(zone)) return 0;
  const [hours, minutes, seconds] = zone.slice(1).replaceAll(":", "").match(/\d\d/g)!.map(Number);
  const ms = ((hours * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1000;
  return zone.startsWith("-") ? -ms : ms;
}

/** The two offsets in force a day before and after are the only candidates: no zone changes twice within two days. */
function fromWall(wallMs: number, zone: string): number {
  if (zone === "UTC") return wallMs;
  const before = wallMs - offsetMs(zone, wallMs - DAY_MS);
  const after = wallMs - offsetMs(zone, wallMs + DAY_MS);
  const valid = [before, after].filter((ms) => ms + offsetMs(zone, ms) === wallMs);
  return valid.length > 0 ? Math.min(...valid) : before;
}

/** What `zone`'s wall clock is ahead of UTC, in ms, at a whole second. */
function offsetMs(zone: string, ms: number): number {
  if (zone === "UTC") return 0;
  const parts: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(ms)) parts[type] = Number(value);
  const { year, month, day, hour, minute, second } = parts;
  return utcMs(year, month, day, hour, minute, second)! - Math.floor(ms / 1000) * 1000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    const digits = "2-digit";
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "iso8601",
      hourCycle: "h23",
      year: "numeric",
      month: digits,
      day: digits,
      hour: digits,
      minute: digits,
      second: digits,
    });
    formats.set(zone, format);
  }
  return format;
}
