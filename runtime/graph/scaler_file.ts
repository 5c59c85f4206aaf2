/** Reads scalers as scikit-learn objects (pickle, or joblib without compression) into `scaled = scale·x + offset`. */
import { GraphError } from "./graph_error.ts";
import { readPickle } from "./pickle.ts";
import { arrayNumbers, arrayObjects } from "./pickle_numpy.ts";
import { describe, elementsIn, isKind, type PickleObject, type PickleValue, quote } from "./pickle_value.ts";

export interface Scaler {
  /** a of a·x + b, per unit of x; finite, not 0. */
  readonly scale: number;
  /** b of a·x + b. */
  readonly offset: number;
  /**
   * Smallest and largest value that the scaler was made from, in units of x, where it remembers: a StandardScaler knows
   * mean and deviation, of which three to each side count.
   */
  readonly min?: number;
  readonly max?: number;
}

/** Largest file, in bytes. */
const MAX_SCALER_BYTES = 16 * 1024 * 1024;

/** Standard deviations around the mean that a StandardScaler stands for: 99.7 % where the data are normal. */
const DEVIATIONS = 3;

/** One number a column. */
interface ScalerVectors {
  readonly scale: Float64Array;
  readonly offset: Float64Array;
  readonly min?: Float64Array;
  readonly max?: Float64Array;
}

