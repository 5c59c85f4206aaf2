/**
 * The configuration: one YAML file in the predecessor's form, then the environment, then the command line, the later
 * winning; checked as a whole, with every problem at once, and frozen. Each key `a.b` is also the variable
 * `SETPOINT_A_B` (secrets belong there).
 */
import { type Position, type Problem, SetpointError, setpointError, whyUnreadable } from "./errors.ts";
import { boolean, choice, integer, path, positive, type Setting, text, type ValueOf } from "./setting.ts";
import type { ParsedYaml } from "./yaml.ts";

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
const SETTINGS = {
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
type Values = { -readonly [K in Key]: ValueOf<(typeof SETTINGS)[K]> };

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

/** PostgreSQL; `password` may be empty where the server asks for none. */
export interface DatabaseConfig {
  readonly host: string;
  readonly port: number;
  readonly dbname: string;
  readonly user: string;
  readonly password: string;
  readonly table: string;
  readonly timestamp_column: string;
  /** IANA name; of times without a zone. */
  readonly timezone: string;
}

export interface MinioStorageConfig {
  /** `host:port` or a URL. */
  readonly endpoint: string;
  readonly access_key: string;
  readonly secret_key: string;
  readonly bucket: string;
  /** Default: what the endpoint's URL says, else false. */
  readonly use_ssl?: boolean;
}

export interface Config {
  /** Absolute; null without one. */
  readonly file: string | null;
  readonly log: { readonly level: LogLevel };
  readonly app: { readonly mode: Mode };
  readonly api: {
    readonly host: string;
    /** 0: any free one. */
    readonly port: number;
    /** Errors with their stacks, and every log line. */
    readonly debug: boolean;
    /** Largest body of a request. */
    readonly max_body_bytes: number;
    /** Optimizations at a time; the next is refused with 503. */
    readonly max_in_flight: number;
    /** A request's body must have arrived by then. */
    readonly body_timeout_seconds: number;
  };
  /** null: the embedded historian with its simulated plant. */
  readonly database: DatabaseConfig | null;
  readonly storage: {
    /** The store where there is no MinIO; absolute. */
    readonly directory: string;
    readonly minio: MinioStorageConfig | null;
  };
  readonly cache: { readonly max_bytes: number };
  readonly optimization: {
    /** null: the strategy's own schedule, else five minutes. */
    readonly interval_seconds: number | null;
    /** Who said `interval_seconds`. */
    readonly interval_source: "flag" | "config" | null;
    /** null: the optimizer's own. */
    readonly max_iterations: number | null;
    readonly tolerance: number | null;
    /** Longest time of one optimization. */
    readonly deadline_ms: number;
    /** Who may act on answers. */
    readonly control: (typeof CONTROL_MODES)[number];
    /** A strategy file that runs in the place of the deployed version; absolute. */
    readonly config_file: string | null;
  };
  /** Absolute. */
  readonly folders: { readonly state: string; readonly metadata: string };
}

export interface ConfigSources {
  /** By {@linkcode FLAGS}; a switch is "true". */
  readonly flags?: Readonly<Record<string, string>>;
  /** The file; default `SETPOINT_CONFIG`, else none. */
  readonly file?: string;
  /** Default `Deno.env.get`. */
  readonly env?: (name: string) => string | undefined;
}

/** Largest configuration file, in bytes. */
const MAX_BYTES = 65_536;

/** @example `variableOf("database.password")` is `SETPOINT_DATABASE_PASSWORD`. */
export function variableOf(key: Key): string {
  return `SETPOINT_${key.toUpperCase().replaceAll(".", "_")}`;
}

/** All variables that {@linkcode readConfig} looks at. */
export function configVariables(): string[] {
  return ["SETPOINT_CONFIG", "INIT_CWD", ...(Object.keys(SETTINGS) as Key[]).map(variableOf)];
}

/** A path that a person gave on the command line, made absolute from where they stood when they called `deno task`. */
export function fromCallersFolder(
  path: string,
  env: (name: string) => string | undefined = environment,
): string {
  return absolute(path, env("INIT_CWD") ?? Deno.cwd());
}

/** @throws {SetpointError} CONFIG_INVALID (file, environment) or USAGE (flags), with every problem. */
export async function readConfig(sources: ConfigSources = {}): Promise<Config> {
  const env = sources.env ?? environment;
  const told = sources.file ?? env("SETPOINT_CONFIG");
  const file = told === undefined ? null : fromCallersFolder(told, env);
  const reading = new Reading();
  if (file !== null) await readFile(reading, file);
  for (const key of Object.keys(SETTINGS) as Key[]) {
    const name = variableOf(key);
    const value = env(name);
    if (value !== undefined && value !== "") {
      reading.take(
        key,
        SETTINGS[key].parse(value),
        { code: "CONFIG_INVALID", name, at: { file: name } },
        fromCwd(env),
      );
    }
  }
  for (const [flag, value] of Object.entries(sources.flags ?? {})) {
    const key = FLAGS[flag];
    const name = `--${flag}`;
    reading.take(key, SETTINGS[key].parse(value), { code: "USAGE", name, at: { file: name } }, fromCwd(env));
  }
  const database = reading.section("database", ["database.host", "database.dbname", "database.user"]);
  const minioKeys = ["endpoint", "access_key", "secret_key", "bucket"].map((name) =>
    `storage.minio.${name}` as Key
  );
  const minio = reading.section("storage.minio", minioKeys);
  if (reading.problems.length > 0) throw new SetpointError(reading.problems);
  const interval = sources.flags?.interval !== undefined ? "flag" : "config";
  return frozen(assemble(reading.values, { file, database, minio, interval }));
}

/** Where HTTP is served. Mode continuous has nothing for others and stays on loopback. */
export function listenAddress({ api, app }: Config): { readonly host: string; readonly port: number } {
  const host = app.mode === "continuous" && !isLoopback(api.host) ? "127.0.0.1" : api.host;
  return { host, port: api.port };
}

/** `localhost`, 127.0.0.0/8 or ::1, with or without brackets. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host);
}

interface Origin {
  readonly code: "CONFIG_INVALID" | "USAGE";
  readonly name: string;
  readonly at: Position;
}

/** The values so far, with what is wrong about them. */
class Reading {
  readonly values: Values = Object.fromEntries(
    Object.entries(SETTINGS).map(([key, { fallback }]) => [key, fallback]),
  ) as Values;
  readonly told = new Map<Key, Origin>();
  readonly problems: Problem[] = [];

  take(key: Key, value: unknown, origin: Origin, resolve: (path: string) => string): void {
    const setting: Setting<unknown> = SETTINGS[key];
    const read = setting.read(value);
    this.told.set(key, origin);
    if (read === undefined) {
      const shown = setting.secret ? "" : ` to ${JSON.stringify(value) ?? String(value)}`;
      const message = `Cannot set ${key}${shown}, expected ${setting.expected}`;
      this.problems.push({ code: origin.code, message, at: origin.at });
    } else {
      const known = this.values as Record<Key, unknown>;
      known[key] = setting.path ? resolve(read as string) : read;
    }
  }

  /** Whether any key of a section is told; then `required` ones must be. */
  section(name: string, required: readonly Key[]): boolean {
    const first = [...this.told].find(([key]) => key.startsWith(`${name}.`));
    if (first === undefined) return false;
    for (const key of required) {
      if (this.told.has(key)) continue;
      const message = `Cannot use ${name}: ${key} is missing, expected it in the file or in ${
        variableOf(key)
      }`;
      this.problems.push({ code: "CONFIG_INVALID", message, at: first[1].at });
    }
    return true;
  }
}

async function readFile(reading: Reading, file: string): Promise<void> {
  const { parseYaml } = await import("./yaml.ts");
  let content: string;
  try {
    content = await Deno.readTextFile(file);
  } catch (cause) {
    throw setpointError("CONFIG_INVALID", `Cannot read the configuration: ${whyUnreadable(cause)}`, {
      at: { file },
      cause,
    });
  }
  let yaml: ParsedYaml;
  try {
    yaml = parseYaml(content, { file, maxBytes: MAX_BYTES });
  } catch (error) {
    if (!(error instanceof SetpointError)) throw error;
    throw new SetpointError(error.problems.map((problem) => ({ ...problem, code: "CONFIG_INVALID" })));
  }
  const folder = file.slice(0, file.lastIndexOf("/")) || "/";
  const resolve = (path: string) => absolute(path, folder);
  walk(yaml.value, []);

  function walk(value: unknown, at: readonly string[]): void {
    const name = at.join(".");
    if (Object.hasOwn(SETTINGS, name)) {
      const origin: Origin = { code: "CONFIG_INVALID", name, at: yaml.position(at) };
      if (value !== null) reading.take(name as Key, value, origin, resolve);
      return;
    }
    const inside = keysBelow(name);
    const refuse = (message: string, place: Position) =>
      reading.problems.push({ code: "CONFIG_INVALID", message, at: place });
    if (inside.length === 0) {
      const parent = at.slice(0, -1).join(".");
      refuse(`Unknown key "${name}", expected ${keysBelow(parent).join(", ")}`, yaml.keyPosition(at));
    } else if (value !== null && (typeof value !== "object" || Array.isArray(value))) {
      const what = at.length === 0 ? "the configuration" : name;
      refuse(`Cannot read ${what}, expected the keys ${inside.join(", ")}`, yaml.position(at));
    } else {
      for (const [key, part] of Object.entries(value ?? {})) walk(part, [...at, key]);
    }
  }
}

/** The keys that a section has directly below it; "" is the whole file. */
function keysBelow(section: string): string[] {
  const prefix = section === "" ? "" : `${section}.`;
  const below = Object.keys(SETTINGS).filter((key) => key.startsWith(prefix));
  return [...new Set(below.map((key) => key.slice(prefix.length).split(".")[0]))];
}

interface Found {
  readonly file: string | null;
  readonly database: boolean;
  readonly minio: boolean;
  readonly interval: "flag" | "config";
}

function assemble(v: Values, found: Found): Config {
  return {
    file: found.file,
    log: { level: v["api.debug"] ? "DEBUG" : v["log.level"] },
    app: { mode: v["app.mode"] },
    api: {
      host: v["api.host"],
      port: v["api.port"],
      debug: v["api.debug"],
      max_body_bytes: v["api.max_body_bytes"],
      max_in_flight: v["api.max_in_flight"],
      body_timeout_seconds: v["api.body_timeout_seconds"],
    },
    database: found.database
      ? {
        host: v["database.host"]!,
        port: v["database.port"],
        dbname: v["database.dbname"]!,
        user: v["database.user"]!,
        password: v["database.password"] ?? "",
        table: v["database.table"],
        timestamp_column: v["database.timestamp_column"],
        timezone: v["database.timezone"],
      }
      : null,
    storage: {
      directory: v["storage.directory"],
      minio: found.minio
        ? {
          endpoint: v["storage.minio.endpoint"]!,
          access_key: v["storage.minio.access_key"]!,
          secret_key: v["storage.minio.secret_key"]!,
          bucket: v["storage.minio.bucket"]!,
          ...(v["storage.minio.use_ssl"] !== null && { use_ssl: v["storage.minio.use_ssl"] }),
        }
        : null,
    },
    cache: { max_bytes: v["cache.max_bytes"] },
    optimization: {
      interval_seconds: v["optimization.interval_seconds"],
      interval_source: v["optimization.interval_seconds"] === null ? null : found.interval,
      max_iterations: v["optimization.max_iterations"],
      tolerance: v["optimization.tolerance"],
      deadline_ms: v["optimization.deadline_ms"],
      control: v["optimization.control"],
      config_file: v["optimization.config_file"],
    },
    folders: { state: v["folders.state"], metadata: v["folders.metadata"] },
  };
}

function environment(name: string): string | undefined {
  return Deno.env.get(name);
}

function fromCwd(env: (name: string) => string | undefined): (path: string) => string {
  return (path) => fromCallersFolder(path, env);
}

/** An absolute path without `.`, `..` or a slash at its end. */
function absolute(path: string, folder: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

function frozen<T>(value: T): T {
  for (const part of Object.values(value as object)) {
    if (typeof part === "object" && part !== null) frozen(part);
  }
  return Object.freeze(value);
}
