import { assert, assertEquals } from "@std/assert";
import { GraphError } from "../../runtime/graph/expr.ts";
import { readScalers } from "../../runtime/graph/scaler_file.ts";
import { lowerTorch } from "../../runtime/graph/torch_lower.ts";
import { readZip } from "../../runtime/graph/zip_reader.ts";
import { makeZip } from "../graph/zip_writer.ts";

const FOLDER = new URL("../fixtures/torch/", import.meta.url);
const MUTANTS_PER_FILE = 625;
const FILES = [
  ...[
    "zip_protocol2.pth",
    "zip_protocol4.pth",
    "zip_half.pth",
    "checkpoint.pth",
    "layer_norm.pth",
    "views.pth",
  ],
  ...["legacy_protocol2.pth", "legacy_protocol5.pth", "legacy_double.pth", "views_legacy.pth"],
  ...[
    "scalers_new_protocol0.pkl",
    "scalers_new_protocol2.pkl",
    "scalers_new_protocol5.pkl",
    "scalers_old_protocol4.pkl",
  ],
  ...["scalers_new.joblib", "scalers_old.joblib"],
];

type Random = () => number;

/** Uniform in [0, 1): mulberry32. */
function seeded(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A few bytes changed, or a piece removed, repeated or cut off. */
function mutate(original: Uint8Array, random: Random): Uint8Array {
  const at = Math.floor(random() * original.length);
  const length = 1 + Math.floor(random() * Math.min(24, original.length - at));
  const head = original.subarray(0, at);
  switch (Math.floor(random() * 8)) {
    case 0:
      return head.slice();
    case 1:
      return Uint8Array.of(...head, ...original.subarray(at + length));
    case 2:
      return Uint8Array.of(...head, ...original.subarray(at, at + length), ...original.subarray(at));
    default: {
      const changed = original.slice();
      for (let i = 0; i < 1 + random() * 4; i++) {
        changed[Math.floor(random() * changed.length)] = random() < 0.5
          ? Math.floor(random() * 256)
          : changed[Math.floor(random() * changed.length)];
      }
      return changed;
    }
  }
}

/** Inside of an archive the checksums are made right again: a random change would never get past them. */
function mutateFile(file: string, original: Uint8Array, random: Random): Uint8Array {
  if (!file.endsWith(".pth") || file.includes("legacy") || random() < 0.1) return mutate(original, random);
  const contents = Object.fromEntries([...readZip(original)].map(([name, { bytes }]) => [name, bytes]));
  const names = Object.keys(contents);
  const pickle = names.find((name) => name.endsWith("/data.pkl"))!;
  const chosen = random() < 0.8 ? pickle : names[Math.floor(random() * names.length)];
  if (contents[chosen].length > 0) contents[chosen] = mutate(contents[chosen], random);
  return makeZip(contents);
}

function isSound(file: string, bytes: Uint8Array): boolean {
  if (!file.endsWith(".pth")) {
    return [...readScalers(bytes).values()].every(({ scale, offset }) =>
      scale !== 0 && Number.isFinite(scale + offset)
    );
  }
  const { graph, sources, outputs } = lowerTorch(bytes, { outputActivation: "identity" });
  return sources > 0 && outputs.every((id) => graph.nodes[id].length === 1);
}

/** What an error says when a file was not even taken for one of its kind. */
const HEADER = /zip archive|magic number|one data\.pkl|compressed with|expected a zip/;

Deno.test("10,000 mutants of model and scaler files are an error of the reader or a sound model", () => {
  const random = seeded(20263);
  let [total, sound, deep] = [0, 0, 0];
  for (const file of FILES) {
    const original = Deno.readFileSync(new URL(file, FOLDER));
    for (let i = 0; i < MUTANTS_PER_FILE; i++) {
      const mutant = mutateFile(file, original, random);
      total++;
      try {
        assert(isSound(file, mutant), `${file}, mutant ${i}`);
        sound++;
      } catch (error) {
        if (!(error instanceof GraphError)) throw new Error(`${file}, mutant ${i}`, { cause: error });
        if (!HEADER.test(error.message)) deep++;
      }
    }
  }
  assertEquals(total, 10_000);
  assert(sound + deep > 0.3 * total, `${sound + deep} of ${total} got past the header`);
});

Deno.test("Every beginning of a model or scaler file is an error of the reader or a sound model", () => {
  for (
    const file of ["legacy_protocol4.pth", "views.pth", "scalers_old_protocol2.pkl", "scalers_new.joblib"]
  ) {
    const original = Deno.readFileSync(new URL(file, FOLDER));
    for (let length = 0; length < original.length; length++) {
      try {
        assert(isSound(file, original.subarray(0, length)), `${file}, ${length} bytes`);
      } catch (error) {
        assert(error instanceof GraphError, `${file}, ${length} bytes: ${error}`);
      }
    }
  }
});
