import { SetpointError } from "../../runtime/errors.ts";
import { Tape } from "../../runtime/graph/tape.ts";
import { linkStrategy } from "../../runtime/strategy/link.ts";
import type { LinkedStrategy } from "../../runtime/strategy/linked.ts";
import { readStrategy } from "../../runtime/strategy/load.ts";
import { assert } from "@std/assert";
import { inProcessDriver, noFiles } from "./in_process_driver.ts";
import { SMALL_PLUGINS, smallPlugins, usedPlugins } from "./small_plugins.ts";

export const HEAD = `apiVersion: setpoint/v1\n${SMALL_PLUGINS}`;

/** Links a strategy of the small plugins. */
export function link(text: string, head: string = HEAD): Promise<LinkedStrategy> {
  const whole = head.replace(SMALL_PLUGINS, usedPlugins(text)) + text;
  return linkStrategy(readStrategy(whole, { file: "s.yaml" }), inProcessDriver(smallPlugins), noFiles);
}

/** The problems, one a line: code, line:column, message; lines count from the first after the head. */
export async function problems(text: string, head: string = HEAD): Promise<string[]> {
  const before = head.split("\n").length - 1;
  try {
    await link(text, head);
  } catch (error) {
    assert(error instanceof SetpointError, String(error));
    return error.problems.map(({ code, at, message }) =>
      `${code} ${at!.line! - before}:${at!.column} ${message}`
    );
  }
  return [];
}

/** One state of a linked strategy, evaluated where the test runs. */
export class Plant {
  readonly measured: Float64Array;
  readonly x0: Float64Array;
  readonly #exact: Tape;

  constructor(readonly linked: LinkedStrategy, readonly state: Readonly<Record<string, number>>) {
    this.measured = Float64Array.from(linked.measured, (name) => state[name]);
    const pre = Tape.decode(linked.pre.tape);
    pre.setParameters(this.measured);
    const calculated = new Float64Array(pre.outputs);
    pre.value(new Float64Array(0), calculated);
    this.x0 = Float64Array.from(
      linked.search,
      ({ from, index }) => (from === "pre" ? calculated : this.measured)[index],
    );
    this.#exact = Tape.decode(linked.exact);
    this.#exact.setParameters(this.measured);
  }

  set evaluate(evaluate: Tape["evaluate"]) {
    this.#exact.evaluate = evaluate;
  }

  /** All outputs at x0 with the given variables replaced. */
  outputs(x: Readonly<Record<string, number>> = {}): Float64Array {
    const point = Float64Array.from(this.linked.search, ({ name }, k) => x[name] ?? this.x0[k]);
    const out = new Float64Array(this.#exact.outputs);
    this.#exact.value(point, out);
    return out;
  }

  /** Latest value of a variable. */
  value(name: string, x: Readonly<Record<string, number>> = {}): number {
    return this.outputs(x)[this.linked.outputs.variables[name]];
  }
}
