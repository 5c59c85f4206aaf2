/** F1, F2, F5, F6 through the kernel: versions come, go and fail while requests are served. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { openDirectory } from "../../runtime/artifacts/directory.ts";
import { openMinio } from "../../runtime/artifacts/minio.ts";
import type { ArtifactStore } from "../../runtime/artifacts/store.ts";
import { systemClock } from "../../runtime/clock.ts";
import { SetpointError } from "../../runtime/errors.ts";
import type { Answer } from "../../runtime/kernel/types.ts";
import { type OpenKernel, openKernel } from "../kernel/open_kernel.ts";
import { eventually } from "../std/eventually.ts";
import { findMinio, MINIO_HINT, MinioServer } from "../servers/minio.ts";
import { serverTest } from "../servers/require.ts";
import { costOf, deploy, isWhole, publishVersion, STATE, watchful } from "./versions.ts";

interface Site extends AsyncDisposable {
  readonly root: string;
  readonly store: ArtifactStore;
  /** Configuration of a kernel on this store, its state and metadata kept from one kernel to the next. */
  readonly env: Readonly<Record<string, string>>;
  deploy(version: string): Promise<void>;
  /** @param crashes As the launcher counts them. */
  open(crashes?: number): Promise<OpenKernel>;
}

async function siteOf(
  open: (root: string) => Promise<{ store: ArtifactStore; env: Record<string, string> }>,
): Promise<Site> {
  const root = await Deno.makeTempDir({ prefix: "setpoint-site-" });
  const { store, env } = await open(root);
  const all = {
    SETPOINT_APP_MODE: "api",
    SETPOINT_FOLDERS_STATE: `${root}/state`,
    SETPOINT_FOLDERS_METADATA: `${root}/metadata`,
    ...env,
  };
  return {
    root,
    store,
    env: all,
    deploy: (version) => deploy(`${root}/metadata`, version),
    open: (crashes) => openKernel({ serving: true, clock: watchful, env: all, crashes }),
    async [Symbol.asyncDispose]() {
      await store.close();
      await Deno.remove(root, { recursive: true });
    },
  };
}

function directorySite(): Promise<Site> {
  return siteOf(async (root) => {
    const directory = `${root}/store`;
    await Deno.mkdir(directory);
    return { store: openDirectory(directory), env: { SETPOINT_STORAGE_DIRECTORY: directory } };
  });
}

function minioSite(server: MinioServer): Promise<Site> {
  return siteOf(async () => {
    const config = await server.bucket();
    const env = Object.fromEntries(
      Object.entries(config).map((
        [key, value],
      ) => [`SETPOINT_STORAGE_MINIO_${key.toUpperCase()}`, String(value)]),
    );
    return { store: openMinio(config, systemClock), env };
  });
}

function reasons({ kernel }: OpenKernel): string[] {
  return kernel.status().reasons.map(({ code, message }) => `${code} ${message}`);
}

async function becomes(opened: OpenKernel, version: string): Promise<void> {
  await eventually(
    `version ${version} is active`,
    () => opened.kernel.status().strategy?.version === version,
  );
}

/** Asks `count` times, four at a time, from before a change until after it. */
async function askAcross(opened: OpenKernel, count: number, change: () => Promise<void>): Promise<Answer[]> {
  const answers: Answer[] = [];
  let left = count;
  const client = async () => {
    while (left-- > 0) {
      answers.push(await opened.answer(STATE));
      await systemClock.sleep(10);
    }
  };
  await Promise.all([client(), client(), client(), client(), change()]);
  return answers;
}

/** The whole life of two versions, on any store. */
async function versionsSwap(site: Site): Promise<void> {
  await site.deploy(await publishVersion(site.store, 1));
  await using opened = await site.open();
  assert(isWhole(await opened.answer(STATE)));
  const answers = await askAcross(opened, 80, async () => {
    await site.deploy(await publishVersion(site.store, 2));
  });
  await becomes(opened, "2.0.0");
  answers.push(...await askAcross(opened, 8, () => Promise.resolve()));
  assert(answers.every(isWhole), answers.filter((answer) => !isWhole(answer)).map(String).join());
  const versions = answers.map(({ strategy }) => strategy.version);
  assertEquals([versions[0], versions.at(-1)], ["1.0.0", "2.0.0"]);
  assertEquals(reasons(opened), []);
  await eventually("the log says so", () => opened.lines.includes("Strategy version 2.0.0 is active"));
  assert(
    opened.lines.some((line) => line.startsWith("Version changed from 1.0.0 to 2.0.0, invalidating cache")),
    opened.lines.join("\n"),
  );
}

