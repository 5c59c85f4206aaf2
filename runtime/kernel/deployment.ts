import { SetpointError, setpointError } from "../errors.ts";
import type { ArtifactCache } from "../artifacts/cache.ts";
import { readPointer } from "../artifacts/pointer.ts";
import { PointerWatch } from "../artifacts/pointer_watch.ts";
import { openLastGood, openRelease, type Release } from "../artifacts/release.ts";
import type { Clock } from "../clock.ts";
import type { Activation } from "./activation.ts";

export interface DeploymentOptions {
  readonly clock: Clock;
  readonly cache: ArtifactCache;
  /** The metadata folder, with the pointer. */
  readonly metadata: string;
  /** How often in a row the process ended by itself soon after its start. Default 0. */
  readonly crashes?: number;
  /** Links, starts and tries a version; rejects where it must not run. */
  readonly open: (release: Release) => Promise<Activation>;
  /** After another version has become the active one. */
  readonly onSwap: () => void;
  readonly log: (line: string) => void;
}

/** Crashes in a row from which the deployed version is taken for their cause. */
const MOST_CRASHES = 3;

/**
 * The version in use, and the next one beside it until it has proved itself. Whoever runs a cycle holds a version by
 * {@linkcode Activation.hold}, so a swap never takes it away in mid-cycle.
 */
export class Deployment implements AsyncDisposable {
  readonly #options: DeploymentOptions;
  #active: Activation | undefined;
  #watch: PointerWatch | undefined;
  /** Why the last good version runs in the place of the deployed one. */
  #fallback: string | undefined;
  /** The version that crashes. */
  #crashing: string | undefined;

  constructor(options: DeploymentOptions) {
    this.#options = options;
  }

  get active(): Activation | undefined {
    return this.#active;
  }

  /** What keeps the deployed version from being the one in use; undefined when all is well. */
  get problem(): string | undefined {
    const { current, wanted, problem } = this.#watch?.status() ?? {};
    if (problem !== undefined) return problem;
    return current !== undefined && current === wanted ? undefined : this.#fallback;
  }

  /**
   * Loads the deployed version, or the last good one where that cannot be or keeps crashing; then follows the pointer. A
   * store that does not answer is waited for.
   * @throws {SetpointError} If neither can run: the deployed version's problems.
   */
  async start(): Promise<void> {
    const { clock, cache, metadata, open, log } = this.#options;
    try {
      const pointer = await readPointer(metadata, cache);
      if (pointer === undefined) throw noPointer(metadata);
      this.#suspect(pointer.version);
      await this.#swap(await openRelease(cache, pointer.version));
    } catch (error) {
      if (!(error instanceof SetpointError)) throw error;
      this.#fallback = error.message;
      const last = await openLastGood(cache, { but: this.#crashing });
      if (last !== undefined) {
        log(`The deployed version cannot run, version ${last.version} runs in its place: ${error.message}`);
        this.#active = await open(last);
      } else if (error.code !== "STORE_UNREACHABLE") throw error;
      else log(`There is nothing to run until the store answers: ${error.message}`);
    }
    this.#watch = new PointerWatch({
      clock,
      log,
      ...(this.#active !== undefined && { current: this.#active.version }),
      read: (signal) => readPointer(metadata, cache, signal),
      onChange: async (version, signal) => {
        if (version === this.#crashing) throw this.#crashed(version);
        await this.#swap(await openRelease(cache, version, { signal }), signal);
        log(`Strategy version ${version} is active`);
      },
    });
    this.#watch.start();
  }

  /** @throws {SetpointError} Where the version keeps crashing and there is another one to run. */
  #suspect(version: string): void {
    const { cache, crashes = 0 } = this.#options;
    if (crashes < MOST_CRASHES || cache.records.active(version) === undefined) return;
    this.#crashing = version;
    throw this.#crashed(version);
  }

  #crashed(version: string): SetpointError {
    return setpointError(
      "STRATEGY_CRASHES",
      `Cannot run version ${version}: with it the process ended ${this.#options.crashes} times in a row soon after ` +
        "its start; deploy another version, or end and start the runtime to try it again",
    );
  }

  async #swap(release: Release, signal?: AbortSignal): Promise<void> {
    const next = await this.#options.open(release);
    try {
      signal?.throwIfAborted();
      await release.activate(signal);
    } catch (error) {
      await next.retire();
      throw error;
    }
    const old = this.#active;
    this.#active = next;
    this.#fallback = undefined;
    if (old === undefined) return;
    this.#options.onSwap();
    await old.retire();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch?.close();
    await this.#active?.retire();
    this.#active = undefined;
  }
}

function noPointer(metadata: string): SetpointError {
  return setpointError(
    "POINTER_INVALID",
    `Cannot tell which strategy version is deployed: neither ${metadata} nor the store has a deployed_config_version.yaml, ` +
      "expected one line such as config.yaml: 1.1.0",
  );
}
