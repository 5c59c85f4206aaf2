/** A real PostgreSQL of its own for a test: a fresh cluster in a temporary folder, on a random port of 127.0.0.1. */
import { freePort } from "./free_port.ts";
import { firstFile, onPath } from "./require.ts";

export const POSTGRES_HINT = "install Debian's postgresql, or put initdb and postgres on PATH";

/** The folder with `initdb` and `postgres`, newest version first. */
export function findPostgres(): string | undefined {
  const folders = debianFolders().flatMap((folder) => [`${folder}/postgres`]);
  return firstFile([...folders, ...onPath("postgres")])?.replace(/\/postgres$/, "");
}

export interface PostgresServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly dbname: string;
  /** The postmaster's pid, to stop and continue it. */
  readonly pid: number;
  /** Runs SQL with the server's own client. */
  sql(text: string): Promise<void>;
  /** Ends it as a power cut does, and resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same data and port. */
  start(): Promise<void>;
}

export async function startPostgres(binaries: string): Promise<PostgresServer> {
  const root = await Deno.makeTempDir({ prefix: "setpoint-postgres-" });
  const password = "not so secret";
  const asUser = Deno.uid() === 0
    ? ["setpriv", "--reuid", owner(), "--regid", owner(), "--clear-groups"]
    : [];
  if (asUser.length > 0) await run(["chown", owner(), root]);
  const data = `${root}/data`;
  const passwordFile = `${root}/password`;
  await Deno.writeTextFile(passwordFile, password);
  await run([
    ...asUser,
    `${binaries}/initdb`,
    ...["--pgdata", data, "--username", "plant", "--pwfile", passwordFile, "--auth", "scram-sha-256"],
    ...["--encoding", "UTF8", "--locale", "C", "--no-sync"],
  ]);
  const port = freePort();
  const command = [
    ...asUser,
    `${binaries}/postgres`,
    ...["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
    ...["-c", "fsync=off", "-c", "shared_buffers=8MB", "-c", "max_connections=12"],
  ];
  let child: Deno.ChildProcess | null = null;
  const server = {
    host: "127.0.0.1",
    port,
    user: "plant",
    password,
    dbname: "postgres",
    get pid() {
      return child!.pid;
    },
    async start() {
      child = new Deno.Command(command[0], {
        args: command.slice(1),
        cwd: root,
        stdin: "null",
        stdout: "null",
        stderr: "piped",
      })
        .spawn();
      await ready(child);
    },
    async sql(text: string) {
      const url = `postgresql://plant@127.0.0.1:${port}/postgres`;
      await run([`${binaries}/psql`, "--no-psqlrc", "--quiet", "-v", "ON_ERROR_STOP=1", "-c", text, url], {
        PGPASSWORD: password,
      });
    },
    async kill() {
      if (child === null) return;
      const ended = child;
      child = null;
      // SIGQUIT ends the postmaster and all its children at once, without the checkpoint.
      signal(ended.pid, "SIGCONT");
      signal(ended.pid, "SIGQUIT");
      await ended.status;
    },
    async [Symbol.asyncDispose]() {
      await this.kill();
      await Deno.remove(root, { recursive: true });
    },
  };
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

/** Resolves at the server's own "ready" and goes on emptying its log, which would block it when full. */
async function ready(child: Deno.ChildProcess): Promise<void> {
  let log = "";
  await new Promise<void>((resolve, reject) => {
    const drain = async () => {
      for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
        log = (log + text).slice(-20_000);
        if (log.includes("ready to accept connections")) resolve();
      }
      reject(new Error(`PostgreSQL did not start:\n${log}`));
    };
    drain().catch(reject);
  });
}

function debianFolders(): string[] {
  try {
    const versions = [...Deno.readDirSync("/usr/lib/postgresql")].map(({ name }) => name);
    return versions.sort((a, b) => Number(b) - Number(a)).map((version) =>
      `/usr/lib/postgresql/${version}/bin`
    );
  } catch {
    return [];
  }
}

/** PostgreSQL refuses to run as root; its own account where the machine has one. */
function owner(): string {
  return /^postgres:/m.test(Deno.readTextFileSync("/etc/passwd")) ? "postgres" : "nobody";
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // Already gone.
  }
}

async function run(command: readonly string[], env: Record<string, string> = {}): Promise<void> {
  const [program, ...args] = command;
  const { success, stderr } = await new Deno.Command(program, { args, env, stdout: "null", cwd: "/" })
    .output();
  if (!success) throw new Error(`${command.join(" ")} failed: ${new TextDecoder().decode(stderr)}`);
}
