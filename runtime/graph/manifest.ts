/** What a plugin says of itself beside its name: the SDK that it is for, its config, its needs, its examples and tests. */
import { checkSchema, type ConfigSchema } from "./config_schema.ts";
import { didYouMean } from "./nearest_names.ts";
import { PLUGIN_KINDS, PLUGIN_NAME, PLUGIN_VERSION, type PluginKind } from "./plugin_identity.ts";
import { printable } from "./printable.ts";
import { satisfies } from "./sdk_range.ts";
import { SDK_VERSION } from "./sdk_version.ts";
import type { Json } from "./skill.ts";

/** What one plugin needs, or may use. Names carry their units. */
export interface PluginLimits {
  /** One `evaluate`, its time in the queue included, ms. */
  readonly wall_ms?: number;
  /** One `lower` or `sequence`, ms. */
  readonly lower_ms?: number;
  /** JavaScript heap of each thread, MB. */
  readonly heap_mb?: number;
  /** Resident memory of the process, MB. */
  readonly rss_mb?: number;
  /** One answer, bytes. */
  readonly frame_bytes?: number;
  /** Starts of its process within an hour, after which it is shut out. */
  readonly starts_per_hour?: number;
}

/** What may be asked for: least and most. */
export const LIMIT_RANGES: Readonly<Record<keyof PluginLimits, readonly [number, number]>> = {
  wall_ms: [1, 600_000],
  lower_ms: [10, 600_000],
  heap_mb: [16, 16_384],
  rss_mb: [64, 65_536],
  frame_bytes: [4_096, 32 << 20],
  starts_per_hour: [1, 3_600],
};

/** A config that works, for readers and for `plugin:test`. */
export interface PluginExample {
  readonly title: string;
  readonly config: { readonly [key: string]: Json };
}

/** What must come of a skill, or of an optimizer's search; run whenever the plugin is opened. */
export interface PluginTest {
  /** Default "test" and its number. */
  readonly name?: string;
  /** Default {}. */
  readonly config?: { readonly [key: string]: Json };
  /**
   * Values of the inputs, by variable, in their order. `V_current` and `V_threshold` give what the formula reads. Kind
   * optimizer: where the search begins.
   */
  readonly inputs?: { readonly [variable: string]: number };
  /** Expected values of the outputs, by variable, in their order. Kind optimizer: where the search is to end. */
  readonly outputs?: { readonly [variable: string]: number };
  /** Largest difference, relative to max(1, |expected|). Default 1e-9; kind optimizer: 1e-3. */
  readonly tolerance?: number;
  /** Units by variable; default none. */
  readonly units?: { readonly [variable: string]: string };
  /** By config key, such as "model_path": a text, or bytes as "base64:…". Default none. */
  readonly files?: { readonly [configKey: string]: string };
  /** Kind composition: the expected order. */
  readonly sequence?: readonly string[];
  /** Kind optimizer: a formula of the inputs. */
  readonly minimize?: string;
  /** Kind optimizer: [least, most] by variable. Default [−10, 10]. */
  readonly bounds?: { readonly [variable: string]: readonly [number, number] };
  /** Kind optimizer: hard limits of formulas. */
  readonly limits?: readonly TestLimit[];
  /** Kind optimizer: the least cost that there is. */
  readonly cost?: number;
}

export interface TestLimit {
  readonly formula: string;
  /** ∓Infinity where a side is not given. */
  readonly lower?: number;
  readonly upper?: number;
}

export interface PluginManifest {
  readonly name: string;
  readonly version: string;
  readonly kind: PluginKind;
  readonly description?: string;
  /** Versions of the SDK that it works with, e.g. "^1.0.0". Default: any. */
  readonly sdk?: string;
  readonly config?: ConfigSchema;
  readonly limits?: PluginLimits;
  readonly examples?: readonly PluginExample[];
  readonly tests?: readonly PluginTest[];
}

