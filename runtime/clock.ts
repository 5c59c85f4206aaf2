/**
 * Time and randomness, as an input: nothing else in the runtime reads a clock, starts a timer or draws a number, so a
 * test can hold the clock still or step it.
 */
export interface Clock {
  /** Wall time in ms since 1970-01-01 UTC; may jump. For timestamps only. */
  now(): number;
  /** Monotonic time in ms since an arbitrary start; never jumps. For durations, deadlines and TTLs. */
  monotonic(): number;
  /** Calls `fn` once after `ms` (0 to 2^31 − 1); the answer cancels it. */
  after(ms: number, fn: () => void): () => void;
  /** Calls `fn` every `ms`; the answer ends it. */
  every(ms: number, fn: () => void): () => void;
  /** Resolves after `ms`, rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
  /** A UUID of version 7 (RFC 9562): sorts by time. */
  uuid(): string;
}

/** Longest delay that a JavaScript timer takes; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms: number, fn: () => void) {
    const id = setTimeout(fn, Math.min(ms, LONGEST_MS));
    return () => clearTimeout(id);
  },
  every(ms: number, fn: () => void) {
    const id = setInterval(fn, Math.min(ms, LONGEST_MS));
    return () => clearInterval(id);
  },
  sleep(ms: number, signal?: AbortSignal) {
    return sleepOn(systemClock, ms, signal);
  },
  random: () => Math.random(),
  uuid: () => uuidV7(Date.now()),
});

/** `sleep` of any clock that has `after`. */
export function sleepOn(clock: Pick<Clock, "after">, ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const abort = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = clock.after(ms, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    signal?.addEventListener("abort", abort, { once: true });
  });
}

let lastMs = 0;
let counter = 0;

/** RFC 9562 §5.7; the 12 bits after the time are a counter within the millisecond, so ids of one process sort as made. */
function uuidV7(now: number): string {
  if (now > lastMs) {
    lastMs = now;
    counter = 0;
  } else if (++counter > 0xfff) {
    lastMs++;
    counter = 0;
  }
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(lastMs / 2 ** 32));
  view.setUint32(2, lastMs >>> 0);
  view.setUint16(6, 0x7000 | counter);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
