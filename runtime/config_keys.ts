/** Every key of the configuration: what it may be, its default, and what it is called in the environment and in flags. */
import { boolean, choice, integer, path, positive, type Setting, text, type ValueOf } from "./setting.ts";

const LOG_LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** hybrid: schedule and HTTP; api: HTTP alone; continuous: schedule, and of HTTP only health, metrics and cache. */
const MODES = ["hybrid", "continuous", "api"] as const;
export type Mode = (typeof MODES)[number];

/** advisory: a person decides; closed_loop: a program may apply what was published. */
const CONTROL_MODES = ["advisory", "closed_loop"] as const;

/** The checkout, which the default folders are in. */
export const ROOT = import.meta.dirname!.replace(/\/[^/]*$/, "");

/** Every key there is; `metadata/config.example.yaml` tells them to people. */
export const SETTINGS = {
  "log.level": choice(LOG_LEVELS, "INFO"),
  "app.mode": choice(MODES, "hybrid"),
  "api.host": text("127.0.0.1"),
  "api.port": integer(0, 65535, 8005),
  "api.debug": boolean(false),
  "api.max_body_bytes": integer(1000, 100_000_000, 1_000_000),
  "api.max_in_flight": integer(1, 1000, 32),
  "api.body_timeout_seconds": positive(600, 10),
  "database.host": text(null),
  "database.port": integer(1, 65535, 5432),
  "database.dbname": text(null),
  "database.user": text(null),
  "database.password": text(null, { secret: true }),
  "database.table": text("process_data"),
  "database.timestamp_column": text("timestamp"),
  "database.timezone": text("UTC"),
  "storage.directory": path(`${ROOT}/strategies/kiln`),
  "storage.minio.endpoint": text(null),
  "storage.minio.access_key": text(null, { secret: true }),
  "storage.minio.secret_key": text(null, { secret: true }),
  "storage.minio.bucket": text(null),
  "storage.minio.use_ssl": boolean(null),
  "cache.max_bytes": integer(1_000_000, 1e12, 100_000_000),
  "optimization.interval_seconds": positive(86_400, null),
  "optimization.max_iterations": integer(1, 100_000, null),
  "optimization.tolerance": positive(1, null),
  "optimization.deadline_ms": integer(10, 600_000, 10_000),
  "optimization.control": choice(CONTROL_MODES, "advisory"),
  "optimization.config_file": path(null),
  "folders.state": path(`${ROOT}/state`),
  "folders.metadata": path(`${ROOT}/metadata`),
} as const satisfies Record<string, Setting<unknown>>;

export type Key = keyof typeof SETTINGS;
export type Values = { -readonly [K in Key]: ValueOf<(typeof SETTINGS)[K]> };

/** What each key of {@linkcode SETTINGS} is called on the command line, where it is. */
export const FLAGS: Readonly<Record<string, Key>> = {
  "mode": "app.mode",
  "host": "api.host",
  "port": "api.port",
  "debug": "api.debug",
  "interval": "optimization.interval_seconds",
  "state": "folders.state",
  "metadata": "folders.metadata",
  "strategy": "optimization.config_file",
};

/** @example `variableOf("database.password")` is `SETPOINT_DATABASE_PASSWORD`. */
export function variableOf(key: Key): string {
  return `SETPOINT_${key.toUpperCase().replaceAll(".", "_")}`;
}

/** The keys that a section has directly below it; "" is the whole file. */
export function keysBelow(section: string): string[] {
  const prefix = section === "" ? "" : `${section}.`;
  const below = Object.keys(SETTINGS).filter((key) => key.startsWith(prefix));
  return [...new Set(below.map((key) => key.slice(prefix.length).split(".")[0]))];
}
