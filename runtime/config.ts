/**
 * The configuration: one YAML file in the predecessor's form, then the environment, then the command line, the later
 * winning; checked as a whole, with every problem at once, and frozen. Each key `a.b` is also the variable
 * `SETPOINT_A_B` (secrets belong there).
 */
import {
  FLAGS,
  type Key,
  type LogLevel,
  type Mode,
  SETTINGS,
  type Values,
  variableOf,
} from "./config_keys.ts";
import { absolute, Reading } from "./config_reading.ts";
import { SetpointError } from "./errors.ts";

export { FLAGS, type Key, type LogLevel, type Mode, ROOT, variableOf } from "./config_keys.ts";

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
    readonly control: Values["optimization.control"];
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
  if (file !== null) await reading.takeFile(file);
  const fromCaller = (path: string) => fromCallersFolder(path, env);
  for (const key of Object.keys(SETTINGS) as Key[]) {
    const name = variableOf(key);
    const value = env(name);
    if (value === undefined || value === "") continue;
    reading.take(key, SETTINGS[key].parse(value), { code: "CONFIG_INVALID", at: { file: name } }, fromCaller);
  }
  for (const [flag, value] of Object.entries(sources.flags ?? {})) {
    const key = FLAGS[flag];
    reading.take(key, SETTINGS[key].parse(value), { code: "USAGE", at: { file: `--${flag}` } }, fromCaller);
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

function frozen<T>(value: T): T {
  for (const part of Object.values(value as object)) {
    if (typeof part === "object" && part !== null) frozen(part);
  }
  return Object.freeze(value);
}
