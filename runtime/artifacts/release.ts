/** One strategy version out of the store, complete and of one piece: its text and everything that it names. */
import { type SetpointError, setpointError } from "../errors.ts";
import { type Catalog, openCatalog, recordedCatalog } from "./catalog.ts";
import type { ArtifactCache } from "./cache.ts";
import type { ManifestEntry } from "./manifest.ts";
import { type ResolvedArtifact, Resolver, type ResolverOptions } from "./resolver.ts";
import { corrupt } from "./store_error.ts";
import { strategyPath } from "./strategy_path.ts";

export interface Release {
  readonly version: string;
  /** The strategy file. */
  readonly text: string;
  /** Of the strategy file. */
  readonly sha256: string;
  /** The strategy file's object and store, for messages. */
  readonly source: string;
  /** Loaded from last good knowledge while the store was away. */
  readonly stale: boolean;
  readonly warnings: readonly string[];
  /** See {@linkcode Resolver.resolve}. */
  resolve(path: string, signal?: AbortSignal): Promise<ResolvedArtifact>;
  /** See {@linkcode Resolver.beside}. */
  beside(path: string, name: string, signal?: AbortSignal): Promise<ResolvedArtifact>;
  /** Everything read so far, by logical path: what the version is made of. */
  files(): ReadonlyMap<string, ManifestEntry>;
  /**
   * Makes it the active version: to be called once everything that it names is loaded and checked. Until then nothing
   * of the version before is touched.
   * @returns How many cached artifacts the change dropped.
   */
  activate(signal?: AbortSignal): Promise<number>;
}

export interface ReleaseOptions extends Pick<ResolverOptions, "base"> {
  readonly signal?: AbortSignal;
}

/**
 * Loads `configs/config-<version>.yaml`. Files are fetched when they are resolved, by the digests of one snapshot.
 * @throws {SetpointError} POINTER_INVALID (the version), ARTIFACT_MISSING, ARTIFACT_CORRUPT, STORE_UNREACHABLE.
 */
export async function openRelease(
  cache: ArtifactCache,
  version: string,
  options: ReleaseOptions = {},
): Promise<Release> {
  const path = strategyPath(version);
  return await release(cache, version, path, await openCatalog(cache, version, options.signal), options);
}

/**
 * The version that was active last, from what is cached and recorded: for a start at which the pointer's version cannot
 * be loaded. undefined where no version was ever active with this store.
 * @param but A version that is not wanted; then the last one before it.
 */
export async function openLastGood(
  cache: ArtifactCache,
  { but, ...options }: ReleaseOptions & { readonly but?: string } = {},
): Promise<Release | undefined> {
  const record = cache.records.active(but);
  if (record === undefined) return undefined;
  return await release(
    cache,
    record.version,
    strategyPath(record.version),
    recordedCatalog(cache, record),
    options,
  );
}

/**
 * Resolves the files of a strategy that is not a release: one given by `--strategy` or in a request. The store is asked
 * only for what is not in `options.base`.
 */
export function openResolver(
  cache: ArtifactCache | undefined,
  options: Omit<ReleaseOptions, "signal"> = {},
): Resolver {
  if (cache === undefined) return new Resolver(options);
  const catalog = (signal?: AbortSignal) => openCatalog(cache, undefined, signal);
  return new Resolver({ ...options, catalog, label: cache.store.label });
}

async function release(
  cache: ArtifactCache,
  version: string,
  path: string,
  catalog: Catalog,
  { signal, ...options }: ReleaseOptions,
): Promise<Release> {
  const { label } = cache.store;
  const strategy = await catalog.read(path, signal);
  if (strategy === undefined) throw noStrategy(version, path, label, catalog);
  const { bytes, sha256, size, file } = strategy;
  const resolver = new Resolver({ ...options, catalog: () => Promise.resolve(catalog), label });
  const own: [string, ManifestEntry] = [path, { sha256, size, ...(file !== path && { file }) }];
  const files = () => new Map([own, ...resolver.used]);
  return {
    version,
    text: decoded(bytes, path, label),
    sha256,
    source: `${file} of ${label}`,
    stale: catalog.stale,
    warnings: catalog.warnings,
    resolve: (asked, signal) => resolver.resolve(asked, signal),
    beside: (asked, name, signal) => resolver.beside(asked, name, signal),
    files,
    async activate(signal) {
      await catalog.verify(signal);
      return await cache.activate({ version, files: catalog.recorded(files()) });
    },
  };
}

function noStrategy(version: string, path: string, label: string, { source }: Catalog): SetpointError {
  const where = source === "manifest"
    ? `the manifest of ${label} does not list it`
    : `${label} does not have it`;
  return setpointError(
    "ARTIFACT_MISSING",
    `Cannot load strategy version ${version} from "${path}": ${where}`,
  );
}

function decoded(bytes: Uint8Array, path: string, label: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw corrupt(path, label, "it is not UTF-8 text", error);
  }
}
