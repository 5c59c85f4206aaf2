import type { CellStatus } from "../kernel/types.ts";
import { answered, type CacheOptions } from "./cache.ts";
import { printJson, printText } from "./print.ts";
import { ask } from "./running.ts";
import { figure, table } from "./table.ts";

export interface PluginsOptions extends CacheOptions {
  /** The plugin whose quarantine is to end first. */
  readonly release?: string;
}

/** Prints the plugins of the running process. */
export async function plugins({ state, json, clock, release }: PluginsOptions): Promise<number> {
  if (release !== undefined) {
    const path = `/plugins/release?name=${encodeURIComponent(release)}`;
    answered(await ask(state, "POST", path, clock), "/plugins/release");
  }
  const body = answered(await ask(state, "GET", "/plugins", clock), "/plugins");
  const { cells, refused } = body as { cells: readonly CellStatus[]; refused: string | null };
  if (json) printJson(body);
  else printText(`${pluginsText(cells)}${refused === null ? "" : `\n\n${refused}`}`);
  return 0;
}

const COLUMNS = ["calls", "failed", "restarts", "p50 ms", "p99 ms", "MB"];

/** A line a plugin, with the figures of its process; below it what each process may use, and why one is shut out. */
export function pluginsText(cells: readonly CellStatus[]): string {
  const rows = cells.flatMap((cell) =>
    (cell.plugins.length > 0 ? cell.plugins : [undefined]).map((plugin, k) => [
      plugin === undefined ? cell.id : `${plugin.name} ${plugin.version}`,
      plugin?.kind ?? "",
      plugin?.digest?.slice(0, 12) ?? "built in",
      ...(k > 0 ? ["", "", "", "", "", "", ""] : [
        cell.state,
        ...[cell.calls, cell.failures, cell.restarts].map(String),
        ...[cell.p50_ms, cell.p99_ms].map((ms) => ms === null ? "-" : ms.toFixed(1)),
        cell.rss_bytes === null ? "-" : figure(Math.round(cell.rss_bytes / 2 ** 20)),
      ]),
    ])
  );
  const titles = [
    ...["Plugin", "kind", "sha256", "state"].map((title) => ({ title })),
    ...COLUMNS.map((title) => ({ title, align: "right" as const })),
  ];
  const failures = cells.filter(({ last_failure }) => last_failure !== null)
    .map((cell) => `${namesOf(cell)} (${cell.state}): ${cell.last_failure}`);
  return [
    ...table(titles, rows),
    ...["", "Limits:", ...cells.map((cell) => `${namesOf(cell)}: ${limitsText(cell.limits)}`)],
    ...(failures.length > 0 ? ["", "Last failures:", ...failures] : []),
  ].join("\n");
}

/** Of its plugins; a host of models has none. */
function namesOf({ id, plugins }: CellStatus): string {
  return plugins.map(({ name, version }) => `${name} ${version}`).join(", ") || id;
}

function limitsText(limits: CellStatus["limits"]): string {
  return Object.entries(limits).map(([name, limit]) => `${name} ${limit}`).join(", ");
}
