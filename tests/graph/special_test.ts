import { assert, assertEquals } from "@std/assert";
import { erf, erfc, exp, gelu, normalCdf, sigmoid, tanh } from "../../runtime/graph/special.ts";

// Oracle: the Taylor series in fixed point with so many bits that its cancellation does not matter.
const BITS = 2600n;
const ONE = 1n << BITS;

function fixed(x: number): bigint {
  return BigInt(Math.round(x * 2 ** 40)) << (BITS - 40n);
}

/** The test points are multiples of 2^-40, so that `fixed` is exact. */
function points(from: number, to: number, count: number): number[] {
  return Array.from(
    { length: count },
    (_, i) => Math.round((from + (to - from) * i / (count - 1)) * 2 ** 40) / 2 ** 40,
  );
}

function toNumber(value: bigint): number {
  const negative = value < 0n;
  const digits = negative ? -value : value;
  const excess = BigInt(Math.max(0, digits.toString(2).length - 64));
  const result = Number(digits >> excess) * 2 ** Number(excess - BITS + 1000n) * 2 ** -1000;
  return negative ? -result : result;
}

/** √π/2·erf(x) = Σ (−1)^k x^(2k+1) / (k! (2k+1)). */
function series(x: bigint): bigint {
  const square = x * x >> BITS;
  let power = x;
  let total = 0n;
  for (let k = 1n; power !== 0n; k++) {
    total += power / (2n * k - 1n);
    power = -(power * square >> BITS) / k;
  }
  return total;
}

function squareRoot(value: bigint): bigint {
  let root = 1n << BigInt(value.toString(2).length / 2 + 1 | 0);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Machin: π/4 = 4 atan(1/5) − atan(1/239). */
function pi(): bigint {
  const atanInverse = (n: bigint) => {
    let power = ONE / n;
    let total = 0n;
    for (let k = 1n; power !== 0n; k += 2n) {
      total += power / k;
      power = -power / (n * n);
    }
    return total;
  };
  return 4n * (4n * atanInverse(5n) - atanInverse(239n));
}

const HALF_ROOT_PI = squareRoot(pi() * ONE) / 2n;

function relativeError(actual: number, expected: number): number {
  return Math.abs(actual - expected) / Math.abs(expected);
}

Deno.test("erf() and erfc() agree with a 2600-bit series to 1e-15 relative", () => {
  for (const x of [...points(-3, 3, 97), ...points(3, 26, 47)]) {
    if (x === 0) continue;
    const exact = series(fixed(x)) * ONE / HALF_ROOT_PI;
    assert(relativeError(erf(x), toNumber(exact)) < 1e-15, `erf(${x})`);
    assert(
      relativeError(erfc(x), toNumber(ONE - exact)) < 1e-15,
      `erfc(${x}) = ${erfc(x)}, not ${toNumber(ONE - exact)}`,
    );
  }
});

Deno.test("gelu() agrees with the series to 2e-15 relative (plus the rounding of x/√2)", () => {
  for (const x of points(-8, 8, 65)) {
    if (x === 0) continue;
    const scaled = fixed(x) * ONE / squareRoot(2n * ONE * ONE);
    const exact = toNumber((ONE + series(scaled) * ONE / HALF_ROOT_PI) / 2n * fixed(x) >> BITS);
    assert(relativeError(gelu(x), exact) < 2e-15 + 2e-16 * x * x, `gelu(${x}) = ${gelu(x)}, not ${exact}`);
  }
});

Deno.test("erf(), gelu() and sigmoid() are right at zero, at infinity and for NaN", () => {
  assertEquals([erf(0), erf(Infinity), erf(-Infinity), erf(NaN)], [0, 1, -1, NaN]);
  assertEquals([erfc(0), erfc(Infinity), erfc(-Infinity), erfc(NaN)], [1, 0, 2, NaN]);
  assertEquals([gelu(0), gelu(Infinity), gelu(-Infinity), gelu(NaN)], [0, Infinity, 0, NaN]);
  assertEquals([sigmoid(0), sigmoid(Infinity), sigmoid(-Infinity), sigmoid(NaN)], [0.5, 1, 0, NaN]);
  assert(relativeError(sigmoid(-700), Math.exp(-700)) < 1e-15);
  assertEquals(normalCdf(0), 0.5);
});

Deno.test("exp() and tanh() are within 4e-16 relative of the library's, and right at the ends of the range", () => {
  for (let k = 0; k < 40_000; k++) {
    const x = (k / 20_000 - 1) * (k % 3 === 0 ? 700 : k % 3 === 1 ? 20 : 0.7);
    if (x === 0) continue;
    assert(relativeError(exp(x), Math.exp(x)) < 4e-16, `exp(${x})`);
    assert(relativeError(tanh(x), Math.tanh(x)) < 5e-16, `tanh(${x})`);
  }
  assertEquals([exp(0), exp(-0), exp(Infinity), exp(-Infinity), exp(710), exp(-746), exp(NaN)], [
    1,
    1,
    Infinity,
    0,
    Infinity,
    0,
    NaN,
  ]);
  assertEquals([tanh(0), tanh(Infinity), tanh(-Infinity), tanh(NaN), tanh(1e-300)], [0, 1, -1, NaN, 1e-300]);
  for (const x of [-708.5, -720, -740, -745, 709.7]) {
    assert(Math.abs(exp(x) - Math.exp(x)) <= Math.max(Math.exp(x) * 4e-16, Number.MIN_VALUE), `exp(${x})`);
  }
});
