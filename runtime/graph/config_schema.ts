/**
 * What a plugin says of the `config` of its skills: a small part of JSON Schema, as plain data. The kernel checks a
 * strategy by it before the plugin sees anything. A schema comes from a plugin, so it is checked itself; there are no
 * regular expressions in it, because a hostile one would hold the kernel up.
 */
import { didYouMean } from "./nearest_names.ts";
import { printable } from "./printable.ts";
import type { Json, SkillProblem } from "./skill.ts";

const SCHEMA_TYPES = ["number", "integer", "string", "boolean", "array", "object"] as const;
export type SchemaType = (typeof SCHEMA_TYPES)[number];

/** One value. Keywords mean what they mean in JSON Schema; those for other types have no effect. */
export interface ValueSchema {
  /** Default: any. */
  readonly type?: SchemaType | readonly SchemaType[];
  /** For a person; shown where the value is wrong. */
  readonly description?: string;
  readonly enum?: readonly (string | number | boolean)[];
  /** Put in the place of a missing value before the plugin sees it. */
  readonly default?: Json;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly items?: ValueSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: { readonly [key: string]: ValueSchema };
  readonly required?: readonly string[];
  /** Whether other keys than those of `properties` may be there. Default false where there are `properties`. */
  readonly additionalProperties?: boolean;
}

/** The whole config: an object. */
export interface ConfigSchema extends ValueSchema {
  readonly type?: "object";
  readonly properties: { readonly [key: string]: ValueSchema };
}

const NUMBERS = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] as const;
const COUNTS = ["minLength", "maxLength", "minItems", "maxItems"] as const;
const KEYWORDS = [
  ...["type", "description", "enum", "default", "items", "properties", "required", "additionalProperties"],
  ...NUMBERS,
  ...COUNTS,
];
const MAX_DEPTH = 8;
const MAX_KEYS = 200;
const LONGEST_KEY = 100;
const LONGEST_TEXT = 500;
/** Unknown keys of one config for which a meant one is searched. */
const MAX_HINTS = 3;

/** A schema that came from anywhere. @throws {TypeError} What is wrong with it, by its path. */
export function checkSchema(value: unknown): ConfigSchema {
  const checked = checkValueSchema(value, "config", 0);
  if (checked.type !== undefined && checked.type !== "object") fail("config.type", checked.type, '"object"');
  if (checked.properties === undefined) fail("config.properties", undefined, "a mapping of keys to schemas");
  return checked as ConfigSchema;
}

function checkValueSchema(value: unknown, path: string, depth: number): ValueSchema {
  if (!isObject(value)) fail(path, value, "a schema");
  if (depth > MAX_DEPTH) throw new TypeError(`its ${path} is more than ${MAX_DEPTH} schemas deep`);
  const copy: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value)) {
    if (!KEYWORDS.includes(key)) {
      throw new TypeError(
        `its ${path}.${key} is no keyword${didYouMean(key, KEYWORDS) || `, expected ${KEYWORDS.join(", ")}`}`,
      );
    }
    if (part === undefined || part === null) continue;
    copy[key] = checkKeyword(key, part, `${path}.${key}`, depth);
  }
  return Object.freeze(copy);
}

function checkKeyword(key: string, value: unknown, path: string, depth: number): unknown {
  if (key === "type") {
    const types = Array.isArray(value) ? value : [value];
    const wrong = types.find((type) => !SCHEMA_TYPES.includes(type));
    return wrong === undefined && types.length > 0 ? value : fail(path, wrong, SCHEMA_TYPES.join(", "));
  }
  if (key === "description") {
    return typeof value === "string" ? printable(value.slice(0, LONGEST_TEXT)) : fail(path, value, "a text");
  }
  if (key === "additionalProperties") {
    return typeof value === "boolean" ? value : fail(path, value, "true or false");
  }
  if (key === "items") return checkValueSchema(value, path, depth + 1);
  if (key === "enum") {
    const sound = Array.isArray(value) && value.length > 0 && value.length <= MAX_KEYS &&
      value.every((one) => ["number", "boolean"].includes(typeof one) || isShown(one, LONGEST_TEXT));
    return sound ? value : fail(path, value, `a list of at most ${MAX_KEYS} texts, numbers or booleans`);
  }
  if (key === "required") {
    return Array.isArray(value) && value.length <= MAX_KEYS && value.every((one) => isShown(one, LONGEST_KEY))
      ? value
      : fail(path, value, `a list of at most ${MAX_KEYS} keys`);
  }
  if (key === "properties") {
    if (!isObject(value) || Object.keys(value).length > MAX_KEYS) {
      fail(path, value, `a mapping of at most ${MAX_KEYS} keys to schemas`);
    }
    const odd = Object.keys(value).find((name) => !isShown(name, LONGEST_KEY));
    if (odd !== undefined) fail(`a key of ${path}`, odd, `at most ${LONGEST_KEY} printable characters`);
    const entries = Object.entries(value).map(([name, part]) =>
      [name, checkValueSchema(part, `${path}.${name}`, depth + 1)] as const
    );
    return Object.freeze(Object.assign(Object.create(null), Object.fromEntries(entries)));
  }
  if ((NUMBERS as readonly string[]).includes(key)) {
    return typeof value === "number" && Number.isFinite(value) ? value : fail(path, value, "a finite number");
  }
  if ((COUNTS as readonly string[]).includes(key)) {
    return Number.isSafeInteger(value) && (value as number) >= 0 ? value : fail(path, value, "a count");
  }
  return value;
}

