/** A clock that stands still until a test moves it. */
import { type Clock, sleepOn } from "../../runtime/clock.ts";

export class ManualClock implements Clock {
  #now = 0;
  #timers: { at: number; every?: number; fn: () => void }[] = [];

  now(): number {
    return 1_700_000_000_000 + this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: number, fn: () => void): () => void {
    return this.#add({ at: this.#now + ms, fn });
  }

  every(ms: number, fn: () => void): () => void {
    return this.#add({ at: this.#now + ms, every: ms, fn });
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  random(): number {
    return 0.5;
  }

  uuid(): string {
    return "00000000-0000-7000-8000-000000000000";
  }

  /** Timers that would still fire. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Fires what is due on the way, in order, and lets the promises that hang on it run. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = next.at;
      if (next.every === undefined) this.#timers.splice(this.#timers.indexOf(next), 1);
      else next.at += next.every;
      next.fn();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #add(timer: { at: number; every?: number; fn: () => void }): () => void {
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((each) => each !== timer);
  }
}

/** Lets everything run that needs no further input: promises, and the file system. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
}
