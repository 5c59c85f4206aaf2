/** Which entry a cache gives up first. The cache keeps the limit; a policy only names the next victim. */
export interface EvictionPolicy {
  /** For statistics. */
  readonly name: string;
  /** An entry of `bytes` is held now. */
  added(key: string, bytes: number): void;
  /** It was read. */
  used(key: string): void;
  /** It is held no longer, for whatever reason. */
  removed(key: string): void;
  /** The entry to give up next; undefined when none is held. */
  victim(): string | undefined;
}
