import { assert, assertAlmostEquals, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { GraphError } from "../../runtime/graph/expr.ts";
import { readScalers } from "../../runtime/graph/scaler_file.ts";

const FOLDER = new URL("../fixtures/torch/", import.meta.url);

interface Expected {
  readonly points: readonly number[];
  readonly files: readonly string[];
  readonly scalers: Readonly<
    Record<string, { readonly transformed: readonly number[]; readonly min?: number; readonly max?: number }>
  >;
  readonly columnFiles: readonly string[];
  readonly columns: Readonly<
    Record<string, { readonly points: readonly number[]; readonly transformed: readonly number[] }>
  >;
  readonly refused?: readonly { readonly file: string; readonly message: string }[];
}

function expected(era: string): Expected {
  return JSON.parse(Deno.readTextFileSync(new URL(`expected_scalers_${era}.json`, FOLDER)));
}

function read(file: string): Uint8Array {
  return Deno.readFileSync(new URL(file, FOLDER));
}

function assertClose(actual: number, wanted: number): void {
  assertAlmostEquals(actual, wanted, 1e-12 * Math.max(1, Math.abs(wanted)));
}

for (const era of ["new", "old"]) {
  const { points, files, scalers, columnFiles, columns } = expected(era);
  for (const file of files) {
    Deno.test(`readScalers() scales as scikit-learn's transform for ${file}, to 1e-12`, () => {
      const result = readScalers(read(file));
      assertEquals([...result.keys()], Object.keys(scalers));
      for (const [name, { transformed, min, max }] of Object.entries(scalers)) {
        const scaler = result.get(name)!;
        // In float32 scikit-learn keeps its attributes, not its arithmetic: 1e-12 holds there too.
        points.forEach((x, i) => assertClose(scaler.scale * x + scaler.offset, transformed[i]));
        if (min !== undefined) assertEquals([scaler.min, scaler.max], [min, max]);
      }
    });
  }
  for (const file of columnFiles) {
    Deno.test(`readScalers() gives the scaler of each named column of ${file}`, () => {
      const result = readScalers(read(file));
      assertEquals([...result.keys()], Object.keys(columns));
      for (const [name, { points, transformed }] of Object.entries(columns)) {
        const { scale, offset } = result.get(name)!;
        points.forEach((x, i) => assertClose(scale * x + offset, transformed[i]));
      }
    });
  }
}

for (const { file, message } of expected("new").refused!) {
  Deno.test(`readScalers() refuses ${file} with a message that says ${message}`, () => {
    const error = assertThrows(() => readScalers(read(file)), GraphError);
    assertStringIncludes(error.message, message);
  });
}

Deno.test("readScalers() says that code in a file is never run", () => {
  const error = assertThrows(() => readScalers(read("payload.pkl")), GraphError);
  assertStringIncludes(error.message, "never run");
  const other = assertThrows(() => readScalers(read("other_class.pkl")), GraphError);
  assertStringIncludes(other.message, "; expected StandardScaler, MinMaxScaler, RobustScaler, MaxAbsScaler");
  assertStringIncludes(assertThrows(() => readScalers(new Uint8Array(0)), GraphError).message, "it is empty");
});

Deno.test("readScalers() reports the range only of scalers that remember it", () => {
  const scalers = readScalers(read("scalers_new_protocol4.pkl"));
  assert(!("min" in scalers.get("robust")!) && !("max" in scalers.get("robust")!));
  const standard = scalers.get("standard")!;
  const [mean, deviation] = [-standard.offset / standard.scale, 1 / standard.scale];
  assertAlmostEquals(standard.min!, mean - 3 * deviation, 1e-9);
  assertAlmostEquals(standard.max!, mean + 3 * deviation, 1e-9);
  const { min, max } = scalers.get("max_abs")!;
  assertEquals(min, -max!);
});
