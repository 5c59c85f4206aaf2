import type { RawValue } from "./historian.ts";
import type { PlantColumn, PlantDescription } from "./plant.ts";

/** What a simulated plant's data logger writes at one moment. */
export interface PlantRow {
  /** The row's timestamp, ms since 1970 UTC; earlier than the moment for a stale row. */
  readonly timestampMs: number;
  readonly values: Readonly<Record<string, RawValue>>;
}

/** Hidden causes that all columns share, which is what correlates them. */
const CAUSES = 3;
const MINUTE_MS = 60_000;
/** A frozen sensor repeats itself for so many periods. */
const FROZEN_PERIODS = 10;
export const STALE_MS = 30 * MINUTE_MS;
/** Share of the way from nominal to the nearer limit that the drift may take; the rest is for noise. */
const DRIFT = 0.3;

/**
 * The plant at `ms`: a pure function of the description and the time, so a restart goes on where the last run was and
 * nothing depends on how often it is asked.
 * @param faulty False gives a row without any fault.
 */
export function plantRow(plant: PlantDescription, ms: number, faulty: boolean): PlantRow {
  const values: Record<string, RawValue> = {};
  for (const column of plant.columns) values[column.name] = measured(plant, column, ms);
  if (!faulty) return { timestampMs: ms, values };
  const { gap, nan, stale, frozen } = plant.faults;
  const stretch = Math.floor(ms / (FROZEN_PERIODS * plant.periodMs));
  const draw = (...what: (string | number)[]) => uniform(plant.seed, ...what);
  const one = (...what: (string | number)[]) =>
    plant.columns[Math.floor(draw(...what) * plant.columns.length)];
  if (draw("frozen", stretch) < frozen) {
    const column = one("frozen column", stretch);
    values[column.name] = measured(plant, column, stretch * FROZEN_PERIODS * plant.periodMs);
  }
  if (draw("nan", ms) < nan) values[one("nan column", ms).name] = NaN;
  if (draw("gap", ms) < gap) values[one("gap column", ms).name] = null;
  return { timestampMs: draw("stale", ms) < stale ? ms - STALE_MS : ms, values };
}

function measured(
  plant: PlantDescription,
  { name, nominal, noise, low, high }: PlantColumn,
  ms: number,
): number {
  let drift = 0;
  let weights = 0;
  for (let cause = 0; cause < CAUSES; cause++) {
    const weight = 2 * uniform(plant.seed, "weight", name, cause) - 1;
    drift += weight * wave(plant.seed, cause, ms);
    weights += Math.abs(weight);
  }
  const reach = DRIFT * Math.min(nominal - low, high - nominal);
  const value = nominal + reach * drift / weights + noise * gaussian(plant.seed, name, ms);
  return Math.min(high, Math.max(low, value));
}

/** A slow movement within −1 … 1, of two periods between 20 minutes and 7 hours. */
function wave(seed: number, cause: number, ms: number): number {
  let sum = 0;
  for (const part of ["long", "short"]) {
    const longest = part === "long" ? 420 : 90;
    const shortest = part === "long" ? 90 : 20;
    const period = (shortest + (longest - shortest) * uniform(seed, "period", cause, part)) * MINUTE_MS;
    sum += Math.sin(2 * Math.PI * (ms / period + uniform(seed, "phase", cause, part)));
  }
  return sum / 2;
}

/** Box and Muller's transform; the first number is kept off 0. */
function gaussian(seed: number, ...what: readonly (string | number)[]): number {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(seed, "radius", ...what)));
  return radius * Math.cos(2 * Math.PI * uniform(seed, "angle", ...what));
}

/** Uniform in [0, 1), the same for the same arguments: FNV-1a over them, then murmur3's finish to mix the bits. */
function uniform(seed: number, ...what: readonly (string | number)[]): number {
  const text = `${seed}|${what.join("|")}`;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}