Deno.test("a new version takes over while requests are served: none fails, none is of two versions", async () => {
  await using site = await directorySite();
  await versionsSwap(site);
});

Deno.test("F6: a pointer that goes from one version to the other and back ends on the last, each answer of one version", async () => {
  await using site = await directorySite();
  for (const major of [1, 2, 3]) await publishVersion(site.store, major);
  await site.deploy("1.0.0");
  await using opened = await site.open();
  const answers = await askAcross(opened, 120, async () => {
    for (const version of ["2.0.0", "1.0.0", "3.0.0", "2.0.0", "1.0.0", "2.0.0"]) {
      await site.deploy(version);
      await systemClock.sleep(70);
    }
  });
  await becomes(opened, "2.0.0");
  assert(answers.every(isWhole));
  assertEquals((await opened.answer(STATE)).cost_function_value, costOf("2.0.0"));
});

const BROKEN = "1000 + parts";

Deno.test("F5 F7: a broken, missing or unreadable version is refused with its reason, and the old one works on", async (t) => {
  await using site = await directorySite();
  await site.deploy(await publishVersion(site.store, 1));
  await using opened = await site.open();
  const stays = async (says: string) => {
    await eventually(`health says ${says}`, () => reasons(opened).some((reason) => reason.includes(says)));
    const answer = await opened.answer(STATE);
    assertEquals([answer.strategy.version, isWhole(answer)], ["1.0.0", true]);
    const { reasons: all, store } = opened.kernel.status();
    assert(all.every(({ critical }) => !critical), "it is ready all the same");
    assertEquals(store.serving_last_good, true);
  };
  await t.step("a formula that names no variable", async () => {
    await site.deploy(await publishVersion(site.store, 2, { formula: BROKEN }));
    await stays("parts");
  });
  await t.step("a version that the store does not have", async () => {
    await site.deploy("7.0.0");
    await stays("7.0.0");
  });
  await t.step("a pointer that is none", async () => {
    await Deno.writeTextFile(`${site.root}/metadata/deployed_config_version.yaml`, "config.yaml: latest\n");
    await stays("latest");
  });
  await t.step("the version that was missing, once it is there", async () => {
    await site.deploy("7.0.0");
    await publishVersion(site.store, 7);
    await becomes(opened, "7.0.0");
    assertEquals(reasons(opened), []);
    assertEquals((await opened.answer(STATE)).cost_function_value, costOf("7.0.0"));
  });
});

Deno.test("F34: a start on a version that cannot run serves the last good one and says so", async () => {
  await using site = await directorySite();
  await site.deploy(await publishVersion(site.store, 1));
  await (await site.open())[Symbol.asyncDispose]();
  await site.deploy(await publishVersion(site.store, 2, { formula: BROKEN }));
  await using opened = await site.open();
  assert(isWhole(await opened.answer(STATE)));
  assertEquals(opened.kernel.status().strategy?.version, "1.0.0");
  assert(reasons(opened).some((reason) => reason.includes("parts")), String(reasons(opened)));
  await site.deploy(await publishVersion(site.store, 3));
  await becomes(opened, "3.0.0");
  assertEquals(reasons(opened), []);
});

