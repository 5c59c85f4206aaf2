import { assert, assertEquals } from "@std/assert";
import { seededRandom } from "../../runtime/graph/seeded_random.ts";

const drawn = (seed: number | string, count: number) => Array.from({ length: count }, seededRandom(seed));

Deno.test("seededRandom() draws the same numbers for a seed, others for another, text or number", () => {
  assertEquals(drawn("kiln", 5), drawn("kiln", 5));
  const firsts = ["", "a", "b", "ab", "ba", "kiln", 0, 1, 2, -1, 2 ** 31].map((seed) => drawn(seed, 1)[0]);
  assertEquals(new Set(firsts).size, firsts.length);
});

Deno.test("seededRandom() is uniform: mean, variance and 100 bins of 100,000 numbers", () => {
  for (const seed of [1, "kiln"]) {
    const numbers = drawn(seed, 100_000);
    assert(numbers.every((x) => x >= 0 && x < 1));
    const mean = numbers.reduce((sum, x) => sum + x) / numbers.length;
    const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length;
    // 5 standard deviations of each estimate
    assert(Math.abs(mean - 0.5) < 5 * Math.sqrt(1 / 12 / 1e5), String(mean));
    assert(Math.abs(variance - 1 / 12) < 5 * Math.sqrt(1 / 180 / 1e5), String(variance));
    const bins = new Float64Array(100);
    for (const x of numbers) bins[Math.floor(100 * x)]++;
    const chi = bins.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    // 99 degrees of freedom: below 180 with all but 1e-6
    assert(chi < 180, String(chi));
  }
});
