import { decodeJson, encodeJson } from "../../runtime/journal/json.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";

function roundTrip(value: unknown): unknown {
  return decodeJson(encodeJson(value));
}

Deno.test("every double survives the round trip bit for bit", () => {
  const numbers = [
    0,
    -0,
    1,
    -1.5,
    0.1,
    1 / 3,
    NaN,
    Infinity,
    -Infinity,
    Number.MIN_VALUE,
    Number.MAX_VALUE,
    2 ** 53,
  ];
  for (const number of numbers) {
    assert(Object.is(roundTrip(number), number), String(number));
    assert(Object.is((roundTrip({ a: [number] }) as { a: number[] }).a[0], number), String(number));
  }
});

Deno.test("values that look like the encoding stay what they are", () => {
  const values = [
    { $number: "NaN" },
    { $number: NaN },
    { $number: "Infinity", other: 1 },
    { $$number: "NaN" },
    { "$": 1, "$$": [NaN] },
    { a: { $number: "5" } },
    '"$number"',
    { "a$": -0 },
  ];
  for (const value of values) assertEquals(roundTrip(value), value);
});

Deno.test("encodeJson() writes plain JSON where it can", () => {
  const value = { a: [1, "x", null, true], b: { c: {} } };
  assertEquals(encodeJson(value), JSON.stringify(value));
  assertEquals(encodeJson({ a: NaN }), '{"a":{"$number":"NaN"}}');
});

Deno.test("typed arrays become arrays, undefined is as in JSON", () => {
  assertEquals(roundTrip({ x: new Float64Array([1, NaN]) }), { x: [1, NaN] });
  assertEquals(roundTrip({ x: new Float64Array([1, 2]) }), { x: [1, 2] });
  assertEquals(roundTrip({ a: undefined, b: [undefined] }), { b: [null] });
  assertEquals(roundTrip({ a: undefined, b: NaN }), { b: NaN });
  assertEquals(roundTrip(undefined), null);
  assertEquals(roundTrip(new Date(0)), "1970-01-01T00:00:00.000Z");
});

Deno.test("a key __proto__ reaches no prototype", () => {
  const text = '{"__proto__":{"polluted":{"$number":"NaN"}},"$x":1}';
  const value = roundTrip(JSON.parse(text)) as Record<string, unknown>;
  assertEquals(Object.keys(value), ["__proto__", "$x"]);
  assertEquals(({} as Record<string, unknown>).polluted, undefined);
});

Deno.test("encodeJson() refuses what never ends and what JSON has not", () => {
  const ring: Record<string, unknown> = {};
  ring.self = ring;
  assertThrows(() => encodeJson(ring), TypeError);
  assertThrows(() => encodeJson({ a: 1n }), TypeError);
});
