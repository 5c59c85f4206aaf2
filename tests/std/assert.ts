/** The part of `@std/assert` that the tests use, on `node:assert`, so that nothing but npm is needed. */
import nodeAssert from "node:assert/strict";

/** Fails unless `condition` holds. */
export function assert(condition: unknown, message = "Expected a truthy value"): asserts condition {
  if (!condition) throw new nodeAssert.AssertionError({ message, actual: condition, expected: true });
}

/** Deep, strict equality. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepStrictEqual(actual, expected, message as string);
}

/** `|actual − expected| ≤ tolerance`; the default tolerance is 1e-7 relative to `expected`. NaN never passes. */
export function assertAlmostEquals(actual: number, expected: number, tolerance?: number, message = ""): void {
  const allowed = tolerance ?? 1e-7 * Math.max(1e-300, Math.abs(expected));
  if (Object.is(actual, expected) || Math.abs(actual - expected) <= allowed) return;
  throw new nodeAssert.AssertionError({
    message: `${message} Expected ${expected} ± ${allowed}, got ${actual}`.trim(),
    actual,
    expected,
  });
}

/** `actual` contains `expected`. */
export function assertStringIncludes(actual: string, expected: string, message = ""): void {
  assert(actual.includes(expected), `${message} Expected "${actual}" to contain "${expected}"`.trim());
}

/** `actual` matches `expected`. */
export function assertMatch(actual: string, expected: RegExp, message?: string): void {
  nodeAssert.match(actual, expected, message as string);
}

// deno-lint-ignore no-explicit-any -- the std signature: any constructor of an error
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

/** `fn` throws, an `ErrorClass` whose message contains `messageIncludes` where these are given; returns the error. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass?: ErrorClass<E>,
  messageIncludes = "",
): E {
  try {
    fn();
  } catch (error) {
    return checked(error, errorClass, messageIncludes);
  }
  throw new nodeAssert.AssertionError({ message: "Expected the function to throw" });
}

/** As {@linkcode assertThrows}, for a promise. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  messageIncludes = "",
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    return checked(error, errorClass, messageIncludes);
  }
  throw new nodeAssert.AssertionError({ message: "Expected the promise to reject" });
}

function checked<E extends Error>(
  error: unknown,
  errorClass: ErrorClass<E> | undefined,
  messageIncludes: string,
): E {
  assert(error instanceof (errorClass ?? Error), `Expected ${errorClass?.name ?? "an Error"}, got ${error}`);
  assertStringIncludes((error as Error).message, messageIncludes);
  return error as E;
}
