import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { crc32 } from "../../runtime/graph/crc32.ts";
import { GraphError } from "../../runtime/graph/expr.ts";
import { checkEntry, isZip, readZip } from "../../runtime/graph/zip_reader.ts";
import { makeZip } from "./zip_writer.ts";

const TEXT = new TextEncoder();
const FILES = { "a/one": TEXT.encode("first"), "a/two": TEXT.encode(""), "a/three": TEXT.encode("third") };

function refusal(bytes: Uint8Array): string {
  return assertThrows(() => [...readZip(bytes).values()].forEach(checkEntry), GraphError).message;
}

/** The archive with the bytes at `at` from the start, or from the end where negative, replaced. */
function changed(at: number, ...values: readonly number[]): Uint8Array {
  const bytes = makeZip(FILES);
  bytes.set(values, at < 0 ? bytes.length + at : at);
  return bytes;
}

Deno.test("crc32() is the checksum of the published check value", () => {
  assertEquals(crc32(TEXT.encode("123456789")), 0xcbf43926);
  assertEquals(crc32(new Uint8Array(0)), 0);
});

Deno.test("readZip() gives the entries that were stored, also behind a comment", () => {
  for (const bytes of [makeZip(FILES), makeZip(FILES, { comment: "PK\x05\x06 not the end" })]) {
    assert(isZip(bytes));
    const entries = readZip(bytes);
    assertEquals([...entries.keys()], Object.keys(FILES));
    assertEquals(new TextDecoder().decode(checkEntry(entries.get("a/three")!)), "third");
  }
});

Deno.test("readZip() refuses an archive that was cut off at any byte", () => {
  const bytes = makeZip(FILES);
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => readZip(bytes.subarray(0, length)), GraphError);
  }
});

Deno.test("readZip() names what is wrong", () => {
  const first = 30;
  const directory = 3 * (30 + 5) + 2 + 10;
  assertStringIncludes(refusal(changed(first + 5, 0x58)), 'checksum of its entry "a/one"');
  assertStringIncludes(refusal(changed(first, 0x62)), "differs from the directory");
  assertStringIncludes(refusal(changed(directory + 8, 1)), "encrypted");
  assertStringIncludes(refusal(changed(directory + 10, 8)), "differs from the directory");
  assertStringIncludes(refusal(changed(directory + 20, 0, 0, 0, 1)), "two sizes");
  assertStringIncludes(refusal(changed(directory + 20, 0, 0, 0, 1, 0, 0, 0, 1)), "beyond the archive");
  assertStringIncludes(refusal(changed(directory + 42, 9)), "not where the directory says");
  assertStringIncludes(refusal(changed(-10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)), "zip64");
  assertStringIncludes(refusal(changed(-6, 0xff, 0xff, 0xff, 0x7f)), "outside");
  assertStringIncludes(refusal(changed(-14, 9, 0, 9, 0)), "entry 4 of its directory is missing");
});

Deno.test("readZip() refuses two entries of one name, and two that share bytes", () => {
  const twice = makeZip({ "a/one": FILES["a/one"], "b/one": FILES["a/one"] });
  for (let at = 0; at < twice.length; at++) if (twice[at] === 0x62) twice[at] = 0x61;
  assertStringIncludes(refusal(twice), 'two entries "a/one"');
  assertStringIncludes(
    refusal(makeZip({ "a/one": FILES["a/one"], "a/two": FILES["a/one"] }, {
      startsOf: () => 0,
      nameOf: () => "a/one",
    })),
    "overlaps",
  );
});

Deno.test("checkEntry() refuses a compressed entry, and others of the archive stay readable", () => {
  const entries = readZip(makeZip(FILES, { compressed: "a/two" }));
  assertThrows(() => checkEntry(entries.get("a/two")!), GraphError, "compressed");
  assertEquals(checkEntry(entries.get("a/one")!).length, 5);
});
