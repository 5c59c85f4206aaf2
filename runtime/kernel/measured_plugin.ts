/** A plugin whose calls are timed and weighed, for the report of its limits. */
import type { PluginHandle } from "../cells/host.ts";
import type { Clock } from "../clock.ts";
import type { LoweredMessage, SkillSpec } from "../graph/skill.ts";

export class MeasuredPlugin {
  readonly handle: PluginHandle;
  readonly #clock: Clock;
  /** Longest `lower`, `sequence` or loading of a problem, ms. */
  lowerMs = 0;
  /** Every `evaluate`, ms. */
  readonly wallMs: number[] = [];
  /** Largest answer, bytes, but for its few of JSON. */
  frameBytes = 0;

  constructor(handle: PluginHandle, clock: Clock) {
    this.handle = handle;
    this.#clock = clock;
  }

  get description(): PluginHandle["description"] {
    return this.handle.description;
  }

  async lower(skill: SkillSpec): Promise<LoweredMessage> {
    const lowered = await this.described(() => this.handle.lower(skill));
    this.#weigh(lowered.expression);
    return lowered;
  }

  sequence(skill: SkillSpec): Promise<string[]> {
    return this.described(() => this.handle.sequence(skill));
  }

  async evaluate(
    skill: SkillSpec,
    opaque: number,
    batch: Float64Array,
    count: number,
    jacobians = false,
  ): Promise<Float64Array> {
    const began = this.#clock.monotonic();
    const values = await this.handle.evaluate(skill, opaque, batch, count, undefined, jacobians);
    this.wallMs.push(this.#clock.monotonic() - began);
    this.#weigh(values);
    return values;
  }

  /** Times a call that `lower_ms` is for. */
  async described<T>(call: () => Promise<T>): Promise<T> {
    const began = this.#clock.monotonic();
    const value = await call();
    this.lowerMs = Math.max(this.lowerMs, this.#clock.monotonic() - began);
    return value;
  }

  #weigh({ byteLength }: Uint8Array | Float64Array): void {
    this.frameBytes = Math.max(this.frameBytes, byteLength);
  }
}
