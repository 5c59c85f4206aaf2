/** The states of a file that `optimize` runs. */
import { type Position, type Problem, SetpointError, setpointError, whyUnreadable } from "../errors.ts";
import { jsonPointer, parseStrictJson } from "../strict_json.ts";
import { type Cell, parseCsv } from "./csv.ts";

export interface InputState {
  /** Variable → number; not yet checked against the strategy. */
  readonly values: unknown;
  /** Names the state to a person. */
  readonly label: string;
  /** Where the file tells a variable; where it would, if it does not. */
  position(variable?: string): Position;
}

export interface InputFile {
  readonly states: readonly InputState[];
  /** The file holds one state, not a list of one. */
  readonly single: boolean;
}

/** A CSV may say when each state was; the kernel has no use for it. */
const TIME_COLUMN = "timestamp";
const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;
const MAX_PROBLEMS = 20;

/**
 * JSON (a state or an array of them, with or without `input_data` around it) or, for a file that ends in `.csv`, CSV
 * with a header of variables.
 * @throws {SetpointError} USAGE (no such file), INPUT_INVALID with every place that cannot be read.
 */
export async function readInputFile(file: string): Promise<InputFile> {
  let text: string;
  try {
    text = await Deno.readTextFile(file);
  } catch (cause) {
    throw setpointError("USAGE", `Cannot read the input: ${whyUnreadable(cause)}`, { at: { file }, cause });
  }
  return file.toLowerCase().endsWith(".csv") ? csvStates(text, file) : jsonStates(text, file);
}

function jsonStates(text: string, file: string): InputFile {
  const value = parseStrictJson(text, { what: "the input", file, code: "INPUT_INVALID" });
  const single = !Array.isArray(value);
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) {
    throw setpointError("INPUT_INVALID", "Cannot optimize: the input holds no state", { at: { file } });
  }
  const states = list.map((item, i): InputState => {
    const wrapped = typeof item === "object" && item !== null && Object.hasOwn(item, "input_data");
    const path = [...(single ? [] : [i]), ...(wrapped ? ["input_data"] : [])];
    return {
      values: wrapped ? (item as { input_data: unknown }).input_data : item,
      label: single ? "the state" : `state ${i + 1}`,
      position: (variable) => ({
        file,
        pointer: jsonPointer(variable === undefined ? path : [...path, variable]),
      }),
    };
  });
  return { states, single };
}

function csvStates(text: string, file: string): InputFile {
  const [header, ...records] = parseCsv(text, file);
  const problems: Problem[] = [];
  const refuse = (message: string, { line, column }: Cell, variable?: string) =>
    problems.push({
      code: "INPUT_INVALID",
      message,
      at: { file, line, column },
      ...(variable && { variable }),
    });
  if (header === undefined || records.length === 0) {
    throw setpointError(
      "INPUT_INVALID",
      "Cannot optimize: the input holds no state, expected a header and a line a state",
      { at: { file } },
    );
  }
  const names = header.map((cell) => cell.text);
  for (const [i, cell] of header.entries()) {
    if (cell.text === "") refuse("Cannot read the header: a name is missing", cell);
    else if (names.indexOf(cell.text) !== i) {
      refuse(`Cannot read the header: "${cell.text}" stands there twice`, cell);
    }
  }
  const states = records.map((record) => {
    if (record.length !== names.length) {
      refuse(
        `Cannot read the line: it has ${record.length} cells, expected ${names.length} as the header`,
        record[0],
      );
    }
    const values: Record<string, number> = Object.create(null);
    const cells = new Map<string, Cell>();
    for (const [i, cell] of record.slice(0, names.length).entries()) {
      cells.set(names[i], cell);
      // an empty cell is a missing value; whether it may be is for the strategy to say
      if (names[i].toLowerCase() === TIME_COLUMN || cell.text === "") continue;
      if (NUMBER.test(cell.text) && Number.isFinite(Number(cell.text))) values[names[i]] = Number(cell.text);
      else {refuse(
          `Cannot read ${names[i]} "${cell.text}", expected a finite number such as 8.5`,
          cell,
          names[i],
        );}
    }
    const { line } = record[0];
    return {
      values,
      label: `line ${line}`,
      position: (variable?: string): Position => ({
        file,
        line,
        column: cells.get(variable ?? "")?.column ?? 1,
      }),
    };
  });
  if (problems.length > 0) throw new SetpointError(problems.slice(0, MAX_PROBLEMS));
  return { states, single: false };
}
