/** In a cell: whether its plugins rest between two calls. */

/** Share of a processor that nobody needs between two calls, and heartbeats for which it is taken for clearing up. */
const RESTLESS_SHARE = 0.25;
const MOST_RESTLESS = 2;
/** What may be used of a processor between two calls, ms, and the share that comes back: a little, for ever, is much. */
const BUDGET_MS = 1_000;
const FREE_SHARE = 0.1;

export class Rest {
  #restless = 0;
  #leftMs = BUDGET_MS;

  /**
   * Promises, other threads and timers in shared memory let a plugin work on after its answer and yet answer pings.
   * @param usedMs Of a processor, since this was asked last. @param elapsedMs Of time.
   * @param rested Whether no plugin had anything to do meanwhile.
   * @returns Whether one works on.
   */
  broken(usedMs: number, elapsedMs: number, rested: boolean): boolean {
    this.#restless = rested && usedMs > RESTLESS_SHARE * elapsedMs ? this.#restless + 1 : 0;
    const left = rested ? this.#leftMs + FREE_SHARE * elapsedMs - usedMs : BUDGET_MS;
    this.#leftMs = Math.min(BUDGET_MS, left);
    return this.#restless > MOST_RESTLESS || this.#leftMs < 0;
  }
}
