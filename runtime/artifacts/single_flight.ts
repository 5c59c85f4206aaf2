/** One load a key, however many wait for it. */

export interface Flight {
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
  /** An invalidation came after the load began: its result may be handed out, but not kept. */
  readonly overtaken: boolean;
}

interface Running<T> {
  readonly key: string;
  readonly abort: AbortController;
  result: Promise<T>;
  waiting: number;
  overtaken: boolean;
}

export class SingleFlight<T> {
  readonly #running = new Map<string, Running<T>>();

  /**
   * The result of `load`, shared with everyone who asks for `key` before it is there.
   * @param signal Ends this caller's waiting, and the load with its last caller.
   * @returns The result, and whether another call had begun the load.
   */
  async run(
    key: string,
    signal: AbortSignal | undefined,
    load: (flight: Flight) => Promise<T>,
  ): Promise<{ readonly value: T; readonly joined: boolean }> {
    signal?.throwIfAborted();
    const present = this.#running.get(key);
    const running = present ?? this.#begin(key, load);
    running.waiting++;
    try {
      return { value: await abortable(running.result, signal), joined: present !== undefined };
    } finally {
      if (--running.waiting === 0) this.#abandon(running);
    }
  }

  /** Marks the running loads of these keys; who asks from now on begins a new load. */
  overtake(matches: (key: string) => boolean): void {
    for (const [key, running] of this.#running) {
      if (!matches(key)) continue;
      running.overtaken = true;
      this.#running.delete(key);
    }
  }

  #begin(key: string, load: (flight: Flight) => Promise<T>): Running<T> {
    const abort = new AbortController();
    const running: Running<T> = { key, abort, waiting: 0, overtaken: false, result: Promise.reject() };
    running.result.catch(() => {});
    running.result = load({
      signal: abort.signal,
      get overtaken() {
        return running.overtaken;
      },
    }).finally(() => this.#forget(running));
    running.result.catch(() => {});
    this.#running.set(key, running);
    return running;
  }

  /** Without effect on a load that is done. */
  #abandon(running: Running<T>): void {
    this.#forget(running);
    running.abort.abort();
  }

  #forget(running: Running<T>): void {
    if (this.#running.get(running.key) === running) this.#running.delete(running.key);
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
