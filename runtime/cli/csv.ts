import { type Problem, SetpointError } from "../errors.ts";

/** A cell with its place, both from 1. */
export interface Cell {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/**
 * Records of RFC 4180, empty lines left out; a header without any comma but with semicolons is separated by these.
 * @throws {SetpointError} INPUT_INVALID for a quote that is not closed or stands inside a cell.
 */
export function parseCsv(text: string, file: string): Cell[][] {
  const source = text.replace(/^\ufeff/, "");
  const header = source.slice(0, source.search(/\r?\n|$/));
  const separator = header.includes(";") && !header.includes(",") ? ";" : ",";
  const records: Cell[][] = [];
  let record: Cell[] = [];
  let line = 1;
  let lineStart = 0;
  let at = 0;
  while (at < source.length) {
    at += /[ \t]*(?=")|/y.exec(source.slice(at, at + 80))?.[0].length ?? 0;
    const place = { line, column: at - lineStart + 1 };
    let value: string;
    if (source[at] === '"') {
      const end = closing(source, at);
      if (end < 0) throw broken("a quote is not closed", file, place);
      value = source.slice(at + 1, end).replaceAll('""', '"');
      for (let i = at; i < end; i++) if (source[i] === "\n") [line, lineStart] = [line + 1, i + 1];
      for (at = end + 1; source[at] === " "; at++);
    } else {
      const start = at;
      while (at < source.length && source[at] !== separator && source[at] !== "\n") at++;
      value = source.slice(start, at).trim();
      if (value.includes('"')) throw broken("a quote stands inside a cell", file, place);
    }
    record.push({ text: value, ...place });
    if (source[at] === "\r") at++;
    if (source[at] === separator) {
      at++;
      if (at < source.length) continue;
      record.push({ text: "", line, column: at - lineStart + 1 });
    } else if (at < source.length && source[at] !== "\n") {
      throw broken("text follows a closed quote", file, { line, column: at - lineStart + 1 });
    }
    if (record.some((cell) => cell.text !== "")) records.push(record);
    record = [];
    at++;
    line++;
    lineStart = at;
  }
  return records;
}

function closing(source: string, open: number): number {
  let end = source.indexOf('"', open + 1);
  while (end >= 0 && source[end + 1] === '"') end = source.indexOf('"', end + 2);
  return end;
}

function broken(what: string, file: string, at: { line: number; column: number }): SetpointError {
  const problem: Problem = {
    code: "INPUT_INVALID",
    message: `Cannot read the CSV: ${what}`,
    at: { file, ...at },
  };
  return new SetpointError([problem]);
}
