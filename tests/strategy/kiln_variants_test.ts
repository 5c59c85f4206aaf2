import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type OnnxNodeSpec, type OnnxTensorSpec, writeOnnx } from "../../runtime/graph/onnx_writer.ts";
import { seededRandom } from "../../runtime/graph/seeded_random.ts";
import { KILN_TEXT, kilnFile, linkKiln } from "./kiln.ts";
import values from "./kiln_values.json" with { type: "json" };
import { Plant } from "./plant.ts";

function declared(text: string, key: string): string[] {
  const section = text.split(new RegExp(`^${key}:$`, "m"))[1].split(/^\S/m)[0];
  return [...section.matchAll(/^ {2}(\w+):/gm)].map((match) => match[1]);
}

Deno.test("linkStrategy() gives the same kiln values when all variables and skills are renamed at random", async () => {
  const random = seededRandom(5);
  const names = [...declared(KILN_TEXT, "variables"), ...declared(KILN_TEXT, "skills")];
  assert(names.length >= 70, String(names.length));
  const words = new Map(
    names.map((name) => [name, `q${Math.floor(random() * 1e9).toString(36)}_${names.indexOf(name)}`]),
  );
  const rename = (word: string) => {
    const suffix = /_(dof|current|threshold)$/.exec(word)?.[0] ?? "";
    const base = word.slice(0, word.length - suffix.length);
    return words.get(word) ?? (words.has(base) ? words.get(base)! + suffix : word);
  };
  // the objective's key, the comments and paths keep their words
  const text = KILN_TEXT.split("\n").map((line) =>
    /^\s*#|_path:/.test(line) ? line : line.replace(/[A-Za-z_]\w*/g, rename)
  ).join("\n");
  const renamedKeys = (value: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(value).map(([name, part]) => [words.get(`delta_${name}`) ?? rename(name), part]),
    );
  const linked = await linkKiln(text, (path) => {
    const bytes = kilnFile(path);
    if (!path.endsWith(".json")) return bytes;
    const content = JSON.parse(new TextDecoder().decode(bytes));
    for (const key of ["scalers", "ranges"]) if (content[key]) content[key] = renamedKeys(content[key]);
    return new TextEncoder().encode(JSON.stringify(content));
  });
  assert(!JSON.stringify(linked.variables).includes("Kiln"));
  const original = await linkKiln();
  for (const point of values.points.slice(0, 24)) {
    const state = { ...values.state, ...point.state };
    const renamed = Object.fromEntries(Object.entries(state).map(([name, value]) => [rename(name), value]));
    const x = Object.fromEntries(values.decisions.map((name, k) => [name, point.x[k]]));
    const renamedX = Object.fromEntries(values.decisions.map((name, k) => [rename(name), point.x[k]]));
    assertEquals(
      [...new Plant(linked, renamed).outputs(renamedX)].sort(),
      [...new Plant(original, state).outputs(x)].sort(),
    );
  }
});

/** Widths of the layers between inputs and the one output. */
const HIDDEN = [5, 10, 5];

interface Network {
  readonly layers: readonly {
    readonly weight: number[][];
    readonly bias: number[];
    /** gamma, beta, mean, variance of what follows; none after the last. */
    readonly norm?: readonly number[][];
  }[];
}

function randomNetwork(inputs: number, random: () => number): Network {
  const widths = [inputs, ...HIDDEN, 1];
  const list = (length: number, low = -1, high = 1) =>
    Array.from({ length }, () => low + (high - low) * random());
  return {
    layers: widths.slice(1).map((width, k) => ({
      weight: Array.from({ length: width }, () => list(widths[k])),
      bias: list(width),
      ...(k < HIDDEN.length &&
        { norm: [list(width, 0.5, 2), list(width), list(width), list(width, 0.2, 3)] }),
    })),
  };
}

/** Double weights, so that the file holds exactly the numbers that the loops use. */
function writeNetwork({ layers }: Network, inputs: number): Uint8Array {
  const initializers: OnnxTensorSpec[] = [];
  const nodes: OnnxNodeSpec[] = [];
  const tensor = (name: string, shape: number[], data: number[]) => {
    initializers.push({ name, shape, data, type: "double" });
    return name;
  };
  let value = "input";
  const node = (op: string, rest: string[], attributes: OnnxNodeSpec["attributes"]) => {
    nodes.push({ op, inputs: [value, ...rest], outputs: [`v${nodes.length}`], attributes });
    value = `v${nodes.length - 1}`;
  };
  layers.forEach(({ weight, bias, norm }, k) => {
    const shape = [weight.length, weight[0].length];
    node("Gemm", [tensor(`w${k}`, shape, weight.flat()), tensor(`b${k}`, [bias.length], bias)], {
      transB: { int: 1 },
    });
    if (norm === undefined) return;
    node("BatchNormalization", norm.map((part, i) => tensor(`n${k}_${i}`, [part.length], part)), {
      epsilon: { float: 0.25 },
    });
    node("Gelu", [], {});
  });
  return writeOnnx({
    name: "random",
    opsets: { "": 20 },
    irVersion: 9,
    inputs: [{ name: "input", shape: ["batch", inputs], type: "double" }],
    outputs: [{ name: value, shape: ["batch", 1], type: "double" }],
    initializers,
    nodes,
  });
}

