import type { Clock } from "../clock.ts";
import type { CycleRecord } from "./cycle.ts";
import { encodeCycle, type EncodedCycle, type Journal } from "./journal.ts";

export interface GroupCommitOptions {
  /** Longest wait of a record for others in ms; default 20. */
  readonly maxDelayMs?: number;
  /** So many records do not wait any longer; default 256. */
  readonly maxBatch?: number;
}

export interface GroupCommit extends Disposable {
  /**
   * Takes the record as it is now and writes it with others in one transaction.
   * @returns Resolves when durable; rejects with JOURNAL_UNUSABLE if the transaction failed, with a TypeError if this
   * record cannot be encoded.
   */
  add(cycle: CycleRecord): Promise<void>;
  /** Writes what waits, now. */
  flush(): void;
}

interface Waiting {
  readonly cycle: EncodedCycle;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Groups the records of many requests: a commit waits for the disk, and one wait serves all of a group. Disposing
 * writes what waits; the journal stays open.
 */
export function groupCommit(journal: Journal, clock: Clock, options: GroupCommitOptions = {}): GroupCommit {
  const { maxDelayMs = 20, maxBatch = 256 } = options;
  let waiting: Waiting[] = [];
  let cancel = () => {};

  function flush(): void {
    cancel();
    const group = waiting;
    waiting = [];
    if (group.length === 0) return;
    try {
      journal.insert(group.map(({ cycle }) => cycle));
    } catch (error) {
      for (const { reject } of group) reject(error);
      return;
    }
    for (const { resolve } of group) resolve();
  }

  return {
    // deno-lint-ignore require-await -- async turns a record that cannot be encoded into a rejection
    async add(cycle) {
      const encoded = encodeCycle(cycle);
      return new Promise<void>((resolve, reject) => {
        waiting.push({ cycle: encoded, resolve, reject });
        if (waiting.length === 1) cancel = clock.after(maxDelayMs, flush);
        if (waiting.length >= maxBatch) flush();
      });
    },
    flush,
    [Symbol.dispose]: flush,
  };
}
