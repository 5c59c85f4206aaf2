/** From a text or a posted value to a strategy, with every problem at its place. */
import { createHash } from "node:crypto";
import { type Position, SetpointError, setpointError } from "../errors.ts";
import { parseYaml } from "../yaml.ts";
import { sortedProblems } from "./findings.ts";
import { jsonPositions, type Positions } from "./positions.ts";
import { readSchema } from "./schema.ts";
import type { Strategy } from "./strategy.ts";

/** Largest strategy, in bytes. */
const MAX_STRATEGY_BYTES = 64 * 1024;
const MAX_JSON_DEPTH = 64;

export interface LoadOptions {
  /** Names the text in positions. */
  readonly file?: string;
  /** Name and version of a legacy strategy, or one that says none: the pointer's. Defaults "strategy", 0.0.0. */
  readonly name?: string;
  readonly version?: string;
}

/**
 * Reads a strategy that can be linked.
 * @throws {SetpointError} With all problems of the text in one go; STRATEGY_TOO_LARGE, YAML_INVALID where it is no YAML.
 */
export function loadStrategy(text: string, options: LoadOptions = {}): Strategy {
  return sound(readStrategy(text, options));
}

/**
 * The same, but problems of single parts stay in `problems`, so that `linkStrategy` can tell them together with what
 * the plugins find.
 * @throws {SetpointError} STRATEGY_TOO_LARGE, YAML_INVALID
 */
export function readStrategy(text: string, options: LoadOptions = {}): Strategy {
  const { file } = options;
  const at: Position = { ...(file !== undefined && { file }), line: 1, column: 1 };
  refuseLarge(text, at);
  const yaml = parseYaml(text, { ...(file !== undefined && { file }), maxBytes: MAX_STRATEGY_BYTES });
  return read(yaml.value, yaml, text, options);
}

/**
 * A strategy sent as JSON; positions are JSON pointers below `pointer`.
 * @param pointer Where the value is in the request, e.g. "/config"; default "".
 * @throws {SetpointError} As {@linkcode loadStrategy}.
 */
export function loadStrategyJson(value: unknown, options: LoadOptions & { pointer?: string } = {}): Strategy {
  return sound(readStrategyJson(value, options));
}

/** The same with single problems in `problems`. @throws {SetpointError} STRATEGY_TOO_LARGE, STRATEGY_INVALID (too deep) */
export function readStrategyJson(value: unknown, options: LoadOptions & { pointer?: string } = {}): Strategy {
  const { pointer = "" } = options;
  if (deeperThan(value, MAX_JSON_DEPTH)) {
    const message = `Cannot read a strategy nested deeper than ${MAX_JSON_DEPTH} levels`;
    throw setpointError("STRATEGY_INVALID", message, { at: { pointer } });
  }
  const text = JSON.stringify(value) ?? "";
  refuseLarge(text, { pointer });
  return read(value, jsonPositions(pointer), text, options);
}

function read(value: unknown, positions: Positions, text: string, options: LoadOptions): Strategy {
  const digest = createHash("sha256").update(text, "utf8").digest("hex");
  const { file, name, version } = options;
  const identity = {
    digest,
    ...(file !== undefined && { file }),
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
  };
  return Object.freeze(readSchema(value, positions, identity));
}

function sound(strategy: Strategy): Strategy {
  if (strategy.problems.length > 0) throw new SetpointError(sortedProblems(strategy.problems));
  return strategy;
}

function refuseLarge(text: string, at: Position): void {
  const bytes = text.length > MAX_STRATEGY_BYTES ? text.length : new TextEncoder().encode(text).length;
  if (bytes <= MAX_STRATEGY_BYTES) return;
  const message = `Cannot read a strategy of ${bytes} bytes, expected at most ${MAX_STRATEGY_BYTES}`;
  throw setpointError("STRATEGY_TOO_LARGE", message, { at });
}

function deeperThan(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => deeperThan(part, levels - 1));
}
