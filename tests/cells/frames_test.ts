import {
  decodeFrame,
  encodeFrame,
  FrameError,
  type FrameLimits,
  FrameReader,
} from "../../runtime/cells/frames.ts";
import { seededRandom } from "../../runtime/graph/seeded_random.ts";
import { assert, assertEquals, assertThrows } from "../std/assert.ts";

const LIMITS: FrameLimits = { frameBytes: 1 << 16, jsonBytes: 1 << 12 };

Deno.test("encodeFrame() and decodeFrame() keep numbers, texts, typed arrays and odd keys", () => {
  const body = {
    numbers: [1, -2.5, 1e300, NaN, Infinity, -Infinity, -0, 2 ** 53],
    text: "µ → \u0000 \ud83d\ude00",
    nothing: null,
    odd: { $: "f64", part: 7, ["__proto__"]: 1, toString: 2 },
    floats: Float64Array.of(1, NaN, -0),
    empty: new Float64Array(0),
    ints: Int32Array.of(-1, 5),
    bytes: Uint8Array.of(1, 2, 3),
    buffer: Uint8Array.of(9, 8).buffer,
  };
  const read = decodeFrame(encodeFrame(body, LIMITS), LIMITS) as typeof body;
  assertEquals(read, body);
  assertEquals(Object.getPrototypeOf(read.odd), Object.prototype);
});

Deno.test("encodeFrame() refuses what cannot be sent", () => {
  assertThrows(() => encodeFrame({ f: () => 1 }, LIMITS), TypeError, "function");
  assertThrows(() => encodeFrame({ s: Symbol("x") }, LIMITS), TypeError, "symbol");
  assertThrows(() => encodeFrame(new Float32Array(1), LIMITS), TypeError, "Float32Array");
  const circle: { self?: unknown } = {};
  circle.self = circle;
  assertThrows(() => encodeFrame(circle, LIMITS), TypeError, "deep");
  const large = assertThrows(() => encodeFrame(new Float64Array(1 << 14), LIMITS), FrameError);
  assertEquals(large.code, "FRAME_TOO_LARGE");
});

Deno.test("FrameReader gives the same frames however the bytes are cut", () => {
  const bodies = Array.from({ length: 20 }, (_, k) => ({ k, data: new Float64Array(k * 7).fill(k) }));
  const stream = joined(bodies.map((body) => encodeFrame(body, LIMITS)));
  const random = seededRandom(1);
  for (const longest of [1, 3, 8, 100, stream.byteLength]) {
    const reader = new FrameReader(LIMITS);
    const found: unknown[] = [];
    for (let at = 0; at < stream.byteLength;) {
      const length = 1 + Math.floor(random() * longest);
      for (const frame of reader.push(stream.subarray(at, at + length))) {
        found.push(decodeFrame(frame, LIMITS));
      }
      at += length;
    }
    assertEquals(found, bodies);
  }
});

Deno.test("FrameReader refuses a length above its limit after 8 bytes, before it allocates", () => {
  for (const [total, json] of [[0xffffffff, 8], [(1 << 16) + 8, 8], [64, (1 << 12) + 8]]) {
    const error = assertThrows(() => [...new FrameReader(LIMITS).push(head(total, json))], FrameError);
    assertEquals(error.code, "FRAME_TOO_LARGE");
  }
  for (const [total, json] of [[0, 0], [4, 0], [17, 8], [16, 7], [16, 16], [8, 8]]) {
    const error = assertThrows(() => [...new FrameReader(LIMITS).push(head(total, json))], FrameError);
    assertEquals(error.code, "FRAME_INVALID");
  }
});

Deno.test("decodeFrame() refuses broken frames with a FrameError, whatever is broken", () => {
  const bodies = [
    '{"parts":[8],"body":1}',
    '{"parts":[-1],"body":1}',
    '{"parts":[1e9],"body":1}',
    '{"parts":null,"body":1}',
    '{"body":1}',
    "[]",
    "null",
    '{"parts":[],"body":{"$":"f64","part":0}}',
    '{"parts":[],"body":{"$":"entries","entries":[1]}}',
    '{"parts":[],"body":{"$":"unknown","part":0}}',
    '{"parts":[],"body":{"$":["f64"]}}',
    '{"parts":[],"body":{"__proto__":{"polluted":1}}}',
    `{"parts":[],"body":${"[".repeat(500)}${"]".repeat(500)}}`,
    '{"parts":[],"body":',
  ];
  for (const json of bodies) {
    assertThrows(() => decodeFrame(frameOf(json), LIMITS), FrameError, "");
  }
  assertEquals(({} as { polluted?: unknown }).polluted, undefined);
});

Deno.test("decodeFrame() gives a part to one place: a copy for each that names it would be of any size", () => {
  const frame = encodeFrame({ a: new ArrayBuffer(8), b: 0 }, LIMITS);
  for (const form of ["buffer", "f64", "u8"]) {
    const json = `{"parts":[8],"body":{"a":{"$":"${form}","part":0},"b":{"$":"buffer","part":0}}}`;
    const whole = joined([frameOf(json), frame.slice(-8)]) as Uint8Array<ArrayBuffer>;
    new DataView(whole.buffer).setUint32(0, whole.byteLength, true);
    assertThrows(() => decodeFrame(whole, LIMITS), FrameError, "another's");
  }
});

Deno.test("decodeFrame() of 3,000 frames with random bytes changed gives a body or a FrameError", () => {
  const random = seededRandom(7);
  const frame = encodeFrame(
    { t: "answer", worker: 1, values: Float64Array.of(1, 2, 3), list: [{ a: NaN }] },
    LIMITS,
  );
  let refused = 0;
  for (let k = 0; k < 3_000; k++) {
    const changed = frame.slice();
    for (let j = 0; j < 1 + random() * 3; j++) {
      changed[Math.floor(random() * changed.length)] = Math.floor(random() * 256);
    }
    try {
      for (const whole of new FrameReader(LIMITS).push(changed)) decodeFrame(whole, LIMITS);
    } catch (error) {
      assert(error instanceof FrameError, String(error));
      refused++;
    }
  }
  assert(refused > 1_000);
});

function head(total: number, json: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, total, true);
  view.setUint32(4, json, true);
  return bytes;
}

function frameOf(json: string): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(json.padEnd(Math.ceil(json.length / 8) * 8));
  const frame = new Uint8Array(8 + text.byteLength);
  frame.set(head(frame.byteLength, text.byteLength));
  frame.set(text, 8);
  return frame;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}
