/** In the kernel: what the plugin of a cell says, into the log under its name. It is kept short here once more. */
import type { Clock } from "../clock.ts";
import { LineBudget, type LogLine, oneLine } from "../graph/plugin_log.ts";
import type { CallLabel } from "./call_errors.ts";
import type { CellLog } from "./supervised_cell.ts";

export class PluginWords {
  readonly #clock: Clock;
  readonly #log: CellLog;
  readonly #budget: LineBudget;

  constructor(clock: Clock, log: CellLog) {
    this.#clock = clock;
    this.#log = log;
    this.#budget = new LineBudget(clock.monotonic());
  }

  /** @param label The call during which it was said. */
  say({ level, text, dropped }: LogLine, { plugin, method, skill, strategy }: CallLabel): void {
    const taken = this.#budget.take(this.#clock.monotonic());
    if (taken === undefined) return;
    const fields = {
      ...{ plugin, method },
      ...(skill !== undefined && { skill }),
      ...(strategy !== undefined && { strategy }),
      ...(dropped + taken.dropped > 0 && { dropped: dropped + taken.dropped }),
    };
    const said = oneLine(text) || "said too much at once";
    this.#log(level === "warn" ? "warning" : level, `Plugin ${plugin}: ${said}`, fields);
  }
}
