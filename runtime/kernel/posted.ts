import { sha256 } from "../artifacts/digest.ts";
import { readStrategyJson } from "../strategy/load.ts";
import type { Activation } from "./activation.ts";
import type { Activator } from "./activator.ts";

/** Strategies that came in requests; compiled ones that are kept. */
const MOST = 8;

/** Strategies that callers send along: compiled once by digest; the one that was used longest ago is let go. */
export class Posted implements AsyncDisposable {
  readonly #activator: Activator;
  /** By digest, the one used last at the end. */
  readonly #kept = new Map<string, Promise<Activation>>();
  readonly #leaving = new Set<Promise<void>>();

  constructor(activator: Activator) {
    this.#activator = activator;
  }

  /**
   * A compiled strategy, which stays until what is returned is disposed of.
   * @param config A strategy as JSON. @throws {SetpointError} With every problem, by JSON pointer.
   */
  async hold(config: unknown): Promise<Disposable & { readonly activation: Activation }> {
    const digest = await sha256(new TextEncoder().encode(JSON.stringify(config) ?? ""));
    const known = this.#kept.get(digest);
    const opening = known ?? this.#activator.open(readStrategyJson(config, { pointer: "/config" }), {});
    // before anything that may let it go
    const held = opening.then((activation) => ({ activation, ...activation.hold() }));
    this.#kept.delete(digest);
    this.#kept.set(digest, opening);
    if (known === undefined) {
      opening.catch(() => {
        if (this.#kept.get(digest) === opening) this.#kept.delete(digest);
      });
      if (this.#kept.size > MOST) this.#letGo(this.#kept.keys().next().value!);
    }
    return await held;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const digest of [...this.#kept.keys()]) this.#letGo(digest);
    await Promise.all(this.#leaving);
  }

  #letGo(digest: string): void {
    const gone = this.#kept.get(digest)!.then((activation) => activation.retire(), () => {});
    this.#kept.delete(digest);
    this.#leaving.add(gone);
    gone.finally(() => this.#leaving.delete(gone));
  }
}