const MOST = 50;
/** Inputs, outputs and units of one test: the problem of an optimizer's is made in the kernel. */
const MOST_VALUES = 1_000;
const LONGEST_FORMULA = 1_000;
const TEST_KEYS = [
  ...["name", "config", "inputs", "outputs", "tolerance", "units", "files", "sequence"],
  ...["minimize", "bounds", "limits", "cost"],
];

/** A manifest that came from a plugin, as fresh frozen data. @throws {TypeError} The first thing that is wrong with it. */
export function checkManifest(value: unknown): PluginManifest {
  const given = mapping(value, "manifest");
  const { name, version, description, sdk, config, limits, examples, tests } = given;
  if (typeof name !== "string" || !PLUGIN_NAME.test(name)) {
    wrong("name", name, '"publisher/name"');
  }
  if (typeof version !== "string" || !PLUGIN_VERSION.test(version)) {
    wrong("version", version, 'a semantic version such as "1.0.0"');
  }
  const kind = PLUGIN_KINDS.find((known) => known === given.kind) ??
    wrong("kind", given.kind, PLUGIN_KINDS.join(", "));
  if (isGiven(description) && typeof description !== "string") wrong("description", description, "a text");
  if (isGiven(sdk)) checkSdk(sdk);
  return Object.freeze({
    name,
    version,
    kind,
    ...(isGiven(description) && { description: printable((description as string).slice(0, 2_000)) }),
    ...(isGiven(sdk) && { sdk: sdk as string }),
    ...(isGiven(config) && { config: checkSchema(config) }),
    ...(isGiven(limits) && { limits: checkLimits(limits) }),
    ...(isGiven(examples) && { examples: list(examples, "examples").map(checkExample) }),
    ...(isGiven(tests) && { tests: list(tests, "tests").map(checkTest) }),
  });
}

function checkSdk(range: unknown): void {
  const fits = typeof range === "string" && range.length <= 100 ? satisfies(SDK_VERSION, range) : undefined;
  if (fits === undefined) wrong("sdk", range, 'a range of versions such as "^1.0.0" or ">=1.2.0 <3"');
  if (!fits) throw new TypeError(`it needs SDK ${range}, this runtime has ${SDK_VERSION}`);
}

/** @throws {TypeError} */
function checkLimits(value: unknown): PluginLimits {
  const limits: Record<string, number> = {};
  for (const [key, limit] of Object.entries(mapping(value, "limits"))) {
    if (!isGiven(limit)) continue;
    const range = Object.hasOwn(LIMIT_RANGES, key) ? LIMIT_RANGES[key as keyof PluginLimits] : undefined;
    if (range === undefined) {
      throw new TypeError(`its limits.${key} is unknown, expected ${Object.keys(LIMIT_RANGES).join(", ")}`);
    }
    const [least, most] = range;
    if (!Number.isSafeInteger(limit) || (limit as number) < least || (limit as number) > most) {
      wrong(`limits.${key}`, limit, `a whole number from ${least} to ${most}`);
    }
    limits[key] = limit as number;
  }
  return Object.freeze(limits);
}

function checkExample(value: unknown, k: number): PluginExample {
  const { title, config } = mapping(value, `examples.${k}`, ["title", "config"]);
  if (typeof title !== "string") wrong(`examples.${k}.title`, title, "a text");
  return {
    title: printable(title.slice(0, 200)),
    config: mapping(config ?? {}, `examples.${k}.config`) as PluginExample["config"],
  };
}

