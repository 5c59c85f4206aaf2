/** A bucket of a MinIO server (or another S3 server) as an artifact store, through npm:minio. */
import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import type { Client } from "minio";
import type { Clock } from "../clock.ts";
import { SetpointError, setpointError } from "../errors.ts";
import { artifactPath, artifactPrefix, isArtifactPath } from "./artifact_path.ts";
import { sha256 } from "./digest.ts";
import { type Request, type RequestLimits, TimedOut, withRequest } from "./minio_request.ts";
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

export interface MinioConfig {
  /** `host`, `host:port`, or an http or https URL of these. */
  readonly endpoint: string;
  readonly access_key: string;
  readonly secret_key: string;
  readonly bucket: string;
  /** Default: what the endpoint's URL says, else false. */
  readonly use_ssl?: boolean;
  /** Default: us-east-1, MinIO's own; asking the server for it would cost a request. */
  readonly region?: string;
}

/** Silence of 3 s: a start while the server hangs must still end within 5 s. */
const LIMITS: RequestLimits = { silenceMs: 3000, totalMs: 60_000 };

/**
 * Largest object that is taken without a Content-Length, which S3 servers always send: 8 MiB. The chunks of such a body
 * are held in buffers of twice their size, and until the next collection; 64 MB in all is what a gateway can spare.
 */
const MAX_UNANNOUNCED_BYTES = 8 * 2 ** 20;

/** Carries the digest of what was put, so that a reader can tell a damaged object without any manifest. */
const DIGEST_HEADER = "x-amz-meta-sha256";

/**
 * Prepares the store without talking to the server; npm:minio is imported at the first call (0.2 s).
 * @param limits Default: 3 s of silence, 60 s in all.
 * @throws {SetpointError} CONFIG_INVALID.
 */
export function openMinio(
  config: MinioConfig,
  clock: Clock,
  limits: Partial<RequestLimits> = {},
): ArtifactStore {
  return new MinioStore(config, clock, { ...LIMITS, ...limits });
}

class MinioStore implements ArtifactStore {
  readonly kind = "minio";
  readonly label: string;
  readonly #config: MinioConfig;
  readonly #endpoint: URL;
  readonly #clock: Clock;
  readonly #limits: RequestLimits;
  readonly #closed = new AbortController();

  constructor(config: MinioConfig, clock: Clock, limits: RequestLimits) {
    this.#config = config;
    this.#endpoint = endpointUrl(config);
    this.#clock = clock;
    this.#limits = limits;
    this.label = `minio ${this.#endpoint.origin}/${config.bucket}`;
  }

  async head(
    path: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ArtifactHead | undefined> {
    artifactPath(path);
    return await this.#call(path, signal, async (client) => {
      try {
        const { size, etag } = await client.statObject(this.#config.bucket, path);
        return { path, size, etag };
      } catch (error) {
        // An answer to HEAD has no body that would tell a missing object from a missing bucket.
        if (codeOf(error) !== "NotFound") throw error;
        if (await client.bucketExists(this.#config.bucket)) return undefined;
        throw this.#noBucket();
      }
    });
  }

  async get(path: string, options: GetOptions = {}): Promise<StoredArtifact> {
    const { maxBytes = DEFAULT_MAX_BYTES } = options;
    artifactPath(path);
    return await this.#call(path, options.signal, async (client, request) => {
      const response = await client.getObject(this.#config.bucket, path) as IncomingMessage;
      const length = announcedLength(response);
      const bytes = await this.#body(path, response, length, maxBytes, request);
      const digest = await sha256(bytes);
      const told = response.headers[DIGEST_HEADER];
      for (const wanted of [told, options.sha256]) {
        if (wanted !== undefined && wanted !== digest) {
          throw wrongDigest(path, this.label, digest, String(wanted));
        }
      }
      if (length === undefined && told === undefined && options.sha256 === undefined) {
        throw corrupt(
          path,
          this.label,
          "the server told neither its length nor its digest, so it may have been cut off",
        );
      }
      return { path, size: bytes.length, etag: etagOf(response), bytes, sha256: digest };
    });
  }

  async put(path: string, bytes: Uint8Array<ArrayBuffer>, options: PutOptions = {}): Promise<ArtifactHead> {
    artifactPath(path);
    return await this.#call(path, options.signal, async (client) => {
      const headers = {
        "Content-Type": "application/octet-stream",
        [DIGEST_HEADER]: await sha256(bytes),
        ...(!options.overwrite && { "If-None-Match": "*" }),
      };
      const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      const { etag } = await client.putObject(this.#config.bucket, path, body, bytes.length, headers);
      return { path, size: bytes.length, etag };
    });
  }

