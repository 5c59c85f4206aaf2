import type { ErrorCode } from "../errors.ts";
import type { Findings, Where } from "./findings.ts";
import { shownName } from "./identifier.ts";
import type { Path } from "./positions.ts";

export type Mapping = Readonly<Record<string, unknown>>;

export interface NumberRule {
  /** Least value allowed. */
  readonly least?: number;
  /** The value must be greater. */
  readonly above?: number;
}

/**
 * Reads one mapping key by key. What is missing or wrong goes to the findings and reads as undefined, so that reading
 * goes on; what was never asked for is an unknown key.
 */
export class Fields {
  readonly #asked = new Set<string>();

  /**
   * @param what Names the mapping in messages, e.g. `variable "coal"`.
   * @param variable The variable that it is about.
   */
  constructor(
    readonly findings: Findings,
    readonly path: Path,
    readonly value: Mapping,
    readonly what: string,
    readonly variable?: string,
  ) {}

  /** The value as it is; undefined where the key is missing or has no value. */
  raw(key: string): unknown {
    this.#asked.add(key);
    return Object.hasOwn(this.value, key) ? this.value[key] ?? undefined : undefined;
  }

  text(key: string): string | undefined {
    const value = this.raw(key);
    if (value === undefined || typeof value === "string") return value;
    return this.wrong(key, value, typeof value === "object" ? "a text" : 'a text: put it in "quotes"');
  }

  choice<T extends string>(key: string, choices: readonly T[]): T | undefined {
    const value = this.raw(key);
    if (value === undefined || choices.includes(value as T)) return value as T | undefined;
    const hint = typeof value === "string" ? this.findings.hint(value, choices) : "";
    return this.wrong(key, value, `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}${hint}`);
  }

  number(key: string, { least, above }: NumberRule = {}): number | undefined {
    const value = this.raw(key);
    if (value === undefined) return undefined;
    const range = above !== undefined
      ? ` above ${above}`
      : least !== undefined
      ? ` of at least ${least}`
      : "";
    if (typeof value !== "number") {
      const quoted = typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value));
      return this.wrong(key, value, `a number${range}${quoted ? ", without quotes" : ""}`);
    }
    if (!Number.isFinite(value)) {
      return this.wrong(key, value, `a finite number${range}; leave the key out where there is no limit`);
    }
    if ((above !== undefined && !(value > above)) || (least !== undefined && !(value >= least))) {
      return this.wrong(key, value, `a number${range}`);
    }
    return value;
  }

  mapping(key: string): Mapping | undefined {
    const value = this.raw(key);
    if (value === undefined || isMapping(value)) return value;
    return this.wrong(key, value, "a mapping of keys to values");
  }

  list(key: string): readonly unknown[] | undefined {
    const value = this.raw(key);
    if (value === undefined || Array.isArray(value)) return value;
    return this.wrong(key, value, "a list: [a, b]");
  }

  /** A list of texts; what is none is told and left out. */
  names(key: string): readonly string[] | undefined {
    return this.list(key)?.filter((entry, index): entry is string => {
      if (typeof entry === "string") return true;
      this.problem(
        "STRATEGY_INVALID",
        `Cannot use ${shown(entry)} in "${key}" of ${this.what}: expected a name`,
        [
          ...this.path,
          key,
          index,
        ],
      );
      return false;
    });
  }

  /** Tells of every key that was never asked for. */
  refuseRest(): void {
    for (const key of Object.keys(this.value)) {
      if (this.#asked.has(key)) continue;
      const hint = this.findings.hint(key, this.#asked) || `, expected one of ${[...this.#asked].join(", ")}`;
      const message = `Cannot use the key ${shownName(key)} of ${this.what}: it is unknown${hint}`;
      this.problem("UNKNOWN_KEY", message, [...this.path, key], { key: true });
    }
  }

  wrong(key: string, value: unknown, expected: string): undefined {
    const message = `Cannot use ${shown(value)} as "${key}" of ${this.what}: expected ${expected}`;
    this.problem("STRATEGY_INVALID", message, [...this.path, key]);
  }

  /** @param path Default: the mapping itself, at its key. */
  problem(code: ErrorCode, message: string, path: Path = this.path, where: Where = {}): void {
    const variable = where.variable ?? this.variable;
    this.findings.problem(code, path, message, {
      ...(path === this.path && { key: true }),
      ...where,
      ...(variable !== undefined && { variable }),
    });
  }
}

export function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as a message shows it: its kind where that is the point, and not too much of it. */
export function shown(value: unknown): string {
  if (typeof value === "string") return `the text ${shownName(value)}`;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value === null || value === undefined) return "nothing";
  return Array.isArray(value) ? `a list of ${value.length}` : "a mapping";
}
