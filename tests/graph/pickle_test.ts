import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { GraphError } from "../../runtime/graph/expr.ts";
import { readPickle } from "../../runtime/graph/pickle.ts";
import type { PickleValue } from "../../runtime/graph/pickle_value.ts";
import { readScalers } from "../../runtime/graph/scaler_file.ts";

type Part = string | number | Uint8Array;

/** Bytes from texts, whose characters are one byte each, and numbers. */
function bytes(...parts: readonly Part[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => {
    if (typeof part === "number") return [part];
    return typeof part === "string" ? [...part].map((letter) => letter.charCodeAt(0)) : [...part];
  }));
}

function int32(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

function int64(value: bigint): Uint8Array {
  return new Uint8Array(BigInt64Array.of(value).buffer);
}

function refusal(data: Uint8Array): string {
  return assertThrows(() => readPickle(data), GraphError).message;
}

/** Lists and tuples as arrays, dicts as maps. */
function plain(value: PickleValue): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  if (value.kind === "list" || value.kind === "tuple") return value.items.map(plain);
  return value.kind === "dict" ? new Map([...value.entries].map(([key, v]) => [key, plain(v)])) : value.kind;
}

Deno.test("readPickle() reads the numbers, texts and containers of protocol 0 as CPython writes them", () => {
  const text =
    "(dp0\nVname\np1\n(lp2\nI3\naL5000000000L\naF-2.5\naI01\naNaV\\u00fcber \\u005c\np3\nasVpair\np4\n(I1\ng1\ntp5\ns.";
  const { value, end } = readPickle(bytes(text));
  assertEquals(
    plain(value),
    new Map<string, unknown>([["name", [3, 5000000000, -2.5, true, null, "über \\"]], ["pair", [1, "name"]]]),
  );
  assertEquals(end, text.length);
});

Deno.test("readPickle() reads binary integers of every width and sign", () => {
  const read = (...parts: readonly Part[]) => readPickle(bytes(...parts, ".")).value;
  assertEquals(read("K", 255), 255);
  assertEquals(read("M", 1, 2), 513);
  assertEquals(read("J", int32(-7)), -7);
  assertEquals(read("\x8a", 0), 0);
  assertEquals(read("\x8a", 1, 0xff), -1);
  assertEquals(read("\x8a", 2, 0xff, 0x00), 255);
  assertEquals(read("\x8a", 8, int64(-(2n ** 53n) + 1n)), -(2 ** 53) + 1);
  assertEquals(read("\x8a", 8, int64(2n ** 62n)), 2n ** 62n);
  assertEquals(read("\x8b", int32(3), 0, 0, 1), 65536);
});

Deno.test("readPickle() stops at STOP and leaves what follows", () => {
  assertEquals(readPickle(bytes("garbageK\x05.more"), { start: 7 }), { value: 5, end: 10 });
});

Deno.test("readPickle() keeps __proto__ and constructor as ordinary names", () => {
  const { value } = readPickle(bytes("(dV__proto__\nI1\nsVconstructor\nI2\ns."));
  assertEquals(plain(value), new Map([["__proto__", 1], ["constructor", 2]]));
  assertEquals(({} as Record<string, unknown>)["1"], undefined);
});

Deno.test("readPickle() refuses what would run code, naming it, in each way that pickle knows", () => {
  const attempts = [
    "cos\nsystem\n(Vecho\ntR.",
    "\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04echo\x85R.",
    "cbuiltins\neval\n(V1\ntR.",
    "c__builtin__\ngetattr\n.",
    "csubprocess\nPopen\n)\x81.",
    "cnumpy\nload\n.",
    "ctorch\nload\n.",
  ];
  for (const attempt of attempts) {
    const message = refusal(bytes(attempt));
    assertStringIncludes(message, "code in a file is never run");
    assert(
      /"(os\.system|(__)?builtins?(__)?\.(eval|getattr)|subprocess\.Popen|numpy\.load|torch\.load)"/.test(
        message,
      ),
    );
  }
});

Deno.test("readPickle() names operations that it does not have", () => {
  assertStringIncludes(refusal(bytes("(ios\nsystem\n.")), "INST at byte 1");
  assertStringIncludes(refusal(bytes("\x82\x01.")), "EXT1");
  assertStringIncludes(refusal(bytes("P1\n.")), "PERSID");
  assertStringIncludes(refusal(bytes("\xff")), "0xff");
  assertStringIncludes(refusal(bytes("VX\nQ.")), "outside");
  assertStringIncludes(refusal(bytes("\x80\x06N.")), "protocol 6");
});

