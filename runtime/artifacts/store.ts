/** Where artifacts come from. Two implementations, directory.ts and minio.ts, pass tests/contract/artifact_store.ts. */

/** What a store knows of an object without reading it. */
export interface ArtifactHead {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Changes whenever the content does; opaque, and comparable only within one store. */
  readonly etag: string;
}

export interface StoredArtifact extends ArtifactHead {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Of `bytes` as they arrived: 64 hexadecimal digits. */
  readonly sha256: string;
}

export interface ListedArtifact {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
}

export interface GetOptions {
  /** Largest object that is read, in bytes; applied while reading, and lower where no length is told. Default: {@linkcode DEFAULT_MAX_BYTES}. */
  readonly maxBytes?: number;
  /** The digest that the object must have; another one is ARTIFACT_CORRUPT. Default: any. */
  readonly sha256?: string;
  readonly signal?: AbortSignal;
}

export interface PutOptions {
  /** Replaces an object that exists; without it that is ARTIFACT_EXISTS, decided atomically. Default: false. */
  readonly overwrite?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * A flat set of objects by logical path (artifact_path.ts). Errors, all {@linkcode SetpointError}: ARTIFACT_NAME (the
 * path), ARTIFACT_MISSING, ARTIFACT_EXISTS, ARTIFACT_TOO_LARGE, ARTIFACT_CORRUPT (what arrived is not what was
 * announced), STORE_UNREACHABLE (everything that may pass by waiting, refused access included). An aborted call
 * rejects with its signal's reason.
 */
export interface ArtifactStore extends AsyncDisposable {
  readonly kind: "directory" | "minio";
  /** For people: kind and place, without secrets. */
  readonly label: string;
  /** undefined: there is none. */
  head(path: string, options?: { readonly signal?: AbortSignal }): Promise<ArtifactHead | undefined>;
  get(path: string, options?: GetOptions): Promise<StoredArtifact>;
  /** A reader sees all of the object or none of it. */
  put(path: string, bytes: Uint8Array<ArrayBuffer>, options?: PutOptions): Promise<ArtifactHead>;
  /** Everything whose path begins with `prefix`, sorted by path in code units; names that are no paths are left out. */
  list(prefix?: string, options?: { readonly signal?: AbortSignal }): Promise<ListedArtifact[]>;
  close(): Promise<void>;
}

/** 32 MiB: a network of four million float64 weights. */
export const DEFAULT_MAX_BYTES = 32 * 2 ** 20;