/** A text that stands in messages as it is. */
function isShown(value: unknown, longest: number): value is string {
  return typeof value === "string" && value.length <= longest && !/\p{C}/u.test(value);
}

function fail(path: string, value: unknown, expected: string): never {
  throw new TypeError(`its ${path} is ${shown(value)}, expected ${expected}`);
}

/** What of `value` does not fit, with its path; `name` is the skill's, for the messages. Empty when all fits. */
export function checkConfig(
  schema: ConfigSchema,
  value: { readonly [key: string]: Json },
  name: string,
): SkillProblem[] {
  const problems: SkillProblem[] = [];
  checkObject(schema, value, ["config"], name, problems);
  return problems;
}

/** The config with the defaults of the schema in the place of what is missing. */
export function withDefaults(
  schema: ConfigSchema,
  value: { readonly [key: string]: Json },
): { readonly [key: string]: Json } {
  const missing = Object.entries(schema.properties).filter(([key, { default: otherwise }]) =>
    otherwise !== undefined && value[key] === undefined
  );
  if (missing.length === 0) return value;
  const config: Record<string, Json> = Object.assign(Object.create(null), value);
  for (const [key, { default: otherwise }] of missing) config[key] = otherwise!;
  return Object.freeze(config);
}

type Path = readonly (string | number)[];

function checkObject(
  schema: ValueSchema,
  value: { readonly [key: string]: Json },
  path: Path,
  name: string,
  problems: SkillProblem[],
): void {
  const { properties = {}, required = [], additionalProperties = schema.properties === undefined } = schema;
  const keys = Object.keys(properties);
  let unknown = problems.filter(({ code }) => code === "UNKNOWN_KEY").length;
  for (const key of Object.keys(value)) {
    const at = [...path, key];
    if (Object.hasOwn(properties, key)) checkValue(properties[key], value[key], at, name, problems);
    else if (!additionalProperties) {
      const hint = unknown++ < MAX_HINTS ? didYouMean(key, keys) : "";
      const expected = keys.length === 0 ? "none" : `one of ${keys.slice(0, 30).join(", ")}`;
      problems.push({
        code: "UNKNOWN_KEY",
        message: `Cannot use key ${
          JSON.stringify(key.slice(0, 100))
        } of skill "${name}"${hint}; expected ${expected}`,
        path: at,
      });
    }
  }
  for (const key of required) {
    if (value[key] !== undefined && value[key] !== null) continue;
    const { description, ...rest } = properties[key] ?? {};
    const what = description ?? expectedOf(rest);
    problems.push({ message: `Cannot run skill "${name}" without "${key}": expected ${what}`, path });
  }
}

function checkValue(
  schema: ValueSchema,
  value: Json,
  path: Path,
  name: string,
  problems: SkillProblem[],
): void {
  // a key without a value is one that is not there
  if (value === null) return;
  if (!fits(schema, value)) {
    const key = path.slice(1).join(".");
    problems.push({
      message: `Cannot use ${shown(value)} as "${key}" of skill "${name}": expected ${expectedOf(schema)}`,
      path,
    });
    return;
  }
  if (Array.isArray(value)) {
    value.forEach((item, k) => schema.items && checkValue(schema.items, item, [...path, k], name, problems));
  } else if (isObject(value)) {
    checkObject(schema, value as { readonly [key: string]: Json }, path, name, problems);
  }
}

/** The value itself, without what is inside it. */
function fits(schema: ValueSchema, value: Json): boolean {
  const { type, enum: choices } = schema;
  if (type !== undefined && ![type].flat().some((one) => isOfType(one as SchemaType, value))) return false;
  if (choices !== undefined && !choices.includes(value as string)) return false;
  if (typeof value === "number") {
    const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema;
    return !(value < minimum!) && !(value > maximum!) && !(value <= exclusiveMinimum!) &&
      !(value >= exclusiveMaximum!);
  }
  if (typeof value === "string") {
    return !(value.length < schema.minLength!) && !(value.length > schema.maxLength!);
  }
  if (Array.isArray(value)) return !(value.length < schema.minItems!) && !(value.length > schema.maxItems!);
  return true;
}

function isOfType(type: SchemaType, value: Json): boolean {
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isSafeInteger(value);
  const actual: string = typeof value;
  return actual === type;
}

/** In words: `a number above 0`. */
function expectedOf(schema: ValueSchema): string {
  if (schema.enum !== undefined) return schema.enum.slice(0, 20).map((one) => String(one)).join(" or ");
  const types = schema.type === undefined ? ["value"] : [schema.type].flat();
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, minItems, maxItems, maxLength } =
    schema;
  const rules = [
    minimum !== undefined && `of at least ${minimum}`,
    exclusiveMinimum !== undefined && `above ${exclusiveMinimum}`,
    maximum !== undefined && `of at most ${maximum}`,
    exclusiveMaximum !== undefined && `below ${exclusiveMaximum}`,
    minLength !== undefined && `of at least ${minLength} characters`,
    maxLength !== undefined && `of at most ${maxLength} characters`,
    minItems !== undefined && `of at least ${minItems}`,
    maxItems !== undefined && `of at most ${maxItems}`,
  ].filter((rule) => rule !== false);
  const words = types.map((type) => WORDS[type] ?? "a value").join(" or ");
  return rules.length === 0 ? words : `${words} ${rules.join(" and ")}`;
}

const WORDS: Readonly<Record<string, string>> = {
  number: "a number",
  integer: "a whole number",
  string: "a text",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
};

function shown(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return "a mapping";
  return value === undefined ? "missing" : JSON.stringify(value)?.slice(0, 100) ?? "unreadable";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
