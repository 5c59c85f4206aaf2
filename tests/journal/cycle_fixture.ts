import type { CycleRecord } from "../../runtime/journal/journal.ts";

/** A cycle that is told from others by `n` alone. */
export function cycle(n: number, changes: Partial<CycleRecord> = {}): CycleRecord {
  return {
    id: `01980000-0000-7000-8000-${String(n).padStart(12, "0")}`,
    origin: "schedule",
    startedAt: 1_755_978_773_000 + n,
    rowTimestamp: lastRun(n).text,
    outcome: "solved",
    reason: null,
    strategy: { name: "tanks", version: "1.2.3", digest: "ab".repeat(32) },
    inputs: { level: n, flow: Array.from({ length: 50 }, () => n) },
    verdicts: [{ gate: "ok", n }],
    result: { x: [n, n + 1], cost: -n },
    timings: { total: 1.5 },
    details: null,
    ...changes,
  };
}

/** The row of process data of cycle `n`: one second apart, each with its own microsecond. */
export function lastRun(n: number): { readonly micros: number; readonly text: string } {
  const micros = 1_755_978_773_000_000 + n * 1_000_001;
  const date = new Date(Math.floor(micros / 1000)).toISOString();
  return { micros, text: `${date.slice(0, 23)}${String(micros % 1000).padStart(3, "0")}` };
}
