/** How long the last calls took. */
const KEPT = 512;

export class CallTimes {
  readonly #ms = new Float64Array(KEPT);
  #count = 0;

  add(ms: number): void {
    this.#ms[this.#count++ % KEPT] = ms;
  }

  /** By nearest rank; null where there was no call. @param share 0.5 for the median. */
  quantile(share: number): number | null {
    const known = Math.min(this.#count, KEPT);
    if (known === 0) return null;
    const sorted = this.#ms.slice(0, known).sort();
    return sorted[Math.max(0, Math.ceil(share * known) - 1)];
  }
}
