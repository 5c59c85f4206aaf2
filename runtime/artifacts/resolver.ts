/** From a path as a strategy writes it to the bytes of the file that it means. */
import { dirname } from "node:path/posix";
import { SetpointError, setpointError } from "../errors.ts";
import { artifactPath } from "./artifact_path.ts";
import type { Catalog, CatalogedArtifact } from "./catalog.ts";
import { openDirectory } from "./directory.ts";
import type { ManifestEntry } from "./manifest.ts";
import type { ArtifactStore } from "./store.ts";

export interface ResolvedArtifact {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  /** In the folder: the path itself; in the store: below `models/` or `plugins/`. */
  readonly logicalPath: string;
  /** The file that was read, whose ending tells the format: not the logical path's where the manifest maps it. */
  readonly file: string;
  readonly from: "folder" | "store";
}

export interface ResolverOptions {
  /** The folder of the strategy file, looked in first. */
  readonly base?: string;
  /** The store's part; called when a file is first looked for in the store, and again where it has rejected. */
  readonly catalog?: (signal?: AbortSignal) => Promise<Catalog>;
  /** Of the store, for messages. */
  readonly label?: string;
  /** Largest file of the folder, in bytes; default 32 MiB. */
  readonly maxBytes?: number;
}

/**
 * Finds what a strategy names: beside the strategy file, then in the store under `models/`, plugins under `plugins/`. Leading `../` and `./` are
 * dropped, as the predecessor's files have them. In the store the manifest may map a path to another file, such as a
 * `.pth` to its ONNX form. The same path always gives the same bytes, however often it is asked.
 */
export class Resolver {
  readonly #options: ResolverOptions;
  readonly #base: ArtifactStore | undefined;
  #catalog: Promise<Catalog> | undefined;
  readonly #found = new Map<string, Promise<ResolvedArtifact>>();
  /** What came from the store, by logical path. */
  readonly used = new Map<string, ManifestEntry>();

  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#base = options.base === undefined ? undefined : openDirectory(options.base);
  }

  /**
   * @throws {SetpointError} ARTIFACT_NAME, FILE_MISSING, and what the store and the cache throw.
   */
  resolve(asked: string, signal?: AbortSignal): Promise<ResolvedArtifact> {
    const path = asked.replace(/^(\.{1,2}\/)+/, "");
    const present = this.#found.get(path);
    if (present !== undefined) return present;
    const found = this.#resolve(path, asked, signal);
    this.#found.set(path, found);
    found.catch(() => this.#found.delete(path));
    return found;
  }

  /**
   * A file that another file names as lying beside it, such as a model's external data.
   * @param asked The other file's path, as it was given to {@linkcode resolve}.
   * @param name A bare file name.
   */
  async beside(asked: string, name: string, signal?: AbortSignal): Promise<ResolvedArtifact> {
    if (name.includes("/")) {
      throw setpointError(
        "ARTIFACT_NAME",
        `Cannot read "${name}" beside "${asked}": expected a file name without a slash`,
      );
    }
    const folder = dirname(asked);
    return await this.resolve(folder === "." ? name : `${folder}/${name}`, signal);
  }

  async #resolve(path: string, asked: string, signal?: AbortSignal): Promise<ResolvedArtifact> {
    artifactPath(path);
    const local = await this.#local(path, signal);
    if (local !== undefined) return local;
    const catalog = await this.#open(signal);
    for (const logicalPath of placesOf(path)) {
      // Without a manifest only the store itself knows what it has.
      if (catalog?.fileOf(logicalPath) === undefined && catalog?.source !== "pins") continue;
      const found = await catalog.read(logicalPath, signal);
      if (found !== undefined) return this.#stored(logicalPath, found);
    }
    throw this.#missing(path, asked);
  }

  #stored(logicalPath: string, { bytes, sha256, size, file }: CatalogedArtifact): ResolvedArtifact {
    this.used.set(logicalPath, { sha256, size, ...(file !== logicalPath && { file }) });
    return { bytes, sha256, logicalPath, file, from: "store" };
  }

  #open(signal?: AbortSignal): Promise<Catalog> | undefined {
    if (this.#catalog !== undefined) return this.#catalog;
    const opening = this.#options.catalog?.(signal);
    this.#catalog = opening;
    opening?.catch(() => this.#catalog = undefined);
    return opening;
  }

  /** The file beside the strategy. */
  async #local(path: string, signal?: AbortSignal): Promise<ResolvedArtifact | undefined> {
    if (this.#base === undefined) return undefined;
    try {
      const { bytes, sha256 } = await this.#base.get(path, { maxBytes: this.#options.maxBytes, signal });
      return { bytes, sha256, logicalPath: path, file: `${this.#options.base}/${path}`, from: "folder" };
    } catch (error) {
      if (error instanceof SetpointError && error.code === "ARTIFACT_MISSING") return undefined;
      throw error;
    }
  }

  #missing(path: string, asked: string): SetpointError {
    const { base, catalog, label } = this.#options;
    const places = [
      ...(base === undefined ? [] : [`in ${base}`]),
      ...(catalog === undefined ? [] : [`as ${placesOf(path).join(" or ")} in ${label}`]),
    ];
    const looked = places.length === 0
      ? "there is no folder and no store to look in"
      : `looked ${places.join(" and ")}`;
    return setpointError("FILE_MISSING", `Cannot load "${asked}": it does not exist; ${looked}`);
  }
}

/** Where a path is looked for in the store. */
function placesOf(path: string): string[] {
  return [`models/${path}`, ...(/^(?:models|plugins)\//.test(path) ? [path] : [])];
}
