/** Units of measure as exponents of symbols. They are compared and combined, never converted. */

/** Symbol → exponent, none of them 0; empty is dimensionless. */
export type Unit = ReadonlyMap<string, number>;

export const DIMENSIONLESS: Unit = new Map();

/** Roots leave exponents that are no whole numbers. */
const SAME = 1e-9;
/** A longer text is one symbol: it may come from a hostile file. */
const LONGEST = 200;
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/**
 * Reads units such as `t/h`, `m3/h`, `kg/(m2*s)`, `m^-1`, `kWh/t`. `*`, `·`, `.` and spaces multiply, `/` divides what
 * follows it, `^` or trailing digits are powers. Each symbol is a unit of its own, °C and percent too. Empty, `-`, `1`
 * and `[0-1]` (any range in brackets) are dimensionless. What cannot be read is one symbol as it stands.
 */
export function parseUnit(text: string): Unit {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed === "-" || /^\[[^[\]]*\]$/.test(trimmed)) return DIMENSIONLESS;
  const whole: Unit = new Map([[trimmed, 1]]);
  if (trimmed.length > LONGEST) return whole;
  const plain = trimmed.replace(/⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]+/g, (power) => "^" + [...power].map(plainDigit).join(""));
  const tokens = plain.match(TOKEN) ?? [];
  if (tokens.join("") !== plain.replaceAll(/\s+/g, "")) return whole;
  const reader = { tokens, at: 0 };
  const unit = readProduct(reader);
  return unit !== undefined && reader.at === tokens.length ? unit : whole;
}

/** Product of powers; an exponent of 0 drops out. */
export function combineUnits(a: Unit, b: Unit, power = 1): Unit {
  const product = new Map(a);
  for (const [symbol, exponent] of b) {
    const sum = (product.get(symbol) ?? 0) + exponent * power;
    if (Math.abs(sum) < SAME) product.delete(symbol);
    else product.set(symbol, sum);
  }
  return product;
}

export function powerOfUnit(unit: Unit, power: number): Unit {
  return combineUnits(DIMENSIONLESS, unit, power);
}

export function sameUnit(a: Unit, b: Unit): boolean {
  return combineUnits(a, b, -1).size === 0;
}

/** In the form of {@linkcode parseUnit}; `-` for dimensionless. */
export function printUnit(unit: Unit): string {
  const print = ([symbol, exponent]: readonly [string, number]) => {
    const power = Math.abs(exponent);
    return power === 1 ? symbol : `${symbol}^${Number(power.toFixed(4))}`;
  };
  const over = [...unit].filter(([, exponent]) => exponent > 0).map(print);
  const under = [...unit].filter(([, exponent]) => exponent < 0).map(print);
  if (under.length === 0) return over.join("*") || "-";
  return `${over.join("*") || "1"}/${under.length === 1 ? under[0] : `(${under.join("*")})`}`;
}

// A symbol may hold anything but what combines symbols, digits at its start or end, and brackets.
const TOKEN = /[^\s\d*·.^/()[\]-](?:[^\s*·.^/()[\]-]*[^\s\d*·.^/()[\]-])?|-?\d+(?:\.\d+)?|[*·.^/()]/g;

interface UnitReader {
  readonly tokens: readonly string[];
  at: number;
}

function readProduct(reader: UnitReader): Unit | undefined {
  let product = readPower(reader);
  while (product !== undefined && reader.at < reader.tokens.length && reader.tokens[reader.at] !== ")") {
    const operator = reader.tokens[reader.at];
    if ("*·./".includes(operator)) reader.at++;
    const factor = readPower(reader);
    product = factor && combineUnits(product, factor, operator === "/" ? -1 : 1);
  }
  return product;
}

function readPower(reader: UnitReader): Unit | undefined {
  const base = readBase(reader);
  if (base === undefined) return undefined;
  const next = reader.tokens[reader.at] ?? "";
  if (next !== "^" && !isNumber(next)) return base;
  if (next === "^") reader.at++;
  const exponent = reader.tokens[reader.at++] ?? "";
  return isNumber(exponent) ? powerOfUnit(base, Number(exponent)) : undefined;
}

function readBase(reader: UnitReader): Unit | undefined {
  const token = reader.tokens[reader.at++];
  if (token === "(") {
    const inner = readProduct(reader);
    return reader.tokens[reader.at++] === ")" ? inner : undefined;
  }
  if (token === undefined || "*·.^/)".includes(token)) return undefined;
  // A 1 is what stands over a fraction (1/h); another number is never converted, so it is a symbol.
  return token === "1" ? DIMENSIONLESS : new Map([[token, 1]]);
}

function isNumber(token: string): boolean {
  return /^-?\d/.test(token);
}

function plainDigit(character: string): string {
  return character === "⁻" ? "-" : String(SUPERSCRIPTS.indexOf(character));
}
