/**
 * Links strategies on a thread of its own: what plugins describe may be large, and the kernel never stands still for it.
 * The thread runs the kernel's own code on plain data, without any permission.
 */
import type { Clock } from "../clock.ts";
import { setpointError } from "../errors.ts";
import type { LinkReply, LinkRequest } from "../strategy/linker.ts";
import type { LinkOutcome } from "./link_worker.ts";

/** Longest time for one strategy: what a graph may have at most takes a few seconds. */
const LINK_MS = 30_000;
/** Rest after which the thread is ended for its memory; the next strategy starts it again. */
const IDLE_MS = 2_000;

export class LinkThread implements Disposable {
  readonly #clock: Clock;
  #worker: Worker | undefined;
  #cancelIdle = () => {};
  /** The strategy that is linked now, and those that wait. */
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Starts the thread, so that it is there when it is needed. */
  wake(): void {
    this.#cancelIdle();
    this.#worker ??= new Worker(import.meta.resolve("./link_worker.ts"), {
      type: "module",
      name: "link",
      deno: { permissions: "none" },
    } as WorkerOptions);
    if (this.#waiting === 0) this.#cancelIdle = this.#clock.after(IDLE_MS, () => this.#end());
  }

  /** One after the other. @throws {SetpointError} STRATEGY_TOO_LARGE where it takes too long. */
  async link(request: LinkRequest): Promise<LinkReply> {
    this.#waiting++;
    const turn = this.#last.then(() => this.#link(request));
    this.#last = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      this.#waiting--;
      if (this.#worker !== undefined) this.wake();
    }
  }

  [Symbol.dispose](): void {
    this.#end();
  }

  async #link(request: LinkRequest): Promise<LinkReply> {
    this.wake();
    const worker = this.#worker!;
    let cancel = () => {};
    try {
      const outcome = await new Promise<LinkOutcome>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data);
        worker.onerror = (event) => {
          event.preventDefault();
          reject(new Error(`Cannot link a strategy: ${event.message}`));
        };
        cancel = this.#clock.after(LINK_MS, () => {
          const message = `Cannot link strategy "${request.strategy.name}": it takes longer than ${
            LINK_MS / 1000
          } s`;
          reject(setpointError("STRATEGY_TOO_LARGE", message));
        });
        worker.postMessage(request);
      });
      if (!outcome.ok) throw new Error(outcome.fault);
      return outcome.reply;
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      cancel();
    }
  }

  #end(): void {
    this.#cancelIdle();
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}
