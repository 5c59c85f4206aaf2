import { assert, assertEquals } from "@std/assert";
import { Graph } from "../../runtime/graph/expr.ts";
import { lowerFormula, parseFormula, printFormula } from "../../runtime/graph/formula.ts";
import { lowerOnnx } from "../../runtime/graph/onnx.ts";
import { externalDataNames } from "../../runtime/graph/onnx_external.ts";
import { readScalers } from "../../runtime/graph/scaler_file.ts";
import { seededRandom } from "../../runtime/graph/seeded_random.ts";
import { compileTape } from "../../runtime/graph/tape.ts";
import { lowerTorch } from "../../runtime/graph/torch_lower.ts";
import { type Mutant, mutate, mutateArchive, printOutcome, type Random, readAll } from "./mutants.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);
const COUNT = 10_000;
/** Least share that gets past the header checks: else nothing behind them is tried. */
const PAST = 0.3;
/** The readers' own limits are far below; V8 collects when it likes. */
const MEMORY_MB = 1024;

const TORCH_FILES = [
  ...[
    "zip_protocol2.pth",
    "zip_protocol4.pth",
    "zip_half.pth",
    "checkpoint.pth",
    "layer_norm.pth",
    "views.pth",
  ],
  ...["legacy_protocol2.pth", "legacy_protocol5.pth", "legacy_double.pth", "views_legacy.pth", "nested.pth"],
];
const SCALER_FILES = [
  ...["scalers_new_protocol0.pkl", "scalers_new_protocol2.pkl", "scalers_new_protocol5.pkl"],
  ...["scalers_old_protocol4.pkl", "scalers_new.joblib", "scalers_old.joblib"],
];

/** Every original in turn, changed; what it becomes is `read`. */
function* mutants(
  folder: string,
  names: readonly string[],
  change: (name: string, original: Uint8Array, random: Random) => Uint8Array,
  read: (bytes: Uint8Array) => void,
): Generator<Mutant> {
  const random = seededRandom(20263);
  const originals = names.map((name) => Deno.readFileSync(new URL(`${folder}/${name}`, FIXTURES)));
  for (let i = 0; i < COUNT; i++) {
    const name = names[i % names.length];
    const bytes = change(name, originals[i % names.length], random);
    yield { name, read: () => read(bytes) };
  }
}

/** What a sound model has: numbers for every output. */
function evaluated(graph: Graph, sources: number, outputs: readonly number[]): void {
  assert(outputs.every((id) => graph.nodes[id].length === 1));
  const tape = compileTape(graph, { variables: 0, parameters: sources, outputs: [...outputs] });
  tape.setParameters(new Float64Array(sources).fill(0.5));
  tape.value(new Float64Array(0), new Float64Array(outputs.length));
}

function readOnnxFile(bytes: Uint8Array): void {
  externalDataNames(bytes);
  const model = lowerOnnx(bytes);
  if (model.opaque !== undefined) return;
  const { graph, sources, outputs } = model.expression;
  evaluated(graph, sources, outputs);
}

function readTorchFile(bytes: Uint8Array): void {
  const { graph, sources, outputs } = lowerTorch(bytes, { outputActivation: "identity" });
  assert(sources > 0);
  evaluated(graph, sources, outputs);
}

function readScalerFile(bytes: Uint8Array): void {
  for (const { scale, offset, min, max } of readScalers(bytes).values()) {
    assert(scale !== 0 && Number.isFinite(scale + offset));
    assert(min === undefined || min <= max!);
  }
}

/** Printed and read again it is the same formula. */
function readFormula(text: string): void {
  const ast = parseFormula(text);
  const printed = printFormula(ast);
  assertEquals(printFormula(parseFormula(printed)), printed);
  const graph = new Graph();
  lowerFormula(graph, ast, () => graph.parameter(0));
}

function* formulas(): Generator<Mutant> {
  const { formulas } = JSON.parse(Deno.readTextFileSync(new URL("formulas.json", FIXTURES)));
  const random = seededRandom(20264);
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder()];
  const pieces = [
    "(",
    ")",
    "**",
    " if ",
    " else ",
    "1e308",
    "-",
    "max(",
    ",",
    " and ",
    "<",
    "0",
    "x",
    "%",
    "//",
    "é",
  ];
  for (let i = 0; i < COUNT; i++) {
    const [name] = formulas[i % formulas.length] as [string];
    const at = Math.floor(random() * (name.length + 1));
    const piece = pieces[Math.floor(random() * pieces.length)];
    const choice = random();
    const text = choice < 0.4
      ? decoder.decode(mutate(encoder.encode(name), random))
      : choice < 0.8
      ? name.slice(0, at) + piece + name.slice(at + Math.floor(random() * 3))
      : name.slice(0, at) + piece.repeat(Math.floor(random() * 300)) + name.slice(at);
    yield { name, read: () => readFormula(text) };
  }
}

const ONNX_FILES = [...Deno.readDirSync(new URL("onnx/", FIXTURES))].map(({ name }) => name)
  .filter((name) => name.endsWith(".onnx")).sort();

const KINDS: readonly (readonly [string, () => Iterable<Mutant>, RegExp])[] = [
  [
    "ONNX models",
    () => mutants("onnx", ONNX_FILES, (_, original, random) => mutate(original, random), readOnnxFile),
    /^Cannot read the model/,
  ],
  [
    ".pth networks",
    () =>
      mutants(
        "torch",
        TORCH_FILES,
        (name, original, random) => (name.includes("legacy") ? mutate : mutateArchive)(original, random),
        readTorchFile,
      ),
    /zip archive|magic number|one data\.pkl/,
  ],
  [
    ".pkl scalers",
    () => mutants("torch", SCALER_FILES, (_, original, random) => mutate(original, random), readScalerFile),
    /compressed with|protocol \d+, expected/,
  ],
  ["formulas", formulas, /^Cannot read the formula: it is empty/],
];

for (const [what, all, header] of KINDS) {
  Deno.test(`${COUNT} mutants of ${what} are a known error or sound, each within a second`, async (t) => {
    const outcome = readAll(all(), header);
    assertEquals(outcome.total, COUNT);
    assert(outcome.sound + outcome.deep >= PAST * COUNT, printOutcome(outcome));
    assert(outcome.grownMb < MEMORY_MB, printOutcome(outcome));
    // Its name is the report.
    await t.step(printOutcome(outcome), () => {});
  });
}
