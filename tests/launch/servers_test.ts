import { assertEquals, assertStringIncludes } from "@std/assert";
import { openMinio } from "../../runtime/artifacts/minio.ts";
import { systemClock } from "../../runtime/clock.ts";
import { ROOT } from "../../runtime/config.ts";
import { findMinio, MINIO_HINT, MinioServer } from "../servers/minio.ts";
import { findPostgres, POSTGRES_HINT, startPostgres } from "../servers/postgres.ts";
import { serverTest } from "../servers/require.ts";
import { Folders, Service } from "./process.ts";
import { eventually } from "../std/eventually.ts";

const KILN = `${ROOT}/strategies/kiln`;

function findBoth(): string | undefined {
  return findPostgres() === undefined ? undefined : findMinio();
}

serverTest(
  "deno task start with the predecessor's config.yaml reads MinIO and PostgreSQL with exactly its permissions",
  findBoth,
  async (minioProgram) => {
    await using folders = await Folders.make();
    await using minio = await MinioServer.start(minioProgram);
    await using postgres = await startPostgres(findPostgres()!);
    const bucket = await minio.bucket();
    await upload(bucket);
    const { input_data: wrapped, ...bare } = JSON.parse(
      await Deno.readTextFile(`${KILN}/inputs/nominal.json`),
    );
    const state: Record<string, number> = wrapped ?? bare;
    const names = Object.keys(state).map((name) => `"${name}"`);
    await postgres.sql(
      `create table process_data ("timestamp" timestamp, ${names.map((name) => `${name} float8`)})`,
    );
    await postgres.sql(`insert into process_data values (now() at time zone 'UTC', ${Object.values(state)})`);
    await Deno.writeTextFile(
      `${folders.root}/config.yaml`,
      `log: {level: INFO}
app: {mode: hybrid}
api: {host: 127.0.0.1, port: 8005, debug: false}
database: {host: 127.0.0.1, port: ${postgres.port}, dbname: ${postgres.dbname}, user: ${postgres.user}, password: ${postgres.password}}
storage: {minio: {endpoint: "${bucket.endpoint}", access_key: ${bucket.access_key}, secret_key: ${bucket.secret_key}, bucket: ${bucket.bucket}}}
optimization: {interval_seconds: 3600, max_iterations: 100, tolerance: 1.0e-8}
`,
    );
    await using service = await Service.start(folders, ["--config", `${folders.root}/config.yaml`]);
    let cycles: { outcome: string; origin: string; cost: number; reason: unknown }[] = [];
    await eventually("a cycle is journalled", async () => {
      ({ cycles } = await service.json("/cycles") as { cycles: typeof cycles });
      return cycles.length > 0;
    });
    assertEquals(
      [cycles[0].outcome, cycles[0].origin],
      ["solved", "schedule"],
      JSON.stringify(cycles[0].reason),
    );
    assertEquals(cycles[0].cost < -101.9999, true);
    const health = await service.json("/health") as {
      status: string;
      store: { kind: string };
      historian: { simulated: boolean };
      schedule: { source: string };
    };
    assertEquals([health.status, health.store.kind, health.historian.simulated, health.schedule.source], [
      "healthy",
      "minio",
      false,
      "config",
    ]);
    const log = await Deno.readTextFile(`${folders.state}/logs/app.log`);
    assertStringIncludes(log, "Model cached in memory for: models/");
    for (const secret of [bucket.secret_key, postgres.password]) assertEquals(log.includes(secret), false);
  },
  `${MINIO_HINT}; ${POSTGRES_HINT}`,
);

/** The kiln's folder, object by object. */
async function upload(bucket: Parameters<typeof openMinio>[0]): Promise<void> {
  const store = openMinio(bucket, systemClock);
  const paths = [
    "strategy.yaml",
    ...[...Deno.readDirSync(`${KILN}/models`)].map(({ name }) => `models/${name}`),
  ];
  for (const path of [...paths, "manifest.json"]) {
    await store.put(path, await Deno.readFile(`${KILN}/${path}`));
  }
  await store.close();
}
