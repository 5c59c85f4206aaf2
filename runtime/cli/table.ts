/** Columns that line up, in a terminal and in a file. */

export interface Column {
  readonly title: string;
  /** Default left. */
  readonly align?: "left" | "right";
}

/** Lines without spaces at their ends; the first is the titles. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const titles = columns.map(({ title }) => title);
  const widths = titles.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
  return [titles, ...rows].map((row) =>
    row.map((cell, i) => columns[i].align === "right" ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
      .join("  ").trimEnd()
  );
}

/** Seven significant digits at most, never an exponent where a plant has none: `-0.05`, `20500`, `1.2e-9`. */
export function figure(value: number | null): string {
  if (value === null) return "-";
  const rounded = Number(value.toPrecision(7));
  return Object.is(rounded, -0) ? "0" : String(rounded);
}

/** With its sign, so that a move's direction is seen. */
export function signed(value: number | null): string {
  const text = figure(value);
  return value !== null && value > 0 && text !== "0" ? `+${text}` : text;
}

/** "1 decision", "2 decisions". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