Deno.test("readPickle() calls known classes only as their files do", () => {
  assertStringIncludes(refusal(bytes("cnumpy\nndarray\n)R.")), "expected a known function");
  assertStringIncludes(refusal(bytes("cnumpy\nndarray\n)\x81.")), "expected a known class");
  assertStringIncludes(refusal(bytes("ccollections\nOrderedDict\n(NtR.")), "expected none");
  assertStringIncludes(refusal(bytes("c_codecs\nencode\n(Vabc\nVrot13\ntR.")), "rot13");
  assertStringIncludes(refusal(bytes("NN\x85R.")), "calls None");
  assertStringIncludes(refusal(bytes("N}b.")), "state to None");
});

Deno.test("readPickle() refuses sizes that the file does not have, before it takes memory", () => {
  const huge = 2n ** 60n;
  assertStringIncludes(refusal(bytes("\x8e", int64(huge), "x.")), "mid-value");
  assertStringIncludes(refusal(bytes("\x8d", int64(huge), "x.")), "mid-value");
  assertStringIncludes(refusal(bytes("\x96", int64(huge), "x.")), "mid-value");
  assertStringIncludes(refusal(bytes("X", int32(-1), "x.")), "mid-value");
  assertStringIncludes(refusal(bytes("\x8b", int32(0x7fffffff), "x.")), "an integer has");
  assertStringIncludes(refusal(bytes("\x95", int64(huge), "N.")), "a frame has");
  assertStringIncludes(refusal(bytes("Nr", int32(-2), ".")), "stores under the number");
  assertStringIncludes(refusal(bytes("I", "9".repeat(500), "\n.")), "a number has");
  const array = (shape: string) =>
    bytes(
      "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nI0\nC\x01btR(I1\n(",
      shape,
      "tcnumpy\ndtype\n",
      "(Vf8\nI0\nI1\ntRI00\nC\x00tb.",
    );
  assertStringIncludes(refusal(array("I4294967296\nI4294967296\n")), "at most");
  assertStringIncludes(refusal(array("I1000\n")), "needs 8000");
  assertStringIncludes(refusal(array("I-1\n")), "a dimension is -1");
  assertStringIncludes(refusal(array("I1\n".repeat(100))), "100 dimensions");
});

Deno.test("readPickle() takes only as many operations and containers as a real file can have", () => {
  assertStringIncludes(refusal(bytes("N0".repeat(1_100_000))), "operations");
  assertStringIncludes(refusal(bytes("}".repeat(300_000))), "lists, tuples, dicts");
  assertStringIncludes(refusal(bytes("(".repeat(300_000))), "mid-value");
});

Deno.test("readPickle() reads lists in each other 90,000 deep without recursion", () => {
  const depth = 90_000;
  const { value } = readPickle(bytes("]".repeat(depth) + "a".repeat(depth - 1) + "."));
  assertEquals(Array.isArray((value as { items: unknown }).items), true);
  assertThrows(
    () => readScalers(bytes("]".repeat(depth) + "a".repeat(depth - 1) + ".")),
    GraphError,
    "holds a list",
  );
});

Deno.test("readPickle() keeps ten lists of ten lists … 30 levels deep as small as the file", () => {
  const level = (n: number) => `(${`g${n - 1}\n`.repeat(10)}lp${n}\n0`;
  const laughs = "(lp0\n0" + Array.from({ length: 30 }, (_, i) => level(i + 1)).join("") + "g30\n.";
  assertThrows(() => readScalers(bytes(laughs)), GraphError, "holds a list");
});

Deno.test("readPickle() encodes a text no more often than the file has room for", () => {
  const once = "c_codecs\nencode\n(g0\nVlatin1\ntR0";
  assertStringIncludes(
    refusal(bytes(`V${"x".repeat(100_000)}\np0\n`, once.repeat(1000), "N.")),
    "encodes more text",
  );
});

Deno.test("readPickle() takes each state once", () => {
  assertStringIncludes(refusal(bytes("ccollections\nOrderedDict\n)R}b}b.")), "twice");
  assertStringIncludes(
    refusal(bytes("csklearn.preprocessing._data\nMinMaxScaler\n)\x81}b}b.")),
    "MinMaxScaler gets its state twice",
  );
});

Deno.test("readPickle() refuses a stack that does not have what an operation takes", () => {
  for (
    const text of [
      ".",
      "a.",
      "0.",
      "s.",
      "t.",
      "R.",
      "b.",
      "\x93.",
      "\x87.",
      "(a.",
      "(N(a.",
      "u.",
      "g5\n.",
      "p0\n.",
    ]
  ) {
    assertThrows(() => readPickle(bytes(text)), GraphError);
  }
});
