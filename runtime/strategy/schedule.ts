/** Checks a cron expression: five fields, as Deno.cron takes them. */

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly names?: readonly string[];
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: readonly Field[] = [
  { name: "minute", least: 0, most: 59 },
  { name: "hour", least: 0, most: 23 },
  { name: "day of the month", least: 1, most: 31 },
  { name: "month", least: 1, most: 12, names: MONTHS },
  { name: "day of the week", least: 0, most: 7, names: DAYS },
];

/** What is wrong with the text; undefined where nothing is. */
export function wrongSchedule(text: string): string | undefined {
  const fields = text.trim().split(/\s+/);
  if (fields.length !== FIELDS.length || text.trim() === "") {
    return `expected five fields (minute hour day month weekday) such as */5 * * * *`;
  }
  for (const [k, field] of FIELDS.entries()) {
    const wrong = fields[k].split(",").find((part) => !isPart(part, field));
    if (wrong !== undefined) {
      return `${field.name} ${
        JSON.stringify(wrong.slice(0, 40))
      }: expected *, ${field.least} to ${field.most}, a range a-b or a step */n`;
    }
  }
}

function isPart(part: string, field: Field): boolean {
  const match = /^(\*|([A-Za-z0-9]{1,3})(?:-([A-Za-z0-9]{1,3}))?)(?:\/(\d{1,3}))?$/.exec(part);
  if (match === null) return false;
  const [, , first, last, step] = match;
  if (step !== undefined && (Number(step) < 1 || Number(step) > field.most)) return false;
  if (first === undefined) return true;
  const from = valueOf(first, field);
  const to = last === undefined ? from : valueOf(last, field);
  return from >= field.least && to <= field.most && from <= to;
}

function valueOf(text: string, { names, least }: Field): number {
  if (/^\d+$/.test(text)) return Number(text);
  const at = names?.indexOf(text.toUpperCase()) ?? -1;
  return at < 0 ? NaN : at + least;
}
