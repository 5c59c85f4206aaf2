import { type ModelReport, reportModel } from "../kernel/model_report.ts";
import { atFile, baseName, folderOf, readModelFile, type TorchFlags, torchOptionsOf } from "./model_files.ts";
import { printJson, printText } from "./print.ts";
import { counted, table } from "./table.ts";

export interface InspectOptions extends TorchFlags {
  /** Absolute. */
  readonly file: string;
  readonly json: boolean;
}

/** @returns 0; 1 if the model stays opaque. @throws {SetpointError} */
export async function modelInspect(asked: InspectOptions): Promise<number> {
  const { file, json } = asked;
  const bytes = await readModelFile(file);
  const externalFile = (name: string) => {
    try {
      return Deno.readFileSync(`${folderOf(file)}/${name}`);
    } catch {
      return undefined;
    }
  };
  const options = { name: baseName(file), externalFile, ...torchOptionsOf(asked) };
  const report = atFile(file, () => reportModel(bytes, options));
  if (json) printJson(report);
  else printText(reportText(baseName(file), report));
  return report.lowered ? 0 : 1;
}

export function reportText(name: string, report: ModelReport): string {
  const { format, about, inputs, outputs, parts, operators, lowered, graphNodes, trees, why } = report;
  const title = { onnx: "ONNX", torch: "torch", scalers: "scalers", metadata: "metadata" }[format];
  const ports = [
    ...inputs.map((port) => ["input", port] as const),
    ...outputs.map((port) => ["output", port] as const),
  ];
  const counts = Object.entries(operators).sort(([, a], [, b]) => b - a).map(([op, count]) =>
    `${op} × ${count}`
  );
  const rows = parts.map((part, i) => [String(i + 1), part.kind, part.name, part.shape, part.why ?? ""]);
  const columns = [
    { title: "#", align: "right" as const },
    { title: format === "onnx" ? "Operator" : "Kind" },
    { title: "Name" },
    { title: format === "metadata" || format === "scalers" ? "Values" : "Shape" },
    { title: rows.some((row) => row[4] !== "") ? "Cannot be lowered because" : "" },
  ];
  const verdict = format === "scalers" || format === "metadata" ? [] : lowered
    ? [
      `It becomes a graph of ${graphNodes} nodes ${
        trees ? "with trees, whose cells are searched" : "with exact derivatives"
      }`,
    ]
    : [`${format === "onnx" ? "It stays opaque and runs in ONNX Runtime" : "It does not fit"}: ${why}`];
  return [
    `${name}: ${title}, ${about}`,
    ...ports.map(([kind, { name, shape, length }]) =>
      `${kind.padEnd(6)} ${name} [${shape.map((n) => n < 0 ? "?" : n).join(", ")}]${
        length === undefined ? "" : `, ${counted(length, "value")} a row`
      }`
    ),
    "",
    ...table(columns, rows),
    ...(counts.length === 0 ? [] : ["", counts.join(", ")]),
    ...(verdict.length === 0 ? [] : ["", ...verdict]),
  ].join("\n");
}
