/** A configuration while it is read: the values so far, who told them, and what is wrong about them. */
import { type Key, keysBelow, SETTINGS, type Values, variableOf } from "./config_keys.ts";
import { type Position, type Problem, SetpointError, setpointError, whyUnreadable } from "./errors.ts";
import type { Setting } from "./setting.ts";
import type { ParsedYaml } from "./yaml.ts";

/** Largest configuration file, in bytes. */
const MAX_BYTES = 65_536;

/** Who told a value. */
interface Origin {
  readonly code: "CONFIG_INVALID" | "USAGE";
  readonly at: Position;
}

/** Begins with the defaults. */
export class Reading {
  readonly values: Values = Object.fromEntries(
    Object.entries(SETTINGS).map(([key, { fallback }]) => [key, fallback]),
  ) as Values;
  readonly #told = new Map<Key, Origin>();
  readonly problems: Problem[] = [];

  /** @param resolve Makes a path absolute. */
  take(key: Key, value: unknown, origin: Origin, resolve: (path: string) => string): void {
    const setting: Setting<unknown> = SETTINGS[key];
    const read = setting.read(value);
    this.#told.set(key, origin);
    if (read === undefined) {
      const shown = setting.secret ? "" : ` to ${JSON.stringify(value) ?? String(value)}`;
      const message = `Cannot set ${key}${shown}, expected ${setting.expected}`;
      this.problems.push({ code: origin.code, message, at: origin.at });
    } else {
      const known = this.values as Record<Key, unknown>;
      known[key] = setting.path ? resolve(read as string) : read;
    }
  }

  /** Whether any key of a section is told; then `required` ones must be. */
  section(name: string, required: readonly Key[]): boolean {
    const first = [...this.#told].find(([key]) => key.startsWith(`${name}.`));
    if (first === undefined) return false;
    for (const key of required) {
      if (this.#told.has(key)) continue;
      const message = `Cannot use ${name}: ${key} is missing, expected it in the file or in ${
        variableOf(key)
      }`;
      this.problems.push({ code: "CONFIG_INVALID", message, at: first[1].at });
    }
    return true;
  }

  /** Takes what a YAML file tells; paths in it are relative to its folder. @throws {SetpointError} CONFIG_INVALID */
  async takeFile(file: string): Promise<void> {
    const { parseYaml } = await import("./yaml.ts");
    let content: string;
    try {
      content = await Deno.readTextFile(file);
    } catch (cause) {
      throw setpointError("CONFIG_INVALID", `Cannot read the configuration: ${whyUnreadable(cause)}`, {
        at: { file },
        cause,
      });
    }
    let yaml: ParsedYaml;
    try {
      yaml = parseYaml(content, { file, maxBytes: MAX_BYTES });
    } catch (error) {
      if (!(error instanceof SetpointError)) throw error;
      throw new SetpointError(error.problems.map((problem) => ({ ...problem, code: "CONFIG_INVALID" })));
    }
    const folder = file.slice(0, file.lastIndexOf("/")) || "/";
    this.#walk(yaml, yaml.value, [], (path) => absolute(path, folder));
  }

  #walk(yaml: ParsedYaml, value: unknown, at: readonly string[], resolve: (path: string) => string): void {
    const name = at.join(".");
    if (Object.hasOwn(SETTINGS, name)) {
      if (value !== null) {
        this.take(name as Key, value, { code: "CONFIG_INVALID", at: yaml.position(at) }, resolve);
      }
      return;
    }
    const inside = keysBelow(name);
    const refuse = (message: string, place: Position) =>
      this.problems.push({ code: "CONFIG_INVALID", message, at: place });
    if (inside.length === 0) {
      const parent = at.slice(0, -1).join(".");
      refuse(`Unknown key "${name}", expected ${keysBelow(parent).join(", ")}`, yaml.keyPosition(at));
    } else if (value !== null && (typeof value !== "object" || Array.isArray(value))) {
      const what = at.length === 0 ? "the configuration" : name;
      refuse(`Cannot read ${what}, expected the keys ${inside.join(", ")}`, yaml.position(at));
    } else {
      for (const [key, part] of Object.entries(value ?? {})) this.#walk(yaml, part, [...at, key], resolve);
    }
  }
}

/** An absolute path without `.`, `..` or a slash at its end. */
export function absolute(path: string, folder: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith("/") ? path : `${folder}/${path}`).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
