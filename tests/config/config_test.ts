import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type Config,
  configVariables,
  type Key,
  readConfig,
  ROOT,
  variableOf,
} from "../../runtime/config.ts";
import { SetpointError } from "../../runtime/errors.ts";
import { parseYaml } from "../../runtime/yaml.ts";

const NO_ENV = () => undefined;

async function withFile<T>(text: string, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "setpoint-config-" });
  try {
    await Deno.writeTextFile(`${folder}/config.yaml`, text);
    return await use(`${folder}/config.yaml`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function refusals(text: string, env: (name: string) => string | undefined = NO_ENV): Promise<string[]> {
  return await withFile(text, async (file) => {
    const error = await assertRejects(() => readConfig({ file, env }), SetpointError);
    assertEquals(error.code, "CONFIG_INVALID");
    return error.message.replaceAll(file, "config.yaml").split("\n");
  });
}

const PREDECESSOR = `log: {level: warning}
app: {mode: continuous}
api: {host: 0.0.0.0, port: 9000, debug: true}
database: {host: db, port: 5433, dbname: plant, user: u, password: p}
storage: {minio: {endpoint: "minio:9000", access_key: a, secret_key: s, bucket: b}}
optimization: {interval_seconds: 60, max_iterations: 50, tolerance: 1.0e-6, config_file: strategy.yaml}
`;

Deno.test("readConfig() without file, environment and flags gives frozen defaults on loopback", async () => {
  const config = await readConfig({ env: NO_ENV });
  assertEquals(config.api.host, "127.0.0.1");
  assertEquals(config.api.port, 8005);
  assertEquals(config.app.mode, "hybrid");
  assertEquals(config.database, null);
  assertEquals(config.storage.minio, null);
  assertEquals(config.folders.state, `${ROOT}/state`);
  assert(Object.isFrozen(config) && Object.isFrozen(config.api) && Object.isFrozen(config.optimization));
});

Deno.test("readConfig() takes every key of the predecessor's file", async () => {
  await withFile(PREDECESSOR, async (file) => {
    const config: Config = await readConfig({ file, env: NO_ENV });
    assertEquals(config.app.mode, "continuous");
    assertEquals(config.api.host, "0.0.0.0");
    assertEquals(config.log.level, "DEBUG", "api.debug logs everything");
    assertEquals(config.database?.dbname, "plant");
    assertEquals(config.database?.table, "process_data");
    assertEquals(config.storage.minio?.endpoint, "minio:9000");
    assertEquals(config.optimization.interval_seconds, 60);
    assertEquals(config.optimization.interval_source, "config");
    assertEquals(config.optimization.max_iterations, 50);
    assertEquals(config.optimization.tolerance, 1e-6);
    assertEquals(config.optimization.config_file, file.replace("config.yaml", "strategy.yaml"));
  });
});

Deno.test("readConfig() lets the environment win over the file and a flag over both", async () => {
  const env = (name: string) =>
    ({ SETPOINT_API_PORT: "9001", SETPOINT_API_HOST: "::1", SETPOINT_DATABASE_PASSWORD: "secret" })[name];
  await withFile(PREDECESSOR, async (file) => {
    const config = await readConfig({ file, env, flags: { port: "9002", interval: "0.5" } });
    assertEquals(config.api.port, 9002);
    assertEquals(config.api.host, "::1");
    assertEquals(config.database?.password, "secret");
    assertEquals(config.optimization.interval_seconds, 0.5);
    assertEquals(config.optimization.interval_source, "flag");
  });
});

Deno.test("readConfig() resolves a flag's path from the caller's folder and a file's from the file", async () => {
  const env = (name: string) => name === "INIT_CWD" ? "/plant/gateway" : undefined;
  const config = await readConfig({ env, flags: { state: "../state", strategy: "/a/./b.yaml" } });
  assertEquals(config.folders.state, "/plant/state");
  assertEquals(config.optimization.config_file, "/a/b.yaml");
});

Deno.test("readConfig() names every wrong key and value of a file with line and column", async () => {
  const seen = await refusals(`api:
  port: "8005"
  prot: 1
  debug: yes
optimization: 5
log: {level: loud}
__proto__: {a: 1}
`);
  assertEquals(seen, [
    'config.yaml:2:9: Cannot set api.port to "8005", expected a whole number from 0 to 65535',
    'config.yaml:3:3: Unknown key "api.prot", expected host, port, debug, max_body_bytes, max_in_flight, body_timeout_seconds',
    'config.yaml:4:10: Cannot set api.debug to "yes", expected true or false',
    "config.yaml:5:15: Cannot read optimization, expected the keys interval_seconds, max_iterations, tolerance, deadline_ms, control, config_file",
    'config.yaml:6:14: Cannot set log.level to "loud", expected DEBUG, INFO, WARNING, ERROR or CRITICAL',
    'config.yaml:7:1: Unknown key "__proto__", expected log, app, api, database, storage, cache, optimization, folders',
  ]);
});

Deno.test("readConfig() names what a started section lacks, and the variable that may tell it", async () => {
  const seen = await refusals("database: {host: db, dbname: plant}\n");
  assertEquals(seen, [
    "config.yaml:1:18: Cannot use database: database.user is missing, expected it in the file or in SETPOINT_DATABASE_USER",
  ]);
});

Deno.test("readConfig() never shows a secret", async () => {
  const seen = await refusals(
    'database: {password: ["hunter2"]}\n',
    (name) => name === "SETPOINT_STORAGE_MINIO_SECRET_KEY" ? "hun\nter3" : undefined,
  );
  assert(!/hunter2|ter3/.test(seen.join()), seen.join("\n"));
  assertStringIncludes(
    seen.join("\n"),
    "SETPOINT_STORAGE_MINIO_SECRET_KEY: Cannot set storage.minio.secret_key, expected a text",
  );
});

Deno.test("readConfig() refuses numbers in the environment and in flags that JSON would not take", async () => {
  for (const port of ["", " 80", "0x10", "1e999", "-1", "8005.5", "Infinity", "١"]) {
    const error = await assertRejects(
      () => readConfig({ env: NO_ENV, flags: { port } }),
      SetpointError,
      "--port: Cannot set api.port",
    );
    assertEquals(error.code, "USAGE");
  }
  const env = (name: string) => name === "SETPOINT_API_PORT" ? "nine" : undefined;
  await assertRejects(
    () => readConfig({ env }),
    SetpointError,
    'SETPOINT_API_PORT: Cannot set api.port to "nine"',
  );
});

Deno.test("readConfig() tells a missing file, broken YAML and a YAML bomb", async () => {
  const missing = await assertRejects(
    () => readConfig({ file: "/nowhere/config.yaml", env: NO_ENV }),
    SetpointError,
  );
  assertEquals(missing.message, "/nowhere/config.yaml: Cannot read the configuration: there is no such file");
  assertStringIncludes((await refusals("api:\n\tport: 1\n"))[0], "config.yaml:2:1: ");
  assertStringIncludes((await refusals(`a: ${"x".repeat(70_000)}`))[0], "expected at most 65536");
});

Deno.test("config.example.yaml names every key, with the default that it has", async () => {
  const file = `${ROOT}/metadata/config.example.yaml`;
  assertEquals({ ...await readConfig({ file, env: NO_ENV }), file: null }, await readConfig({ env: NO_ENV }));
  const text = (await Deno.readTextFile(file)).replaceAll(/^( +)# ([a-z_]+:)/gm, "$1$2");
  const named = variablesIn(parseYaml(text, { maxBytes: 10_000 }).value, "SETPOINT");
  const known = configVariables().filter((name) => !["SETPOINT_CONFIG", "INIT_CWD"].includes(name));
  assertEquals(named.toSorted(), known.toSorted());
});

function variablesIn(value: unknown, name: string): string[] {
  if (typeof value !== "object" || value === null) return [name];
  return Object.entries(value).flatMap(([key, part]) => variablesIn(part, `${name}_${key.toUpperCase()}`));
}

Deno.test("variableOf() names a key's variable", () => {
  const key: Key = "storage.minio.access_key";
  assertEquals(variableOf(key), "SETPOINT_STORAGE_MINIO_ACCESS_KEY");
});
