import { assertEquals, assertStringIncludes } from "@std/assert";
import { openDirectory } from "../../runtime/artifacts/directory.ts";
import { artifactStoreContract, refused, text } from "../contract/artifact_store.ts";
import { temporaryFolder } from "./temporary_folder.ts";

Deno.test("directory store meets the contract", async (t) => {
  await using folder = await temporaryFolder();
  let count = 0;
  await artifactStoreContract(t, async () => {
    const root = `${folder.path}/${++count}`;
    await Deno.mkdir(root);
    return openDirectory(root);
  });
});

Deno.test("directory store follows links inside its root and refuses those that leave it", async () => {
  await using folder = await temporaryFolder();
  const root = `${folder.path}/root`;
  await using store = openDirectory(root);
  await Deno.writeTextFile(`${folder.path}/secret`, "secret");
  await Deno.mkdir(`${folder.path}/outside`);
  await store.put("models/a.onnx", text("a"));
  await Deno.symlink("a.onnx", `${root}/models/inside.onnx`);
  await Deno.symlink("../../secret", `${root}/models/file`);
  await Deno.symlink(`${folder.path}/outside`, `${root}/folder`);
  await Deno.symlink("nowhere", `${root}/models/dangling`);
  await Deno.symlink(".", `${root}/models/loop`);

  assertEquals((await store.get("models/inside.onnx")).bytes, text("a"));
  await refused("ARTIFACT_NAME", () => store.get("models/file"));
  await refused("ARTIFACT_NAME", () => store.head("models/file"));
  await refused("ARTIFACT_NAME", () => store.put("folder/new", text("x")));
  await refused("ARTIFACT_NAME", () => store.put("folder/deep/new", text("x")));
  await refused("ARTIFACT_MISSING", () => store.get("models/dangling"));
  assertEquals([...Deno.readDirSync(`${folder.path}/outside`)], []);
  assertEquals((await store.list()).map(({ path }) => path), ["models/a.onnx", "models/inside.onnx"]);
});

Deno.test("directory store leaves no temporary file behind, and lists none", async () => {
  await using folder = await temporaryFolder();
  await using store = openDirectory(folder.path);
  await store.put("a", text("1"));
  await refused("ARTIFACT_EXISTS", () => store.put("a", text("2")));
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["a"]);
  await Deno.writeTextFile(`${folder.path}/.tmp-left-by-a-crash`, "half");
  assertEquals((await store.list()).map(({ path }) => path), ["a"]);
});

Deno.test("directory store says that its folder is missing, not that each file is", async () => {
  await using folder = await temporaryFolder();
  await using store = openDirectory(`${folder.path}/none`);
  for (const call of [() => store.get("a"), () => store.head("a"), () => store.list()]) {
    assertStringIncludes((await refused("STORE_UNREACHABLE", call)).message, "the folder does not exist");
  }
});

Deno.test("directory store does not open a pipe, which would wait for a writer", async () => {
  await using folder = await temporaryFolder();
  await new Deno.Command("mkfifo", { args: [`${folder.path}/pipe`] }).output();
  await using store = openDirectory(folder.path);
  await refused("ARTIFACT_MISSING", () => store.get("pipe"));
  assertEquals(await store.list(), []);
});
