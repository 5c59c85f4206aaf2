/** Starts the kernel, passes the first signal on, and starts a crashed one again. */
import type { Clock } from "../clock.ts";

/** A started process, as far as it is looked after here. */
export interface Child {
  readonly pid: number;
  readonly status: Promise<{ readonly code: number; readonly signal: string | null }>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface SuperviseOptions {
  readonly clock: Pick<Clock, "monotonic" | "after">;
  /** @param crashes How often in a row it ended by itself, soon after its start. */
  readonly start: (crashes: number) => Child;
  /** Calls back for each SIGINT, SIGTERM and SIGHUP; the answer ends that. */
  readonly onSignal: (handle: () => void) => () => void;
  /** Start a crashed one again. */
  readonly restart: boolean;
  /** It runs until it is told to end, so that a SIGTERM before it listens to any has stopped it too. */
  readonly service: boolean;
  readonly log: (line: string) => void;
}

/** One Ctrl-C reaches a process several times: from the terminal's group, from `deno task`, from npx. */
const SAME_SIGNAL_MS = 2000;
/** The kernel ends within 10 s; one that does not is stuck. */
const STOP_MS = 11_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** Who ran that long did not crash at its start. */
const HEALTHY_MS = 60_000;

/** Stopped, and: wrong usage, configuration, port in use, state locked. Neither is a crash. */
const FINAL_CODES = [0, 2];
const INTERRUPTED = 130;
const STUCK = 1;

/** @returns The exit code for the launcher. */
export function supervise(
  { clock, start, onSignal, restart, service, log }: SuperviseOptions,
): Promise<number> {
  return new Promise((resolve) => {
    let child: Child | undefined;
    let stoppedAt: number | undefined;
    let crashes = 0;
    let cancelTimer = () => {};
    const endSignals = onSignal(signalled);
    run();

    function run(): void {
      const begun = clock.monotonic();
      const mine = child = start(crashes);
      mine.status.then(({ code, signal }) => {
        child = undefined;
        if (stoppedAt !== undefined) {
          return end(signal === "SIGKILL" ? STUCK : signal === "SIGTERM" && service ? 0 : code);
        }
        if (FINAL_CODES.includes(code) || !restart) return end(code);
        crashes = clock.monotonic() - begun >= HEALTHY_MS ? 1 : crashes + 1;
        const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (crashes - 1));
        log(
          `The kernel (pid ${mine.pid}) ended with ${signal ?? `code ${code}`}; starting it again in ${
            pause / 1000
          } s`,
        );
        cancelTimer = clock.after(pause, run);
      });
    }

    function signalled(): void {
      if (stoppedAt !== undefined) {
        if (clock.monotonic() - stoppedAt <= SAME_SIGNAL_MS) return;
        child?.kill("SIGKILL");
        return end(INTERRUPTED);
      }
      stoppedAt = clock.monotonic();
      cancelTimer();
      if (child === undefined) return end(0);
      child.kill("SIGTERM");
      cancelTimer = clock.after(STOP_MS, () => {
        log(`The kernel (pid ${child?.pid}) did not end within ${STOP_MS / 1000} s and is killed`);
        child?.kill("SIGKILL");
      });
    }

    function end(code: number): void {
      cancelTimer();
      endSignals();
      resolve(code);
    }
  });
}
