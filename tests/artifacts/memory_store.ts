/** A store in memory whose faults a test switches on and off. */
import { createHash } from "node:crypto";
import type {
  ArtifactHead,
  ArtifactStore,
  GetOptions,
  PutOptions,
  StoredArtifact,
} from "../../runtime/artifacts/store.ts";
import {
  alreadyThere,
  corrupt,
  missing,
  tooLarge,
  unreachable,
  wrongDigest,
} from "../../runtime/artifacts/store_error.ts";

export class MemoryStore implements ArtifactStore {
  readonly kind = "directory";
  readonly label: string;
  /** Every call fails. */
  away = false;
  /** Every body loses its second half on the way. */
  truncates = false;
  /** While set, get() waits for it before it answers what it had found. */
  gate: Promise<void> | undefined;
  /** Paths in the order of get(). */
  readonly gets: string[] = [];
  readonly heads: string[] = [];
  readonly #objects = new Map<string, Uint8Array<ArrayBuffer>>();

  constructor(files: Record<string, string> = {}, label = "test store") {
    this.label = label;
    for (const [path, content] of Object.entries(files)) this.set(path, content);
  }

  set(path: string, content: string | Uint8Array<ArrayBuffer>): void {
    this.#objects.set(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
  }

  remove(path: string): void {
    this.#objects.delete(path);
  }

  async head(path: string): Promise<ArtifactHead | undefined> {
    await Promise.resolve();
    this.heads.push(path);
    if (this.away) throw unreachable(this.label, "it is away");
    const bytes = this.#objects.get(path);
    return bytes && { path, size: bytes.length, etag: digest(bytes).slice(0, 8) };
  }

  async get(path: string, options: GetOptions = {}): Promise<StoredArtifact> {
    this.gets.push(path);
    const bytes = this.#objects.get(path);
    await this.#gated(options.signal);
    if (this.away) throw unreachable(this.label, "it is away");
    if (bytes === undefined) throw missing(path, this.label);
    if (this.truncates) throw corrupt(path, this.label, "it was cut off");
    const { maxBytes = Infinity } = options;
    if (bytes.length > maxBytes) throw tooLarge(path, this.label, bytes.length, maxBytes);
    const sha256 = digest(bytes);
    if (options.sha256 !== undefined && options.sha256 !== sha256) {
      throw wrongDigest(path, this.label, sha256, options.sha256);
    }
    return { path, size: bytes.length, etag: sha256.slice(0, 8), bytes: bytes.slice(), sha256 };
  }

  put(
    path: string,
    bytes: Uint8Array<ArrayBuffer>,
    { overwrite = false }: PutOptions = {},
  ): Promise<ArtifactHead> {
    if (!overwrite && this.#objects.has(path)) return Promise.reject(alreadyThere(path, this.label));
    this.set(path, bytes);
    return Promise.resolve({ path, size: bytes.length, etag: digest(bytes).slice(0, 8) });
  }

  list(prefix = ""): Promise<{ path: string; size: number }[]> {
    const all = [...this.#objects].map(([path, { length }]) => ({ path, size: length }));
    return Promise.resolve(
      all.filter(({ path }) => path.startsWith(prefix)).sort((a, b) => a.path < b.path ? -1 : 1),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #gated(signal: AbortSignal | undefined): Promise<void> {
    if (signal === undefined) return this.gate ?? Promise.resolve();
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
    return Promise.race([this.gate, aborted]);
  }
}

export function digest(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
