/** From a path as a strategy writes it to the bytes of the file that it means. */
import { dirname } from "node:path/posix";
import { type ErrorCode, SetpointError, setpointError } from "../errors.ts";
import { artifactPath } from "./artifact_path.ts";
import type { Catalog, CatalogedArtifact } from "./catalog.ts";
import { openDirectory } from "./directory.ts";
import type { ManifestEntry } from "./manifest.ts";
import type { ArtifactStore } from "./store.ts";

export interface ResolvedArtifact {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly sha256: string;
  /** In the folder: the path itself; in the store: below `models/`. */
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
  /** Whether a file can be used as it is; default: everything but pickles and torch files. */
  readonly readable?: (file: string) => boolean;
}

const NEEDS_IMPORT = /\.(pth|pt|pkl|pickle|joblib)$/i;

/**
 * Finds what a strategy names: beside the strategy file, then under `models/` of the store. Leading `../` and `./` are
 * dropped, as the predecessor's files have them. A file that cannot be used as it is (`.pth`, `.pkl`) is taken in the
 * form that the store's manifest maps it to. The same path always gives the same bytes, however often it is asked.
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
   * @throws {SetpointError} ARTIFACT_NAME, FILE_MISSING, MODEL_INVALID (there, but needs `model:import`), and what the
   * store and the cache throw.
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
    const { readable = (file) => !NEEDS_IMPORT.test(file) } = this.#options;
    const usable = readable(path);
    const local = await this.#local(path, usable, signal);
    if (typeof local === "object") return local;
    let unusable = local;
    const catalog = await this.#open(signal);
    const candidates = [`models/${path}`, ...(path.startsWith("models/") ? [path] : [])];
    for (const logicalPath of candidates) {
      const mapped = catalog?.fileOf(logicalPath);
      if (mapped !== undefined && !readable(mapped)) unusable ??= `${mapped} of ${this.#options.label}`;
      // Without a manifest only the store itself knows what it has; an unusable file is not worth the transfer.
      else if (mapped !== undefined || (usable && catalog?.source === "pins")) {
        const found = await catalog!.read(logicalPath, signal);
        if (found !== undefined) return this.#stored(logicalPath, found);
      }
    }
    throw this.#problem(path, asked, usable, unusable);
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

  /** The file beside the strategy; its full path where it is there but cannot be used as it is. */
  async #local(
    path: string,
    usable: boolean,
    signal?: AbortSignal,
  ): Promise<ResolvedArtifact | string | undefined> {
    if (this.#base === undefined) return undefined;
    try {
      if (!usable) return await this.#base.head(path, { signal }) && `${this.#options.base}/${path}`;
      const { bytes, sha256 } = await this.#base.get(path, { maxBytes: this.#options.maxBytes, signal });
      return { bytes, sha256, logicalPath: path, file: `${this.#options.base}/${path}`, from: "folder" };
    } catch (error) {
      if (error instanceof SetpointError && error.code === "ARTIFACT_MISSING") return undefined;
      throw error;
    }
  }

  #problem(path: string, asked: string, usable: boolean, unusable: string | undefined): SetpointError {
    const { base, catalog, label } = this.#options;
    const places = [
      ...(base === undefined ? [] : [`in ${base}`]),
      ...(catalog === undefined ? [] : [`as models/${path} in ${label}`]),
    ];
    const looked = places.length === 0
      ? "there is no folder and no store to look in"
      : `looked ${places.join(" and ")}`;
    const way =
      "expected an ONNX or JSON form of it, which deno task model:import makes and the store's manifest maps it to";
    const [code, why]: [ErrorCode, string] = unusable !== undefined
      ? ["MODEL_INVALID", `${unusable} cannot be read directly, ${way}`]
      : ["FILE_MISSING", usable ? `it does not exist; ${looked}` : `it is not mapped; ${looked}; ${way}`];
    return setpointError(code, `Cannot load "${asked}": ${why}`);
  }
}
