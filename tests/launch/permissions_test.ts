import { assert, assertEquals } from "@std/assert";
import { configOf, parseCommandLine } from "../../runtime/cli/command_line.ts";
import { readConfig, ROOT } from "../../runtime/config.ts";
import { permissionFlags, permissionsOf } from "../../runtime/launch/permissions.ts";

const DENO = "/opt/my deno/deno";

async function permissions(line: string, env: Readonly<Record<string, string>> = {}) {
  const invocation = parseCommandLine(line.split(" "));
  const flags = (await configOf(invocation)).folders;
  const config = await readConfig({
    env: (name) => env[name],
    flags: {
      ...("state" in invocation.flags && { state: flags.state }),
      ...("strategy" in invocation.flags && { strategy: invocation.flags.strategy }),
    },
  });
  return await permissionsOf(invocation, config, DENO);
}

async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "setpoint-launch-" });
  try {
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("permissionsOf(start) is its own folders, its own address, named variables and its own Deno", async () => {
  const { read, write, net, env, run, sys } = await permissions("start --state /var/lib/setpoint");
  assertEquals(
    read,
    ["runtime", "plugins", "strategies", "metadata"].map((name) => `${ROOT}/${name}`).concat(
      "/var/lib/setpoint",
    ),
  );
  assertEquals(write, ["/var/lib/setpoint", `${ROOT}/metadata`]);
  assertEquals(net, ["127.0.0.1:8005"]);
  assertEquals(run, [DENO]);
  assertEquals(sys, []);
  assert(
    env.every((name) =>
      /^(SETPOINT_[A-Z_]+|INIT_CWD|NO_COLOR|FORCE_COLOR|TERM|COLORTERM|LOG_STREAM|LOG_TOKENS)$/.test(name)
    ),
    env.join(),
  );
});

Deno.test("permissionsOf(start) adds the hosts of MinIO and PostgreSQL, and only where they are configured", async () => {
  const env = {
    SETPOINT_API_HOST: "::1",
    SETPOINT_API_PORT: "9000",
    SETPOINT_DATABASE_HOST: "db.plant",
    SETPOINT_DATABASE_DBNAME: "d",
    SETPOINT_DATABASE_USER: "u",
    SETPOINT_STORAGE_MINIO_ENDPOINT: "https://minio.plant",
    SETPOINT_STORAGE_MINIO_ACCESS_KEY: "a",
    SETPOINT_STORAGE_MINIO_SECRET_KEY: "s",
    SETPOINT_STORAGE_MINIO_BUCKET: "bucket",
  };
  const { net } = await permissions("start", env);
  assertEquals(net, ["[::1]:9000", "db.plant:5432", "minio.plant:443"]);
  const endpoints = {
    "minio.plant:9001": "minio.plant:9001",
    "http://minio.plant": "minio.plant:80",
    "10.0.0.6": "10.0.0.6:80",
  };
  for (const [endpoint, expected] of Object.entries(endpoints)) {
    assertEquals(
      (await permissions("optimize --input a.json", { ...env, SETPOINT_STORAGE_MINIO_ENDPOINT: endpoint }))
        .net[1],
      expected,
    );
  }
});

Deno.test("permissionsOf(start) in mode continuous listens on loopback, whatever the host", async () => {
  const { net } = await permissions("start", {
    SETPOINT_APP_MODE: "continuous",
    SETPOINT_API_HOST: "0.0.0.0",
  });
  assertEquals(net, ["127.0.0.1:8005"]);
});

Deno.test("permissionsOf(optimize, strategy:validate) writes nothing and reads the strategy's folder and plugins", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/plant`);
    await Deno.writeTextFile(`${folder}/mine.ts`, "");
    await Deno.writeTextFile(
      `${folder}/plant/strategy.yaml`,
      "plugins:\n  A: builtin:function\n  B: ../mine.ts\n  C: own/plugin.ts\n  D: tanh@1.0.0\n  E: 5\n",
    );
    for (
      const line of [
        `optimize --strategy ${folder}/plant/strategy.yaml --input ${folder}/in.json`,
        `strategy:validate ${folder}/plant/strategy.yaml`,
      ]
    ) {
      const { read, write, net, run } = await permissions(line);
      assert(read.includes(`${folder}/plant`) || read.includes(folder), read.join());
      assert(read.includes(`${folder}/mine.ts`) || read.includes(folder), read.join());
      assert(!read.some((path) => path.includes("own/plugin.ts")), "it lies in a folder that is listed");
      assertEquals([write, net, run], [[], [], [DENO]]);
    }
  }));

Deno.test("permissionsOf(strategy:validate) of a file that is no strategy leaves the telling to the kernel", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/broken.yaml`, "plugins: [\n");
    assert((await permissions(`strategy:validate ${folder}/broken.yaml`)).read.includes(folder));
    assert((await permissions(`strategy:validate ${folder}/missing.yaml`)).read.includes(folder));
  }));

Deno.test("permissionsOf(cache:stats) reaches the running process and nothing else", () =>
  withFolder(async (state) => {
    assertEquals((await permissions(`cache:stats --state ${state}`)).net, []);
    await Deno.writeTextFile(`${state}/run.json`, JSON.stringify({ pid: 1, url: "http://127.0.0.1:8123" }));
    const { read, write, net, run } = await permissions(`cache:stats --state ${state}`);
    assertEquals([read, write, net, run], [[state], [], ["127.0.0.1:8123"], []]);
    await Deno.writeTextFile(`${state}/run.json`, "{broken");
    assertEquals((await permissions(`cache:stats --state ${state}`)).net, []);
  }));

Deno.test("permissionFlags() leaves out what is denied and doubles commas in paths", () => {
  const flags = permissionFlags({
    read: ["/a,b", "/c d"],
    write: [],
    net: ["h:1"],
    env: [],
    run: [DENO],
    sys: [],
  });
  assertEquals(flags, ["--allow-read=/a,,b,/c d", "--allow-net=h:1", `--allow-run=${DENO}`]);
});
