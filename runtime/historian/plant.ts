import { type Problem, SetpointError, setpointError, whyUnreadable } from "../errors.ts";
import { checkIdentifier } from "./identifier.ts";

/** One measured variable of a simulated plant, all in the variable's own units. */
export interface PlantColumn {
  /** The variable's name in the strategy. */
  readonly name: string;
  /** Where the value stays around; within `low` … `high`. */
  readonly nominal: number;
  /** Standard deviation of the measurement's noise, ≥ 0. */
  readonly noise: number;
  /** The value never leaves `low` … `high`. */
  readonly low: number;
  readonly high: number;
}

/** How often something is wrong, each 0 to 1; 0 turns it off. */
export interface PlantFaults {
  /** Share of rows in which one value is missing (NULL); default 0.02. */
  readonly gap: number;
  /** Share of rows in which one value is NaN; default 0.01. */
  readonly nan: number;
  /** Share of rows that come with a timestamp of half an hour before; default 0.01. */
  readonly stale: number;
  /** Share of the time in which one sensor repeats its value, ten periods at a stretch; default 0.02. */
  readonly frozen: number;
}

/**
 * A plant to simulate: `simulator.json` in a strategy's folder.
 *
 * ```json
 * {
 *   "format": "setpoint/simulator/v1",
 *   "periodMs": 60000,
 *   "seed": 1,
 *   "columns": [{ "name": "Kiln_Coal_PV", "nominal": 8.5, "noise": 0.01, "low": 7.5, "high": 9.5 }],
 *   "faults": { "gap": 0.02, "nan": 0.01, "stale": 0.01, "frozen": 0.02 }
 * }
 * ```
 *
 * `columns` names every Operative and Informative variable of the strategy; `periodMs`, `seed`, `faults` and each of
 * its rates may be left out. Values drift slowly and together within 30 % of the way from `nominal` to the nearer of
 * `low` and `high`, and carry the noise on top.
 */
export interface PlantDescription {
  readonly columns: readonly PlantColumn[];
  /** From one row to the next in ms, ≥ 100; default 60,000. */
  readonly periodMs: number;
  /** The same seed gives the same plant; whole, default 1. */
  readonly seed: number;
  readonly faults: PlantFaults;
}

const PLANT_FORMAT = "setpoint/simulator/v1";
const DEFAULT_FAULTS: PlantFaults = Object.freeze({ gap: 0.02, nan: 0.01, stale: 0.01, frozen: 0.02 });

const KEYS = ["format", "periodMs", "seed", "columns", "faults"];
const COLUMN_KEYS = ["name", "nominal", "noise", "low", "high"];

/**
 * Reads a `simulator.json`.
 * @param file Its name, for the messages.
 * @throws {SetpointError} CONFIG_INVALID with every problem of the file.
 */
export function parsePlant(text: string, file: string): PlantDescription {
  const problems: Problem[] = [];
  const refuse = (message: string) => void problems.push({ code: "CONFIG_INVALID", message, at: { file } });
  const plant = record(parsed(text, refuse));
  if (problems.length === 0) {
    for (const key of unknownKeys(plant, KEYS)) {
      refuse(`Cannot use key "${key}": expected one of ${KEYS.join(", ")}`);
    }
    if (plant.format !== PLANT_FORMAT) {
      refuse(`Cannot read format ${JSON.stringify(plant.format)}: expected "${PLANT_FORMAT}"`);
    }
  }
  const columns = Array.isArray(plant.columns)
    ? plant.columns.map((column, i) => readColumn(column, i, refuse))
    : [];
  if (problems.length === 0 && columns.length === 0) {
    refuse("Cannot simulate a plant without columns: expected a list");
  }
  for (const name of repeated(columns.map((column) => column.name))) {
    refuse(`Cannot use column "${name}" twice`);
  }
  const { periodMs = 60_000, seed = 1, faults = {} } = plant;
  if (!isNumber(periodMs) || periodMs < 100) {
    refuse(`Cannot use periodMs ${JSON.stringify(periodMs)}: expected 100 or more`);
  }
  if (!Number.isSafeInteger(seed)) refuse(`Cannot use seed ${JSON.stringify(seed)}: expected a whole number`);
  const rates = { ...DEFAULT_FAULTS, ...record(faults) };
  for (const [key, rate] of Object.entries(rates)) {
    if (!(key in DEFAULT_FAULTS)) refuse(`Cannot use fault "${key}": expected gap, nan, stale or frozen`);
    else if (!isNumber(rate) || rate < 0 || rate > 1) {
      refuse(`Cannot use rate ${JSON.stringify(rate)} of "${key}": expected 0 to 1`);
    }
  }
  if (problems.length > 0) throw new SetpointError(problems);
  return Object.freeze({ columns, periodMs: periodMs as number, seed: seed as number, faults: rates });
}

/** Reads a `simulator.json` from disk. @throws {SetpointError} FILE_MISSING, and as {@linkcode parsePlant}. */
export async function loadPlant(path: string): Promise<PlantDescription> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    const message = `Cannot read the description of a plant to simulate: ${whyUnreadable(cause)}; ` +
      "expected one, or `database` in the configuration, or mode api";
    throw setpointError("FILE_MISSING", message, { at: { file: path }, cause });
  }
  return parsePlant(text, path);
}

function readColumn(value: unknown, index: number, refuse: (message: string) => void): PlantColumn {
  const column = record(value);
  const { name, nominal, noise = 0, low, high } = column;
  const what = `column ${typeof name === "string" ? `"${name}"` : index + 1}`;
  for (const key of unknownKeys(column, COLUMN_KEYS)) {
    refuse(`Cannot use key "${key}" of ${what}: expected one of ${COLUMN_KEYS.join(", ")}`);
  }
  if (typeof name !== "string") refuse(`Cannot simulate ${what}: it has no name`);
  else if (!isIdentifier(name) || name.toLowerCase() === "timestamp") {
    refuse(`Cannot simulate ${what}: expected letters, digits and underscores, 63 at most`);
  }
  if (!isNumber(nominal) || !isNumber(low) || !isNumber(high) || !(low <= nominal && nominal <= high)) {
    refuse(
      `Cannot simulate ${what}: low ${low}, nominal ${nominal}, high ${high}, expected low ≤ nominal ≤ high`,
    );
  }
  if (!isNumber(noise) || noise < 0) refuse(`Cannot simulate ${what}: noise ${noise}, expected 0 or more`);
  return { name, nominal, noise, low, high } as PlantColumn;
}

function parsed(text: string, refuse: (message: string) => void): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    refuse(`Cannot read the plant: ${(error as Error).message}`);
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

function isIdentifier(name: string): boolean {
  try {
    checkIdentifier("column", name);
    return true;
  } catch {
    return false;
  }
}

function unknownKeys(value: Record<string, unknown>, known: readonly string[]): string[] {
  return Object.keys(value).filter((key) => !known.includes(key));
}

function repeated(names: readonly string[]): Set<string> {
  return new Set(names.filter((name, i) => names.indexOf(name) !== i));
}