function checkTest(value: unknown, k: number): PluginTest {
  const at = `tests.${k}`;
  const given = mapping(value, at, TEST_KEYS);
  const { name, config, inputs, outputs, tolerance, units, files, sequence, minimize, bounds, limits, cost } =
    given;
  if (isGiven(tolerance) && !(typeof tolerance === "number" && tolerance >= 0)) {
    wrong(`${at}.tolerance`, tolerance, "a number of at least 0");
  }
  if (isGiven(sequence) && !(Array.isArray(sequence) && sequence.every((one) => typeof one === "string"))) {
    wrong(`${at}.sequence`, sequence, "a list of names");
  }
  return {
    name: typeof name === "string" ? printable(name.slice(0, 200)) : `test ${k + 1}`,
    config: mapping(config ?? {}, `${at}.config`) as PluginTest["config"],
    inputs: each(inputs, `${at}.inputs`, "number"),
    outputs: each(outputs, `${at}.outputs`, "number"),
    units: each(units, `${at}.units`, "string"),
    files: each(files, `${at}.files`, "string"),
    ...(isGiven(tolerance) && { tolerance: tolerance as number }),
    ...(isGiven(sequence) && { sequence: sequence as readonly string[] }),
    ...(isGiven(minimize) && { minimize: formula(minimize, `${at}.minimize`) }),
    ...(isGiven(bounds) && { bounds: checkBounds(bounds, `${at}.bounds`) }),
    ...(isGiven(limits) && {
      limits: list(limits, `${at}.limits`).map((limit, j) => checkLimit(limit, `${at}.limits.${j}`)),
    }),
    ...(isGiven(cost) && { cost: finite(cost, `${at}.cost`) }),
  };
}

function checkBounds(value: unknown, path: string): PluginTest["bounds"] {
  const bounds = Object.entries(mapping(value, path)).map(([name, pair]) => {
    const [lower, upper] = list(pair, `${path}.${name}`).map((bound) => finite(bound, `${path}.${name}`));
    return lower <= upper ? [name, [lower, upper]] : wrong(`${path}.${name}`, pair, "[least, most]");
  });
  return Object.assign(Object.create(null), Object.fromEntries(bounds));
}

function checkLimit(value: unknown, path: string): TestLimit {
  const { formula: text, lower, upper } = mapping(value, path, ["formula", "lower", "upper"]);
  return {
    formula: formula(text, `${path}.formula`),
    ...(isGiven(lower) && { lower: finite(lower, `${path}.lower`) }),
    ...(isGiven(upper) && { upper: finite(upper, `${path}.upper`) }),
  };
}

function formula(value: unknown, path: string): string {
  if (typeof value === "string" && value.length <= LONGEST_FORMULA) return value;
  return wrong(path, value, `a formula of at most ${LONGEST_FORMULA} characters`);
}

function finite(value: unknown, path: string): number {
  return typeof value === "number" && Number.isFinite(value) ? value : wrong(path, value, "a finite number");
}

function each<T>(value: unknown, path: string, type: "number" | "string"): { readonly [key: string]: T } {
  const entries = Object.entries(mapping(value ?? {}, path));
  if (entries.length > MOST_VALUES) {
    throw new TypeError(`its ${path} has ${entries.length} values, expected at most ${MOST_VALUES}`);
  }
  const typeOf = (one: unknown): string => typeof one;
  const odd = entries.find(([, one]) => typeOf(one) !== type);
  if (odd !== undefined) wrong(`${path}.${odd[0]}`, odd[1], `a ${type === "number" ? "number" : "text"}`);
  return Object.assign(Object.create(null), Object.fromEntries(entries));
}

function list(value: unknown, path: string): unknown[] {
  return Array.isArray(value) && value.length <= MOST
    ? value
    : wrong(path, value, `a list of at most ${MOST}`);
}

/** @param keys What may be in it. Default: anything. */
function mapping(value: unknown, path: string, keys?: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return wrong(path, value, "a mapping");
  }
  const odd = keys && Object.keys(value).find((key) => !keys.includes(key));
  if (odd !== undefined) {
    const hint = didYouMean(odd, keys!) || `, expected ${keys!.join(", ")}`;
    throw new TypeError(`its ${path}.${odd.slice(0, 100)} is unknown${hint}`);
  }
  return value as Record<string, unknown>;
}

/** What crossed a process as nothing was not there. */
function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function wrong(path: string, value: unknown, expected: string): never {
  throw new TypeError(
    `its ${path} is ${JSON.stringify(value)?.slice(0, 100) ?? "missing"}, expected ${expected}`,
  );
}
