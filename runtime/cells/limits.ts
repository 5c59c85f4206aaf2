import type { PluginLimits } from "../graph/manifest.ts";

/** What one cell may use. Every limit carries its unit in its name. */
export interface Limits {
  /** One `evaluate`, its time in the queue included. Default 250 ms. */
  readonly wallMs: number;
  /** One `lower` or `sequence`, or the loading of a problem. Default 5 s. */
  readonly lowerMs: number;
  /** From spawning the process to its last worker's being ready. Default 10 s. */
  readonly startMs: number;
  /** How long past its own deadline an optimizer may still answer. Default 50 ms. */
  readonly graceMs: number;
  /** JavaScript heap of each thread. Default 256 MB. */
  readonly heapMb: number;
  /** Resident memory of the process. Default 512 MB. */
  readonly rssMb: number;
  /** One frame from a cell: room for an expression of 4 MiB. Default 5 MiB. */
  readonly frameBytes: number;
  /** The JSON of one frame from a cell. Default 1 MiB. */
  readonly jsonBytes: number;
  /** One frame to a cell, model files included. Default 32 MiB. */
  readonly requestBytes: number;
  /** Calls that may wait for one plugin. Default 64. */
  readonly queue: number;
  /** A cell tells its memory, and that it lives, this often. Default 250 ms. */
  readonly beatMs: number;
  /** Silence after which the other side counts as dead. Default 3 s. */
  readonly silenceMs: number;
  /** Delay of the second restart in a row, doubled for each further one; the first is at once. Default 100 ms. */
  readonly backoffMs: number;
  /** Longest delay of a restart. Default 10 s; 1 s for the built-in plugins. */
  readonly backoffMaxMs: number;
  /** Failures in a row after which a plugin is no longer called; Infinity: never. Default 5; built-in: never. */
  readonly quarantineAfter: number;
  /** Rest after which a cell is ended for its memory; the next call starts it again. Default never; built-in: 10 s. */
  readonly idleMs: number;
  /** Starts of the process within an hour, after which it is shut out until the hour is over. Default 60; built-in: any. */
  readonly startsPerHour: number;
  /** How long a plugin stays in quarantine, before one call may try it again. Default 60 s. */
  readonly quarantineMs: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  wallMs: 250,
  lowerMs: 5_000,
  startMs: 10_000,
  graceMs: 50,
  heapMb: 256,
  rssMb: 512,
  frameBytes: 5 << 20,
  jsonBytes: 1 << 20,
  requestBytes: 32 << 20,
  queue: 64,
  beatMs: 250,
  silenceMs: 3_000,
  backoffMs: 100,
  backoffMaxMs: 10_000,
  quarantineAfter: 5,
  idleMs: Infinity,
  startsPerHour: 60,
  quarantineMs: 60_000,
});

/** The built-in plugins must work for others after one strategy made them fail: they are restarted, never shut out. */
export const BUILTIN_LIMITS: Partial<Limits> = Object.freeze({
  backoffMaxMs: 1_000,
  quarantineAfter: Infinity,
  startsPerHour: Infinity,
});

/**
 * `idleMs` of the built-in plugins that describe skills: they are needed while a strategy is loaded, and their 75 MB are
 * what a running gateway can do without.
 */
export const DESCRIBER_IDLE_MS = 10_000;

/** `frameBytes` of the same: an expression of 4 MiB, and the model of a `.pth` file as ONNX beside it. */
export const DESCRIBER_FRAME_BYTES = 9 << 20;

/** The part of the limits that a cell needs itself, by argument. */
export type CellLimits = Pick<
  Limits,
  "rssMb" | "frameBytes" | "jsonBytes" | "requestBytes" | "beatMs" | "silenceMs"
>;

/** The limits that a strategy or a manifest may name, by their names there. */
const NAMES = {
  wall_ms: "wallMs",
  lower_ms: "lowerMs",
  heap_mb: "heapMb",
  rss_mb: "rssMb",
  frame_bytes: "frameBytes",
  starts_per_hour: "startsPerHour",
} as const satisfies Record<keyof PluginLimits, keyof Limits>;

const KEYS = Object.keys(NAMES) as (keyof PluginLimits)[];

/** What a strategy grants, in the place of the defaults. */
export function grantedLimits(limits: PluginLimits): Partial<Limits> {
  const granted = KEYS.filter((key) => limits[key] !== undefined).map((key) => [NAMES[key], limits[key]]);
  return Object.fromEntries(granted);
}

/** The named limits as they are in force; one without end is left out. */
export function shownLimits(limits: Limits): PluginLimits {
  return Object.fromEntries(
    KEYS.map((key) => [key, limits[NAMES[key]]]).filter(([, limit]) => limit !== Infinity),
  );
}

/**
 * What a plugin says that it needs, against what it may have: less is what it gets, more is refused.
 * @param granted By the strategy: stays as it is.
 * @returns The limits that change.
 * @throws {TypeError} Names every limit that the strategy would have to grant.
 */
export function neededLimits(needs: PluginLimits, granted: PluginLimits, limits: Limits): Partial<Limits> {
  const short = KEYS.filter((key) => needs[key] !== undefined && needs[key] > limits[NAMES[key]]);
  if (short.length > 0) {
    const told = short.map((key) => `${key} ${needs[key]} (it may have ${limits[NAMES[key]]})`).join(", ");
    const example = short.map((key) => `${key}: ${needs[key]}`).join(", ");
    throw new TypeError(`it needs ${told}; a strategy grants it by {plugin: …, limits: {${example}}}`);
  }
  const tighter = KEYS.filter((key) => granted[key] === undefined && needs[key] !== undefined);
  return Object.fromEntries(
    tighter.filter((key) => needs[key]! < limits[NAMES[key]]).map((key) => [NAMES[key], needs[key]]),
  );
}