function runNetwork({ layers }: Network, input: readonly number[]): number {
  let x = [...input];
  for (const { weight, bias, norm } of layers) {
    x = weight.map((row, i) => row.reduce((sum, w, j) => sum + w * x[j], bias[i]));
    if (norm === undefined) continue;
    const [gamma, beta, mean, variance] = norm;
    x = x.map((v, i) => gamma[i] * (v - mean[i]) / Math.sqrt(variance[i] + 0.25) + beta[i]).map(slowGelu);
  }
  return x[0];
}

/** x·Φ(x), Φ by Simpson's rule on 2,000 steps of the normal density. */
function slowGelu(x: number): number {
  const steps = 2000;
  const h = x / steps;
  const density = (t: number) => Math.exp(-t * t / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(x);
  for (let k = 1; k < steps; k++) sum += density(k * h) * (k % 2 === 1 ? 4 : 2);
  return x * (0.5 + sum * h / 3);
}

const MODELS = {
  kiln_drive_current: {
    inputs: [
      "combined_Feed_rate",
      "Kiln_Coal_PV",
      "Calciner_temperature_PV",
      "Kiln_Inlet_NOX",
      "Kiln_Drive_Speed_PV",
    ],
    output: "Kiln_Drive_Current",
  },
  calciner_outlet_co: {
    inputs: ["combined_Feed_rate", "Kiln_Coal_PV", "Calciner_temperature_PV", "PH_Fan_Speed_PV"],
    output: "Calciner_outlet_CO",
  },
  clinker_temperature: {
    inputs: [
      "Kiln_Drive_Current",
      "Under_grate_Average_Pressure",
      "Cooler_Fan_2_Flow",
      "Cooler_Fan_3_4_5_6_Flow",
      "Cooler_Fan_7_8_9_Flow",
      "Cooler_Fan_A_Flow",
    ],
    output: "Clinker_temperature",
  },
} as const;

type Model = keyof typeof MODELS;

Deno.test("linkStrategy() agrees with plain loops on kilns with random networks and scalers, to 1e-9", async () => {
  const random = seededRandom(11);
  for (let round = 0; round < 3; round++) {
    const names = Object.keys(MODELS) as Model[];
    const networks = new Map(names.map((name) => [name, randomNetwork(MODELS[name].inputs.length, random)]));
    const scalers = new Map(names.map((name) => [
      name,
      Object.fromEntries([...MODELS[name].inputs, MODELS[name].output].map((variable) => {
        const unit = {
          Cooler_Fan_2_Flow: 500,
          Cooler_Fan_3_4_5_6_Flow: 2000,
          Cooler_Fan_7_8_9_Flow: 1500,
          Cooler_Fan_A_Flow: 500,
        };
        return [variable, {
          scale: (0.2 + random()) / (unit[variable as keyof typeof unit] ?? 1),
          offset: random() - 0.5,
        }];
      })),
    ]));
    const text = KILN_TEXT.replace(/\n +metadata_path:.*/g, "");
    const linked = await linkKiln(text, (path) => {
      const name = names.find((known) => path.includes(known))!;
      if (path.endsWith(".onnx")) return writeNetwork(networks.get(name)!, MODELS[name].inputs.length);
      return new TextEncoder().encode(
        JSON.stringify({ format: "setpoint/scalers/v1", scalers: scalers.get(name) }),
      );
    });
    const predict = (name: Model, deltas: Readonly<Record<string, number>>) => {
      const own = scalers.get(name)!;
      const { inputs, output } = MODELS[name];
      const input = inputs.map((variable) => own[variable].scale * deltas[variable] + own[variable].offset);
      return (runNetwork(networks.get(name)!, input) - own[output].offset) / own[output].scale;
    };
    for (const point of values.points.slice(0, 12)) {
      const state: Record<string, number> = { ...values.state, ...point.state };
      const plant = new Plant(linked, state);
      const x = Object.fromEntries(
        values.decisions.map((name, k) => [name, point.x[k] + (random() - 0.5) * linked.scale[k]]),
      );
      const deltas: Record<string, number> = { Kiln_Inlet_NOX: 0 };
      values.decisions.forEach((name, k) => deltas[name] = x[name] - plant.x0[k]);
      deltas.Kiln_Drive_Current = predict("kiln_drive_current", deltas);
      const co = state.Calciner_outlet_CO + predict("calciner_outlet_co", deltas);
      const clinker = state.Clinker_temperature + predict("clinker_temperature", deltas);
      const current = state.Kiln_Drive_Current + deltas.Kiln_Drive_Current;
      const score = (v: number, [low, from, to, high]: number[]) =>
        v < from ? (from === low ? 0 : (v - low) / (from - low)) : v > to ? (high - v) / (high - to) : 1;
      const total = 0.5 * score(current, [250, 450, 600, 700]) + 0.25 * score(co, [0, 0, 0.4, 1]) +
        0.25 * score(clinker, [30, 40, 150, 225]);
      const cost = deltas.Kiln_Coal_PV / 0.05 - deltas.combined_Feed_rate / 2 - 100 * total;
      assertAlmostEquals(plant.value("predicted_Clinker_temperature", x), clinker, 1e-9 * Math.abs(clinker));
      assertAlmostEquals(plant.outputs(x)[0], cost, 1e-9 * Math.max(1, Math.abs(cost)));
    }
  }
});
