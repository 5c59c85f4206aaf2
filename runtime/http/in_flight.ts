/** Lets at most `limit` in at a time; who comes too much is told at once instead of waiting in memory. */
export class InFlight {
  readonly limit: number;
  #count = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  get count(): number {
    return this.#count;
  }

  /** A place, to be disposed; null when all are taken. */
  enter(): Disposable | null {
    if (this.#count >= this.limit) return null;
    this.#count++;
    let left = false;
    return {
      [Symbol.dispose]: () => {
        if (!left) this.#count--;
        left = true;
      },
    };
  }
}
