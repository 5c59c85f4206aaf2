/** The JSON files that lie beside a model: its scalers, and what is known of its training. */
import type { Scaler } from "./scaler_file.ts";

export const SCALERS_FORMAT = "setpoint/scalers/v1";
export const METADATA_FORMAT = "setpoint/model/v1";
const MAX_GOLDEN = 10_000;

/** Inputs of a model, and what it has to answer; in the units of the variables, or in the model's own numbers. */
export interface GoldenVector {
  readonly input: readonly number[];
  readonly output: readonly number[];
}

export interface ModelMetadata {
  /** Smallest and largest value of each input that the model was trained with, in the input's units. */
  readonly ranges: ReadonlyMap<string, readonly [number, number]>;
  readonly golden: readonly GoldenVector[];
}

/** Told of each thing that is wrong; what is read is then of no use. */
export type Refuse = (reason: string) => void;

type JsonObject = Readonly<Record<string, unknown>>;

/** What the bytes hold, an object of something else; undefined where they are no JSON. */
export function parseJson(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isObject(value) ? value : {};
  } catch {
    return undefined;
  }
}

/** `{"format": "setpoint/scalers/v1", "scalers": {"name": {"scale": a, "offset": b, "min": …, "max": …}}}` */
export function scalersOfJson(content: JsonObject, refuse: Refuse): Map<string, Scaler> {
  const scalers = new Map<string, Scaler>();
  if (content.format !== SCALERS_FORMAT) {
    refuse(`its format is ${JSON.stringify(content.format)}, expected "${SCALERS_FORMAT}"`);
  } else if (!isObject(content.scalers)) refuse('it has no "scalers"');
  else {
    for (const [name, entry] of Object.entries(content.scalers)) {
      const { scale, offset = 0, min, max } = isObject(entry) ? entry : {};
      const ranged = min !== undefined || max !== undefined;
      if (!isFinite(scale) || !isFinite(offset) || scale === 0) {
        refuse(
          `"${name}" is ${JSON.stringify(entry)}, expected {"scale": a, "offset": b} with finite a ≠ 0 and b`,
        );
      } else if (!ranged) scalers.set(name, { scale, offset });
      else if (isFinite(min) && isFinite(max) && min <= max) scalers.set(name, { scale, offset, min, max });
      else refuse(`the range of "${name}" is ${JSON.stringify([min, max])}, expected "min" below "max"`);
    }
  }
  return scalers;
}

export function scalersAsJson(scalers: ReadonlyMap<string, Scaler>): string {
  return printed({ format: SCALERS_FORMAT, scalers: Object.fromEntries(scalers) });
}

/** `{"format": "setpoint/model/v1", "ranges": {"name": [low, high]}, "golden": [{"input": […], "output": […]}]}` */
export function metadataOfJson(
  content: JsonObject,
  { inputs, outputs }: { readonly inputs?: number; readonly outputs?: number },
  refuse: Refuse,
): ModelMetadata {
  const ranges = new Map<string, readonly [number, number]>();
  const golden: GoldenVector[] = [];
  if (content.format !== METADATA_FORMAT) {
    refuse(`its format is ${JSON.stringify(content.format)}, expected "${METADATA_FORMAT}"`);
    return { ranges, golden };
  }
  for (const [name, range] of Object.entries(isObject(content.ranges) ? content.ranges : {})) {
    if (isNumbers(range, 2) && range[0] <= range[1]) ranges.set(name, [range[0], range[1]]);
    else refuse(`the range of "${name}" is ${JSON.stringify(range)}, expected [low, high]`);
  }
  const list = content.golden ?? [];
  if (!Array.isArray(list) || list.length > MAX_GOLDEN) {
    refuse(`"golden" is no list of at most ${MAX_GOLDEN}`);
    return { ranges, golden };
  }
  list.forEach((entry: unknown, i) => {
    const { input, output } = isObject(entry) ? entry : {};
    if (isNumbers(input, inputs) && isNumbers(output, outputs)) golden.push({ input, output });
    else {
      refuse(`golden vector ${i + 1} has not ${inputs ?? "some"} inputs and ${outputs ?? "some"} outputs`);
    }
  });
  return { ranges, golden };
}

export function metadataAsJson({ ranges, golden }: ModelMetadata): string {
  return printed({
    format: METADATA_FORMAT,
    ...(ranges.size > 0 && { ranges: Object.fromEntries(ranges) }),
    golden,
  });
}

function printed(content: unknown): string {
  return `${JSON.stringify(content, null, 2)}\n`;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value);
}

/** @param length undefined: any. */
function isNumbers(value: unknown, length: number | undefined): value is number[] {
  return Array.isArray(value) && (length === undefined || value.length === length) && value.every(isFinite);
}
