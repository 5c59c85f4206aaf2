/** First-in first-out: calls wait until one of a plugin's workers is free. */
import type { Clock } from "../clock.ts";

interface Waiting {
  /** A certain worker, or any. */
  readonly worker: number | undefined;
  start(worker: number): void;
}

export interface PoolOptions {
  readonly clock: Clock;
  /** Calls that may wait. */
  readonly queue: number;
}

/** What a call does while it waits, in the place of an error class of its own. */
export interface WaitErrors {
  full(): Error;
  late(): Error;
}

export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #free = new Set<number>();
  readonly #waiting: Waiting[] = [];
  readonly workers: number[] = [];

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  add(worker: number): void {
    this.workers.push(worker);
    this.#release(worker);
  }

  isFree(worker: number): boolean {
    return this.#free.has(worker);
  }

  get busy(): boolean {
    return this.#free.size < this.workers.length;
  }

  /**
   * Runs `task` on a free worker; the worker is free again when the task settles.
   * @param deadline Monotonic ms until which it may wait.
   * @param pinned Only on this worker. Default: any.
   */
  async run<T>(
    deadline: number,
    errors: WaitErrors,
    task: (worker: number) => Promise<T>,
    pinned?: number,
  ): Promise<T> {
    const worker = await this.#take(deadline, errors, pinned);
    try {
      return await task(worker);
    } finally {
      this.#release(worker);
    }
  }

  #take(deadline: number, errors: WaitErrors, pinned: number | undefined): Promise<number> | number {
    // The lowest number: while one worker is enough, it is always the same, whose code is compiled by then.
    const free = pinned === undefined
      ? this.workers.find((worker) => this.#free.has(worker))
      : this.#free.has(pinned)
      ? pinned
      : undefined;
    if (free !== undefined) {
      this.#free.delete(free);
      return free;
    }
    if (this.#waiting.length >= this.#options.queue) return Promise.reject(errors.full());
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        worker: pinned,
        start: (worker) => {
          cancel();
          resolve(worker);
        },
      };
      const { clock } = this.#options;
      const cancel = clock.after(Math.max(0, deadline - clock.monotonic()), () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(errors.late());
      });
      this.#waiting.push(waiting);
    });
  }

  #release(worker: number): void {
    const next = this.#waiting.findIndex((waiting) =>
      waiting.worker === undefined || waiting.worker === worker
    );
    if (next < 0) this.#free.add(worker);
    else this.#waiting.splice(next, 1)[0].start(worker);
  }
}
