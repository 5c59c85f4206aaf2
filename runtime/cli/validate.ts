import { printProblem, SetpointError, setpointError, whyUnreadable } from "../errors.ts";
import type { Kernel, ValidationReport } from "../kernel/types.ts";
import { printError, printJson, printLine, printText } from "./print.ts";
import { counted } from "./table.ts";

export interface ValidateOptions {
  /** Absolute. */
  readonly file: string;
  /** As the user wrote it; named in every message. */
  readonly shown: string;
  readonly json: boolean;
}

/** Prints everything that is wrong with a strategy, or what it holds. @returns 0, or 1 if it cannot be loaded. */
export async function validate(kernel: Kernel, { file, shown, json }: ValidateOptions): Promise<number> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (cause) {
    throw setpointError("USAGE", `Cannot read the strategy: ${whyUnreadable(cause)}`, {
      at: { file: shown },
      cause,
    });
  }
  try {
    const report = await kernel.validate(text, file);
    if (json) printJson({ valid: true, ...report });
    else printReport(report);
    return 0;
  } catch (error) {
    if (!(error instanceof SetpointError)) throw error;
    if (json) printJson({ valid: false, problems: error.problems });
    else {
      printError(error);
      printLine(`${shown}: ${counted(error.problems.length, "problem")}`);
    }
    return 1;
  }
}

function printReport(
  { name, version, digest, variables, skills, decisions, notes }: ValidationReport,
): void {
  for (const note of notes) {
    printLine(`${note.level === "warning" ? "Warning" : "Note"}: ${printProblem(note)}`);
  }
  printText(`OK: ${name} ${version} (sha256 ${digest.slice(0, 12)})`);
  const counts = [
    counted(variables, "variable"),
    counted(skills, "skill"),
    counted(decisions.length, "decision"),
  ];
  printText(`${counts.join(", ")}: ${decisions.join(", ")}`);
}
