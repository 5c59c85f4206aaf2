import type { CacheStatus } from "../artifacts/cache_stats.ts";
import type { ArtifactStore } from "../artifacts/store.ts";
import type { Historian } from "../historian/historian.ts";
import { type Control, type ControlMode, controlOf } from "./control.ts";
import type { Activation } from "./activation.ts";
import type { CellStatus, CycleRow, KernelStatus } from "./types.ts";

export interface StatusParts {
  readonly active: Activation | undefined;
  /** Why the deployed version is not the one in use. */
  readonly deployment: string | undefined;
  readonly problems: ReadonlyMap<"historian" | "journal" | "mirror", string>;
  readonly cache: CacheStatus;
  readonly storeKind: ArtifactStore["kind"];
  readonly cells: readonly CellStatus[];
  readonly control?: ControlMode;
  readonly historian: Historian | null;
  readonly lastCycle: CycleRow | null;
  readonly schedule: KernelStatus["schedule"];
  readonly startedAt: number;
  readonly uptimeMs: number;
}

type Reason = KernelStatus["reasons"][number];

function shutOut({ id, plugins, quarantine_ms, last_failure }: CellStatus): string {
  const name = plugins[0]?.name ?? id;
  const seconds = Math.ceil((quarantine_ms ?? 0) / 1000);
  return `Plugin "${name}" is in quarantine for ${seconds} s more, or until deno task plugins --release ${name}: ${last_failure}`;
}

/** What health tells. Critical is what keeps the next cycle from a result. */
export function statusOf(parts: StatusParts): KernelStatus {
  const { active, deployment, problems, cache, cells, historian } = parts;
  const reasons: Reason[] = [];
  const add = (code: string, message: string | undefined, critical = false) => {
    if (message !== undefined) reasons.push({ code, message, critical });
  };
  if (active === undefined) add("STRATEGY", "No strategy is loaded", true);
  add("DEPLOYMENT", deployment);
  add("HISTORIAN", problems.get("historian"), true);
  add("JOURNAL", problems.get("journal"));
  add("MIRROR", problems.get("mirror"));
  for (const doubt of active?.trust.doubts ?? []) add("MODEL_DOUBTED", doubt);
  for (const message of cache.reasons) add("STORE", message);
  for (const cell of cells) if (cell.state === "quarantined") add("PLUGIN", shutOut(cell), true);
  return {
    reasons,
    strategy: active?.identity ?? null,
    control: controlNow(parts),
    historian: historian &&
      { kind: historian.label, simulated: historian.simulated, connected: !problems.has("historian") },
    store: {
      kind: parts.storeKind,
      reachable: cache.store.reachable !== false,
      serving_last_good: cache.stale || deployment !== undefined,
    },
    schedule: parts.schedule,
    last_cycle: parts.lastCycle,
    started_at: new Date(parts.startedAt).toISOString(),
    uptime_s: parts.uptimeMs / 1000,
  };
}

/** The models may be doubted since the last cycle; what that cycle ran into holds until the next. */
function controlNow({ active, lastCycle, control: requested = "advisory" }: StatusParts): Control {
  const now = controlOf({ requested, trust: active?.trust });
  return now.reason === undefined && lastCycle?.control?.reason !== undefined ? lastCycle.control : now;
}