Deno.test("F34: after three crashes with a version the one before it runs, until another is deployed", async () => {
  await using site = await directorySite();
  for (const major of [1, 2]) {
    await site.deploy(await publishVersion(site.store, major));
    await (await site.open())[Symbol.asyncDispose]();
  }
  const versionAfter = async (crashes: number) => {
    await using opened = await site.open(crashes);
    assert(isWhole(await opened.answer(STATE)));
    return opened.kernel.status().strategy?.version;
  };
  assertEquals([await versionAfter(2), await versionAfter(3), await versionAfter(4)], [
    "2.0.0",
    "1.0.0",
    "1.0.0",
  ]);
  assertEquals(await versionAfter(0), "2.0.0");
  await using opened = await site.open(3);
  await eventually(
    "the pointer was read",
    () => reasons(opened).some((reason) => reason.includes("3 times")),
  );
  assert(opened.lines.some((line) => line.includes("version 1.0.0 runs in its place")), String(opened.lines));
  await site.deploy(await publishVersion(site.store, 3));
  await becomes(opened, "3.0.0");
  assertEquals(reasons(opened), []);
});

Deno.test("F34: a version that crashes runs all the same where there was none before it", async () => {
  await using site = await directorySite();
  await site.deploy(await publishVersion(site.store, 1));
  await using opened = await site.open(3);
  assertEquals(opened.kernel.status().strategy?.version, "1.0.0");
  assertEquals(reasons(opened), []);
});

Deno.test("F1: a start without its store serves the last good version from disk, flagged", async () => {
  await using site = await directorySite();
  await site.deploy(await publishVersion(site.store, 1));
  await (await site.open())[Symbol.asyncDispose]();
  await Deno.rename(`${site.root}/store`, `${site.root}/away`);
  {
    await using opened = await site.open();
    assert(isWhole(await opened.answer(STATE)));
    const { store } = opened.kernel.status();
    assertEquals([store.reachable, store.serving_last_good], [false, true]);
    assert(reasons(opened).some((reason) => reason.startsWith("STORE")), String(reasons(opened)));
  }
  await Deno.rename(`${site.root}/away`, `${site.root}/store`);
  await using opened = await site.open();
  assertEquals(opened.kernel.status().store.reachable, true);
});

Deno.test("a start that has neither store nor last good version waits for the store, and says so", async () => {
  await using site = await directorySite();
  await site.deploy(await publishVersion(site.store, 1));
  await Deno.rename(`${site.root}/store`, `${site.root}/away`);
  await using opened = await site.open();
  const error = await assertRejects(() => opened.answer(STATE), SetpointError);
  assertStringIncludes(error.message, "no strategy is loaded");
  assert(opened.kernel.status().reasons.some(({ critical }) => critical));
  await Deno.rename(`${site.root}/away`, `${site.root}/store`);
  await becomes(opened, "1.0.0");
  assert(isWhole(await opened.answer(STATE)));
});

serverTest(
  "F1 F2: a kernel on MinIO swaps, works through an outage, and starts in one",
  findMinio,
  async (program, t) => {
    await using server = await MinioServer.start(program);
    await t.step("versions swap", async () => {
      await using site = await minioSite(server);
      await versionsSwap(site);
    });
    await using site = await minioSite(server);
    await site.deploy(await publishVersion(site.store, 1));
    await t.step("a server that hangs or is gone costs no answer", async () => {
      await using opened = await site.open();
      await server.freeze();
      for (let k = 0; k < 5; k++) assert(isWhole(await opened.answer(STATE)));
      server.thaw();
      await server.stop();
      assert(isWhole(await opened.answer(STATE)));
      assertEquals(opened.kernel.status().strategy?.version, "1.0.0");
    });
    await t.step("a start in the outage is flagged, and meets the store again", async () => {
      const began = systemClock.monotonic();
      await using opened = await site.open();
      // a request of the store may take 60 s
      assert(systemClock.monotonic() - began < 30_000, "it does not wait for the store");
      assert(isWhole(await opened.answer(STATE)));
      assertEquals(opened.kernel.status().store.reachable, false);
      assert(reasons(opened).some((reason) => reason.startsWith("STORE")), String(reasons(opened)));
      await server.resume();
      await site.deploy(await publishVersion(site.store, 2));
      await becomes(opened, "2.0.0");
      await eventually("nothing is wrong any more", () => reasons(opened).length === 0);
      assert(isWhole(await opened.answer(STATE)));
    });
  },
  MINIO_HINT,
);