  async list(prefix = "", { signal }: { readonly signal?: AbortSignal } = {}): Promise<ListedArtifact[]> {
    artifactPrefix(prefix);
    return await this.#call(prefix, signal, async (client) => {
      const found: ListedArtifact[] = [];
      for await (const { name, size } of client.listObjectsV2(this.#config.bucket, prefix, true)) {
        if (name !== undefined && isArtifactPath(name)) found.push({ path: name, size });
      }
      return found.sort((a, b) => a.path < b.path ? -1 : 1);
    });
  }

  close(): Promise<void> {
    this.#closed.abort(unreachable(this.label, "it was closed"));
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #call<T>(
    path: string,
    caller: AbortSignal | undefined,
    run: (client: Client, request: Request) => Promise<T>,
  ): Promise<T> {
    const { Client } = await import("minio");
    const { hostname, port, protocol } = this.#endpoint;
    const { access_key, secret_key, region = "us-east-1" } = this.#config;
    const secure = protocol === "https:";
    const signal = caller ? AbortSignal.any([caller, this.#closed.signal]) : this.#closed.signal;
    try {
      return await withRequest(this.#clock, this.#limits, secure, signal, (request) => {
        const client = new Client({
          endPoint: hostname,
          port: port === "" ? undefined : Number(port),
          useSSL: secure,
          accessKey: access_key,
          secretKey: secret_key,
          region,
          pathStyle: true,
          // One part always: only a whole object can be refused by If-None-Match.
          partSize: 5 * 2 ** 30,
          retryOptions: { disableRetry: true },
          transport: request.transport as typeof import("node:http"),
        });
        return run(client, request);
      });
    } catch (error) {
      caller?.throwIfAborted();
      throw this.#problem(path, error);
    }
  }

  async #body(
    path: string,
    response: IncomingMessage,
    length: number | undefined,
    maxBytes: number,
    { alive, signal }: Request,
  ): Promise<Uint8Array<ArrayBuffer>> {
    let sofar = 0;
    const onChunk = (count: number) => {
      sofar = count;
      alive();
    };
    try {
      const limit = length === undefined ? Math.min(maxBytes, MAX_UNANNOUNCED_BYTES) : maxBytes;
      const bytes = await readLimited(response, limit, length, onChunk);
      if (bytes === OVER_LIMIT) throw tooLarge(path, this.label, length, limit);
      if (length !== undefined && bytes.length !== length) throw this.#truncated(path, bytes.length, length);
      return bytes;
    } catch (error) {
      if (error instanceof SetpointError || signal.aborted) throw error;
      throw this.#truncated(path, sofar, length);
    }
  }

  #truncated(path: string, got: number, length: number | undefined): SetpointError {
    return corrupt(
      path,
      this.label,
      `it was cut off after ${got} bytes, expected ${length ?? "its last chunk"}`,
    );
  }

  #noBucket(): SetpointError {
    return unreachable(this.label, `it has no bucket "${this.#config.bucket}"`);
  }

  #problem(path: string, error: unknown): SetpointError {
    if (error instanceof SetpointError) return error;
    const code = codeOf(error);
    if (code === "NoSuchKey" || code === "NotFound") return missing(path, this.label);
    if (code === "PreconditionFailed" || code === "ConditionalRequestConflict") {
      return alreadyThere(path, this.label);
    }
    if (code === "NoSuchBucket") return this.#noBucket();
    const text = error instanceof Error ? error.message : String(error);
    // npm:minio talks of retries that it does not make here.
    const said = this.#redact(
      text.replace(/^.*Retryable HTTP status: (\d+)$/, "it answers with HTTP status $1"),
    );
    const why = error instanceof TimedOut ? said : [code, said].filter((part) => part !== "").join(": ");
    return unreachable(this.label, why || "it refused without a reason", new Error(why));
  }

  /** A server may send back what it was sent, so the keys are struck from whatever it says. */
  #redact(text: string): string {
    const { access_key, secret_key } = this.#config;
    return [secret_key, access_key].filter((key) => key !== "").reduce(
      (clean, key) => clean.replaceAll(key, "***").replaceAll(encodeURIComponent(key), "***"),
      text,
    );
  }
}

function endpointUrl({ endpoint, bucket, use_ssl }: MinioConfig): URL {
  const told = /^(https?):\/\//i.exec(endpoint);
  const url = URL.parse(told ? endpoint : `${use_ssl ? "https" : "http"}://${endpoint}`);
  const bare = url !== null && url.username === "" && url.password === "" && url.pathname === "/" &&
    url.search === "" && url.hash === "" && url.hostname !== "";
  if (!bare) {
    // Not repeated in the message: it may hold a password.
    throw setpointError(
      "CONFIG_INVALID",
      "Cannot use the MinIO endpoint: expected host:port or a URL of host and port only",
    );
  }
  if (told && use_ssl !== undefined && use_ssl !== (url.protocol === "https:")) {
    throw setpointError(
      "CONFIG_INVALID",
      `Cannot use the MinIO endpoint ${url.origin}: use_ssl is ${use_ssl}, expected the two to agree`,
    );
  }
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    throw setpointError(
      "CONFIG_INVALID",
      `Cannot use the bucket ${JSON.stringify(bucket)}: expected 3 to 63 of a-z, 0-9, "-" and "."`,
    );
  }
  return url;
}

function announcedLength({ headers }: IncomingMessage): number | undefined {
  const text = headers["content-length"];
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function etagOf({ headers }: IncomingMessage): string {
  return (headers.etag ?? "").replace(/^"|"$/g, "");
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}
