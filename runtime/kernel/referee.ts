/** Asks ONNX Runtime whether a model that became part of the graph still computes what its file says. */
import { sha256 } from "../artifacts/digest.ts";
import type { OnnxHost, OnnxModelFiles } from "../cells/onnx_host.ts";
import type { Clock } from "../clock.ts";
import { SetpointError } from "../errors.ts";
import type { ModelSample, SkillSpec } from "../graph/skill.ts";
import type { Activation } from "./activation.ts";
import { onnxModelOf } from "./onnx_model.ts";

/** A model without golden vectors, and what its graph answers at points of its training range. */
export interface RefereeCase {
  readonly spec: SkillSpec;
  readonly sample: ModelSample;
}

/** A strategy that is judged. */
export type Judged = Pick<Activation, "samples" | "trust" | "hold">;

export interface RefereeOptions {
  readonly clock: Clock;
  readonly log: (level: "info" | "warn", message: string) => void;
  readonly onnx: Pick<OnnxHost, "load" | "evaluate" | "unload">;
  /** Where verdicts are kept, as JSON. */
  readonly file: string;
}

/** The answer that was just computed goes out first. */
const DELAY_MS = 50;
/** Differences from ONNX Runtime that are allowed: a share of the output's range, and of its size (it has 32 bits). */
const SPREAD = 1e-5;
const SIZE = 1e-6;
/** Of the file with the verdicts. */
const VERSION = 2;
const MOST_VERDICTS = 500;
const MOST_TRIES = 3;

const RESULTS = ["agrees", "differs", "unable"] as const;

/** unable: ONNX Runtime cannot run the model. */
interface Verdict {
  readonly result: (typeof RESULTS)[number];
  readonly why?: string;
}

export class Referee implements AsyncDisposable {
  readonly #options: RefereeOptions;
  /** By digest of model, points and answers, the oldest first. */
  #verdicts: Promise<Map<string, Verdict>> | undefined;
  readonly #tries = new WeakMap<Judged, number>();
  readonly #timers = new Set<() => void>();
  #judging: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: RefereeOptions) {
    this.#options = options;
  }

  /** What is known of the strategy's models from before. */
  async recall(activation: Judged): Promise<void> {
    if (activation.samples.length === 0) return;
    const verdicts = await this.#read();
    const keys = await Promise.all(activation.samples.map(keyOf));
    if (keys.every((key) => verdicts.has(key))) this.#tries.set(activation, MOST_TRIES);
    this.#tell(activation, keys.map((key) => verdicts.get(key)));
  }

  /** Judges the models that nobody has judged yet, soon; never throws. */
  judgeLater(activation: Judged): void {
    const tries = this.#tries.get(activation) ?? 0;
    if (this.#closed || activation.samples.length === 0 || tries >= MOST_TRIES) return;
    this.#tries.set(activation, MOST_TRIES);
    const cancel = this.#options.clock.after(DELAY_MS, () => {
      this.#timers.delete(cancel);
      this.#judging = this.#judging.then(() => this.#judge(activation, tries + 1)).catch((error: Error) =>
        this.#options.log("warn", `Cannot judge the models: ${error.message}`)
      );
    });
    this.#timers.add(cancel);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const cancel of this.#timers) cancel();
    await this.#judging;
  }

  async #judge(activation: Judged, tries: number): Promise<void> {
    using _held = activation.hold();
    const verdicts = await this.#read();
    const found: (Verdict | undefined)[] = [];
    // Unloaded at the end: without any model the cell would end and start in between.
    const loaded: string[] = [];
    try {
      for (const entry of activation.samples) {
        if (this.#closed) return;
        const key = await keyOf(entry);
        let verdict = verdicts.get(key);
        if (verdict === undefined) {
          verdict = await this.#compare(entry, loaded);
          if (verdict === undefined) this.#tries.set(activation, tries);
          else {
            verdicts.set(key, verdict);
            await this.#write(verdicts);
          }
        }
        found.push(verdict);
      }
    } finally {
      for (const key of loaded) await this.#options.onnx.unload(key);
    }
    this.#tell(activation, found);
  }

  #tell(activation: Judged, verdicts: readonly (Verdict | undefined)[]): void {
    const { samples } = activation;
    const of = (
      result: Verdict["result"] | undefined,
      sentence: (entry: RefereeCase, why: string) => string,
    ) =>
      samples.flatMap((entry, i) =>
        verdicts[i]?.result === result ? [sentence(entry, verdicts[i]?.why ?? "")] : []
      );
    activation.trust = {
      doubts: of(
        "differs",
        (entry, why) => `${named(entry)} is not trusted, the strategy only advises: ${why}`,
      ),
      open: [
        ...of(undefined, unjudged),
        ...of(
          "unable",
          (entry, why) => `nothing vouches for ${named(entry)}: expected golden vectors, ${why}`,
        ),
      ],
    };
    for (const doubt of activation.trust.doubts) this.#options.log("warn", doubt);
  }

  /** undefined: ONNX Runtime was not there to say. */
  async #compare({ spec, sample }: RefereeCase, loaded: string[]): Promise<Verdict | undefined> {
    const { onnx, log } = this.#options;
    const { key, bytes, external } = await modelOf({ spec, sample });
    const [inputs, outputs] = [sample.batch, sample.answers].map(({ length }) => length / sample.count);
    const expected = new Float64Array(sample.answers.length);
    try {
      await onnx.load(key, bytes, external);
      loaded.push(key);
      // One row at a time, as the graph sees it: a file may have its batch fixed anywhere.
      for (let row = 0; row < sample.count; row++) {
        const point = sample.batch.slice(row * inputs, (row + 1) * inputs);
        expected.set(await onnx.evaluate(key, point, 1, inputs, outputs), row * outputs);
      }
    } catch (error) {
      if (!(error instanceof SetpointError)) throw error;
      log("info", `Skill "${spec.name}" stays without a second opinion: ${error.message}`);
      return error.code === "PLUGIN_FAILED" ? { result: "unable", why: error.message } : undefined;
    }
    const why = disagreement(sample.answers, expected, outputs);
    return why === undefined ? { result: "agrees" } : { result: "differs", why };
  }

  #read(): Promise<Map<string, Verdict>> {
    return this.#verdicts ??= Deno.readTextFile(this.#options.file).then(parseVerdicts, () => new Map());
  }

  /** A state folder that takes no file costs the memory of it, not the verdict. */
  async #write(verdicts: Map<string, Verdict>): Promise<void> {
    const { file, log } = this.#options;
    const kept = [...verdicts].slice(-MOST_VERDICTS);
    try {
      await Deno.writeTextFile(
        `${file}.new`,
        JSON.stringify({ version: VERSION, verdicts: Object.fromEntries(kept) }),
      );
      await Deno.rename(`${file}.new`, file);
    } catch (error) {
      log("warn", `Cannot keep the verdicts on models in "${file}": ${(error as Error).message}`);
    }
  }
}

