/** A folder as an artifact store: the embedded one, a mounted share, or a test's. */
import { resolve } from "node:path";
import { SetpointError, setpointError } from "../errors.ts";
import { artifactPath, artifactPrefix, isArtifactPath } from "./artifact_path.ts";
import { writeAtomic } from "./atomic_file.ts";
import { sha256, sha256Stream } from "./digest.ts";
import { OVER_LIMIT, readLimited } from "./read_limited.ts";
import type {
  ArtifactHead,
  ArtifactStore,
  GetOptions,
  ListedArtifact,
  PutOptions,
  StoredArtifact,
} from "./store.ts";
import { DEFAULT_MAX_BYTES } from "./store.ts";
import { alreadyThere, corrupt, missing, tooLarge, unreachable, wrongDigest } from "./store_error.ts";

/**
 * Opens the folder `root`, which need not exist before the first `put`. Symbolic links are followed as long as they
 * stay inside it. The etag of an object is its SHA-256, so `head` reads the object.
 */
export function openDirectory(root: string): ArtifactStore {
  return new DirectoryStore(resolve(root));
}

class DirectoryStore implements ArtifactStore {
  readonly kind = "directory";
  readonly label: string;
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    this.label = `directory ${root}`;
  }

  async head(
    path: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ArtifactHead | undefined> {
    artifactPath(path);
    signal?.throwIfAborted();
    try {
      using file = await this.#open(path);
      const hash = sha256Stream();
      let size = 0;
      for await (const chunk of file.readable) {
        signal?.throwIfAborted();
        hash.update(chunk);
        size += chunk.length;
      }
      return { path, size, etag: hash.digest("hex") };
    } catch (error) {
      signal?.throwIfAborted();
      const problem = await this.#problem(path, error);
      if (problem.code === "ARTIFACT_MISSING") return undefined;
      throw problem;
    }
  }

  async get(path: string, options: GetOptions = {}): Promise<StoredArtifact> {
    const { maxBytes = DEFAULT_MAX_BYTES, signal } = options;
    artifactPath(path);
    signal?.throwIfAborted();
    try {
      using file = await this.#open(path);
      const { size } = await file.stat();
      const bytes = await readLimited(file.readable, maxBytes, size, () => signal?.throwIfAborted());
      if (bytes === OVER_LIMIT) throw tooLarge(path, this.label, size, maxBytes);
      if (bytes.length !== size) {
        throw corrupt(
          path,
          this.label,
          `it has ${bytes.length} bytes, expected ${size}; it changed while it was read`,
        );
      }
      const digest = await sha256(bytes);
      if (options.sha256 !== undefined && options.sha256 !== digest) {
        throw wrongDigest(path, this.label, digest, options.sha256);
      }
      return { path, size, etag: digest, bytes, sha256: digest };
    } catch (error) {
      signal?.throwIfAborted();
      throw await this.#problem(path, error);
    }
  }

  async put(path: string, bytes: Uint8Array<ArrayBuffer>, options: PutOptions = {}): Promise<ArtifactHead> {
    const { overwrite = false, signal } = options;
    artifactPath(path);
    signal?.throwIfAborted();
    try {
      await Deno.mkdir(this.#root, { recursive: true });
      await this.#refuseOutside(path);
      await writeAtomic(`${this.#root}/${path}`, bytes, { overwrite });
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) throw alreadyThere(path, this.label);
      throw await this.#problem(path, error, "written");
    }
    return { path, size: bytes.length, etag: await sha256(bytes) };
  }

  async list(prefix = "", { signal }: { readonly signal?: AbortSignal } = {}): Promise<ListedArtifact[]> {
    artifactPrefix(prefix);
    const found: ListedArtifact[] = [];
    try {
      const root = await Deno.realPath(this.#root);
      await this.#walk(root, "", prefix, found, signal);
    } catch (error) {
      signal?.throwIfAborted();
      throw await this.#problem(prefix, error);
    }
    return found.sort((a, b) => a.path < b.path ? -1 : 1);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #walk(root: string, folder: string, prefix: string, found: ListedArtifact[], signal?: AbortSignal) {
    for await (const { name, isDirectory } of Deno.readDir(`${root}/${folder}`)) {
      signal?.throwIfAborted();
      const path = folder + name;
      if (!isArtifactPath(path)) continue;
      if (isDirectory) {
        const below = `${path}/`;
        if (below.startsWith(prefix) || prefix.startsWith(below)) {
          await this.#walk(root, below, prefix, found, signal);
        }
      } else if (path.startsWith(prefix)) {
        const size = await fileSize(root, path);
        if (size !== undefined) found.push({ path, size });
      }
    }
  }

  /** Opens the file behind all links. A pipe or a device is not a file: opening one could wait for ever. */
  async #open(path: string): Promise<Deno.FsFile> {
    const root = await Deno.realPath(this.#root);
    const file = await Deno.realPath(`${root}/${path}`);
    if (!file.startsWith(`${root}/`)) throw this.#outside(path);
    if (!(await Deno.stat(file)).isFile) throw missing(path, this.label);
    return await Deno.open(file);
  }

  /** Throws where a folder on the way to `path` leads out of the root; folders that do not exist yet are made by `put`. */
  async #refuseOutside(path: string): Promise<void> {
    const root = await Deno.realPath(this.#root);
    const parts = path.split("/");
    for (let depth = parts.length - 1; depth > 0; depth--) {
      const folder = await existing(`${root}/${parts.slice(0, depth).join("/")}`);
      if (folder === undefined) continue;
      if (folder.startsWith(`${root}/`)) return;
      throw this.#outside(path);
    }
  }

  #outside(path: string): SetpointError {
    return setpointError(
      "ARTIFACT_NAME",
      `Cannot use artifact "${path}" of ${this.label}: a symbolic link leads out of it`,
    );
  }

  async #problem(path: string, error: unknown, done = "read"): Promise<SetpointError> {
    if (error instanceof SetpointError) return error;
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      const root = await existing(this.#root);
      if (root === undefined) return unreachable(this.label, "the folder does not exist", error);
      const { isFile } = await Deno.stat(root);
      return isFile
        ? unreachable(this.label, "it is a file, expected a folder", error)
        : missing(path, this.label);
    }
    if (error instanceof Deno.errors.NotCapable) return this.#outside(path);
    return unreachable(this.label, `"${path}" cannot be ${done}: ${(error as Error).message}`, error);
  }
}

async function existing(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}

/** undefined for what `get` would refuse: links to nowhere, to the outside and to folders, pipes, devices. */
async function fileSize(root: string, path: string): Promise<number | undefined> {
  try {
    const file = await Deno.realPath(`${root}/${path}`);
    if (!file.startsWith(`${root}/`)) return undefined;
    const { isFile, size } = await Deno.stat(file);
    return isFile ? size : undefined;
  } catch {
    return undefined;
  }
}
