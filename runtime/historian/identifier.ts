import { setpointError } from "../errors.ts";

/** PostgreSQL cuts longer names silently, so two long ones could mean the same column. */
const LONGEST_BYTES = 63;
const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Refuses every name that could not be a plain table or column name, before it comes near SQL.
 * @param what For the message: "column" or "table".
 * @throws {SetpointError} IDENTIFIER_INVALID
 */
export function checkIdentifier(what: string, name: string): void {
  if (IDENTIFIER.test(name) && name.length <= LONGEST_BYTES) return;
  const shown = JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}…` : name);
  throw setpointError(
    "IDENTIFIER_INVALID",
    `Cannot read ${what} ${shown}: a name has 1 to ${LONGEST_BYTES} letters, digits and underscores (A-Z, a-z, 0-9, _) and no digit first`,
    { variable: what === "column" ? name : undefined },
  );
}

/** A table may be named with its schema: `plant.process_data`. */
export function checkTable(name: string): readonly string[] {
  const parts = name.split(".");
  if (parts.length > 2) checkIdentifier("table", name);
  for (const part of parts) checkIdentifier("table", part);
  return parts;
}

/** Quotes a name that {@linkcode checkIdentifier} has passed; doubling quotes is the second line of defence. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