function named({ spec, sample }: RefereeCase): string {
  return `Model "${spec.files[sample.file].name}" of skill "${spec.name}"`;
}

/** Why nobody may rely on a model yet. */
export function unjudged(entry: RefereeCase): string {
  return `${named(entry)} is not yet compared with ONNX Runtime`;
}

/** @returns In words; undefined where they agree. */
function disagreement(found: Float64Array, expected: Float64Array, outputs: number): string | undefined {
  for (let k = 0; k < outputs; k++) {
    const own = found.filter((_, i) => i % outputs === k);
    const other = expected.filter((_, i) => i % outputs === k);
    const [low, high] = [Math.min(...other), Math.max(...other)];
    const allowed = SPREAD * (high - low) + SIZE * Math.max(Math.abs(low), Math.abs(high)) + Number.EPSILON;
    const row = own.findIndex((value, i) =>
      !(Math.abs(value - other[i]) <= allowed || Object.is(value, other[i]))
    );
    if (row >= 0) {
      return `its output ${k + 1} is ${own[row]} where ONNX Runtime gives ${other[row]}, at point ${
        row + 1
      } of its training range`;
    }
  }
}

async function modelOf({ spec, sample: { file, onnx } }: RefereeCase): Promise<OnnxModelFiles> {
  return onnx === undefined
    ? onnxModelOf(spec, file)
    : { key: await sha256(onnx as Uint8Array<ArrayBuffer>), bytes: onnx, external: [] };
}

async function keyOf(entry: RefereeCase): Promise<string> {
  const { key } = await modelOf(entry);
  const parts = [new TextEncoder().encode(key), entry.sample.batch, entry.sample.answers];
  return await sha256(await new Blob(parts as BlobPart[]).bytes());
}

/** Whatever is broken is judged again. */
function parseVerdicts(text: string): Map<string, Verdict> {
  try {
    const { version, verdicts } = JSON.parse(text);
    const entries: [string, Partial<Verdict> | null][] = version === VERSION ? Object.entries(verdicts) : [];
    return new Map(entries.flatMap(([key, verdict]): [string, Verdict][] => {
      const result = RESULTS.find((known) => known === verdict?.result);
      return result === undefined ? [] : [[key, { result, why: String(verdict!.why ?? "") }]];
    }));
  } catch {
    return new Map();
  }
}