/** First bytes of what joblib writes with `compress`. */
const COMPRESSED: readonly (readonly [string, readonly number[]])[] = [
  ["zlib", [0x78]],
  ["gzip", [0x1f, 0x8b]],
  ["bz2", [0x42, 0x5a]],
  ["xz", [0xfd, 0x37, 0x7a]],
  ["lzma", [0x5d, 0x00]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
];

/**
 * Scalers by the name of their variable: from a dict of name → scaler of one feature, or from one scaler that was fitted
 * on named columns.
 * @throws {GraphError} SCALER or PICKLE if the file is anything else; the message names the entry.
 */
export function readScalers(bytes: Uint8Array): Map<string, Scaler> {
  if (bytes.length > MAX_SCALER_BYTES) {
    throw scalerError(`it has ${bytes.length} bytes, expected at most ${MAX_SCALER_BYTES}`);
  }
  const packed = COMPRESSED.find(([, magic]) => magic.every((byte, i) => bytes[i] === byte));
  if (packed !== undefined) {
    throw scalerError(`it is compressed with ${packed[0]}, expected joblib.dump(…, compress=0)`);
  }
  const { value } = readPickle(bytes);
  if (isKind(value, "object")) return namedColumns(value);
  if (!isKind(value, "dict")) {
    throw scalerError(
      `it holds ${describe(value)}, expected a dict of scalers by the names of their variables`,
    );
  }
  const scalers = new Map<string, Scaler>();
  for (const [name, entry] of value.entries) {
    if (!isKind(entry, "object")) {
      throw scalerError(`its entry ${quote(name)} is ${describe(entry)}, expected a scaler of scikit-learn`);
    }
    const vectors = vectorsOf(entry, 1, `its entry ${quote(name)}`);
    scalers.set(name, scalerAt(vectors, 0));
  }
  if (value.others > 0) throw scalerError("a name in its dict is no text");
  if (scalers.size === 0) throw scalerError("its dict is empty");
  return scalers;
}

function namedColumns(scaler: PickleObject): Map<string, Scaler> {
  const names = scaler.state?.entries.get("feature_names_in_");
  const columns = isKind(names, "array") ? arrayObjects(names) : undefined;
  if (columns === undefined) {
    throw scalerError(
      `it holds a ${scaler.class} without names of columns, expected a dict of scalers by variable`,
    );
  }
  const vectors = vectorsOf(scaler, columns.length, `its ${scaler.class}`);
  return new Map(columns.map((name, i) => {
    if (typeof name !== "string") throw scalerError(`the name of column ${i + 1} is ${describe(name)}`);
    return [name, scalerAt(vectors, i)];
  }));
}

function scalerAt({ scale, offset, min, max }: ScalerVectors, column: number): Scaler {
  return {
    scale: scale[column],
    offset: offset[column],
    ...(min !== undefined && { min: min[column] }),
    ...(max !== undefined && { max: max[column] }),
  };
}

function vectorsOf(scaler: PickleObject, columns: number, where: string): ScalerVectors {
  const attributes = new Attributes(scaler, columns, where);
  const vectors = ruleOf(scaler, where)(attributes);
  if (vectors.scale.some((value) => value === 0 || !Number.isFinite(value))) {
    throw scalerError(
      `the scale of ${where} is [${vectors.scale.slice(0, 8)}], expected finite numbers other than 0`,
    );
  }
  if (vectors.offset.some((value) => !Number.isFinite(value))) {
    throw scalerError(`the offset of ${where} is [${vectors.offset.slice(0, 8)}], expected finite numbers`);
  }
  const { min, max } = vectors;
  const wrong = min?.findIndex((low, i) => !(Number.isFinite(low) && low <= max![i] && max![i] < Infinity)) ??
    -1;
  if (wrong >= 0) throw scalerError(`the range of ${where} is ${min![wrong]} to ${max![wrong]}`);
  return vectors;
}

type Rule = (attributes: Attributes) => ScalerVectors;

function ruleOf(scaler: PickleObject, where: string): Rule {
  switch (scaler.class) {
    case "MinMaxScaler":
      return minMax;
    case "StandardScaler":
      return standard;
    case "RobustScaler":
      return (attributes) => centered(attributes, "center_", "with_centering", "with_scaling");
    case "MaxAbsScaler":
      return maxAbs;
    default:
      throw scalerError(`${where} is ${describe(scaler)}, expected a scaler of scikit-learn`);
  }
}

/** scaled = x·scale_ + min_ */
function minMax(attributes: Attributes): ScalerVectors {
  if (attributes.flag("clip", false)) {
    throw scalerError(`${attributes.where} clips to its range (clip=True), expected one that only scales`);
  }
  return {
    scale: attributes.vector("scale_"),
    offset: attributes.vector("min_"),
    ...rangeOf(attributes.vectorOrNone("data_min_"), attributes.vectorOrNone("data_max_")),
  };
}

/** scaled = (x − center)/scale_, without the center or the scale where a switch is off. */
function centered(attributes: Attributes, center: string, centers: string, scales: string): ScalerVectors {
  const ones = new Float64Array(attributes.columns).fill(1);
  const divisor = attributes.flag(scales, true) ? attributes.vector("scale_") : ones;
  const middle = attributes.flag(centers, true) ? attributes.vector(center) : undefined;
  return {
    scale: divisor.map((value) => 1 / value),
    offset: divisor.map((value, i) => middle === undefined ? 0 : -middle[i] / value),
  };
}

function standard(attributes: Attributes): ScalerVectors {
  const scaling = centered(attributes, "mean_", "with_mean", "with_std");
  const [mean, variance] = ["mean_", "var_"].map((name) => attributes.vectorOrNone(name));
  if (mean === undefined || variance === undefined) return scaling;
  const reach = variance.map((value) => DEVIATIONS * Math.sqrt(value));
  return {
    ...scaling,
    min: mean.map((value, i) => value - reach[i]),
    max: mean.map((value, i) => value + reach[i]),
  };
}

/** scaled = x/scale_ */
function maxAbs(attributes: Attributes): ScalerVectors {
  const max = attributes.vectorOrNone("max_abs_");
  return {
    scale: attributes.vector("scale_").map((value) => 1 / value),
    offset: new Float64Array(attributes.columns),
    ...rangeOf(max?.map((value) => -value), max),
  };
}

function rangeOf(min: Float64Array | undefined, max: Float64Array | undefined) {
  return min === undefined || max === undefined ? {} : { min, max };
}

/** What scikit-learn keeps in a fitted scaler. */
class Attributes {
  readonly #entries: ReadonlyMap<string, PickleValue>;
  readonly columns: number;
  /** Which scaler, for messages. */
  readonly where: string;

  constructor(scaler: PickleObject, columns: number, where: string) {
    this.#entries = scaler.state?.entries ?? new Map();
    this.columns = columns;
    this.where = where;
  }

  flag(name: string, byDefault: boolean): boolean {
    const value = this.#entries.get(name) ?? byDefault;
    if (typeof value === "boolean") return value;
    throw scalerError(`${name} of ${this.where} is ${describe(value)}, expected True or False`);
  }

  vector(name: string): Float64Array {
    const vector = this.vectorOrNone(name);
    if (vector === undefined) throw scalerError(`${this.where} has no ${name}, expected a fitted scaler`);
    return vector;
  }

  /** The size is checked before anything is decoded: many scalers may share one array. */
  vectorOrNone(name: string): Float64Array | undefined {
    const value = this.#entries.get(name) ?? null;
    if (value === null) return undefined;
    if (!isKind(value, "array")) {
      throw scalerError(`${name} of ${this.where} is ${describe(value)}, expected an array`);
    }
    const size = elementsIn(value.content?.shape ?? [0]);
    if (size !== this.columns) {
      throw scalerError(`${name} of ${this.where} is for ${size} columns, expected ${this.columns}`);
    }
    return arrayNumbers(value);
  }
}

function scalerError(reason: string): GraphError {
  return new GraphError("SCALER", `Cannot read the scaler file: ${reason}`);
}
