/** A real MinIO server on loopback, in a folder of its own, for the tests that need one. */
import { Client } from "minio";
import type { MinioConfig } from "../../runtime/artifacts/minio.ts";
import { eventually } from "../std/eventually.ts";
import { freeze } from "../std/freeze.ts";
import { freePort } from "./free_port.ts";
import { firstFile, onPath } from "./require.ts";

/** How to get one, for the message of a skipped test. */
export const MINIO_HINT = "set SETPOINT_MINIO to the minio binary";

/** `SETPOINT_MINIO`, else `minio` on PATH, else where continuous integration keeps it. */
export function findMinio(): string | undefined {
  const kept = decodeURIComponent(new URL("../../.ci/cache/bin/minio", import.meta.url).pathname);
  return firstFile([Deno.env.get("SETPOINT_MINIO"), ...onPath("minio"), kept]);
}

const ACCESS_KEY = "setpoint-test-access";
const SECRET_KEY = "setpoint-test-secret-0123456789";

export class MinioServer implements AsyncDisposable {
  readonly port: number;
  readonly #program: string;
  readonly #folder: string;
  #process: Deno.ChildProcess | undefined;
  #buckets = 0;

  private constructor(program: string, folder: string, port: number) {
    this.#program = program;
    this.#folder = folder;
    this.port = port;
  }

  /** Starts it and waits until it answers. */
  static async start(program: string): Promise<MinioServer> {
    const server = new MinioServer(
      program,
      await Deno.makeTempDir({ prefix: "setpoint-minio-" }),
      freePort(),
    );
    await server.resume();
    return server;
  }

  /** Starts again what {@linkcode stop} ended: same port, same objects. */
  async resume(): Promise<void> {
    this.#process = new Deno.Command(this.#program, {
      args: ["server", this.#folder, "--address", `127.0.0.1:${this.port}`, "--quiet"],
      clearEnv: true,
      env: {
        HOME: this.#folder,
        MINIO_ROOT_USER: ACCESS_KEY,
        MINIO_ROOT_PASSWORD: SECRET_KEY,
        MINIO_BROWSER: "off",
        MINIO_UPDATE: "off",
      },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      await eventually(`${this.#program} answers on port ${this.port}`, () => this.#ready());
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Ends it at once, as a power cut does. */
  async stop(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }

  /** Connections are accepted and nothing is answered, once this resolves. */
  async freeze(): Promise<void> {
    await freeze(this.#process!.pid);
  }

  thaw(): void {
    this.#process?.kill("SIGCONT");
  }

  /** A new, empty bucket. */
  async bucket(): Promise<MinioConfig> {
    const config = this.config(`test-${++this.#buckets}`);
    await this.client().makeBucket(config.bucket);
    return config;
  }

  /** How to reach a bucket, which need not exist. */
  config(bucket: string): MinioConfig {
    return { endpoint: `127.0.0.1:${this.port}`, access_key: ACCESS_KEY, secret_key: SECRET_KEY, bucket };
  }

  /** The package itself, to do behind the store's back what others do to a bucket. */
  client(): Client {
    return new Client({
      endPoint: "127.0.0.1",
      port: this.port,
      useSSL: false,
      accessKey: ACCESS_KEY,
      secretKey: SECRET_KEY,
      region: "us-east-1",
      retryOptions: { disableRetry: true },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Its health route says so before the first object can be had, so ask for what the tests need. */
  async #ready(): Promise<boolean> {
    try {
      await this.client().listBuckets();
      return true;
    } catch {
      return false;
    }
  }
}
