import type { Explanation } from "../kernel/explain.ts";
import type { SetpointKernel } from "../kernel/kernel.ts";
import { readInputFile } from "./input_file.ts";
import { printJson, printText } from "./print.ts";
import { figure, signed, table } from "./table.ts";

export interface ExplainOptions {
  /** Absolute. */
  readonly input: string;
  readonly json: boolean;
}

/** Explains each state of a file. @throws {SetpointError} */
export async function explain(
  kernel: SetpointKernel,
  { input, json }: ExplainOptions,
): Promise<number> {
  const { states, single } = await readInputFile(input);
  await kernel.load();
  const answers: Explanation[] = [];
  for (const { values } of states) answers.push(await kernel.explain(values));
  if (json) printJson(single ? answers[0] : answers);
  else {
    printText(
      answers.map((answer, i) => `${single ? "" : `${states[i].label}: `}${explanationText(answer)}`).join(
        "\n\n",
      ),
    );
  }
  return 0;
}

export function explanationText({ strategy, cost, kpis, slopes }: Explanation): string {
  const right = { align: "right" } as const;
  const parts = kpis.map(({ name, units, formula, value, terms, gradient }) => {
    const rows = terms.map(({ text, value, perThreshold }) => {
      const [setpoint, change] = Object.entries(perThreshold).reduce(
        (best, entry) => Math.abs(entry[1]) > Math.abs(best[1]) ? entry : best,
        ["", 0],
      );
      return [
        `  ${shortened(text)}`,
        figure(value),
        change === 0 ? "" : `${signed(change)} a threshold of ${setpoint}`,
      ];
    });
    const most = Object.entries(gradient).filter(([, slope]) => slope !== 0).map(([setpoint, slope]) =>
      `${signed(slope)} per ${setpoint}`
    );
    return [
      `${name} = ${formula}`,
      `  = ${figure(value)}${units === "-" || units === "" ? "" : ` ${units}`}`,
      ...(terms.length < 2
        ? []
        : table([{ title: "  Term" }, { title: "value", ...right }, { title: "moves most with" }], rows)),
      ...(most.length === 0 ? ["  nothing that is moved changes it"] : [`  slopes: ${most.join(", ")}`]),
    ].join("\n");
  });
  const moves = slopes.map(({ name, units, value, perUnit, perThreshold }) => [
    name,
    figure(value),
    units,
    signed(perUnit),
    signed(perThreshold),
  ]);
  const columns = [
    { title: "Setpoint" },
    { title: "now", ...right },
    { title: "unit" },
    { title: `d ${cost.name} per unit`, ...right },
    { title: "per threshold", ...right },
  ];
  return [
    `${strategy.name} ${strategy.version}: ${cost.name} = ${figure(cost.value)}`,
    ...parts,
    table(columns, moves).join("\n"),
  ].join("\n\n");
}

/** Long formulas of one term are above in full. */
function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}
