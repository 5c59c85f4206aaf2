import { isLoopback } from "../config.ts";
import { HttpError } from "./problem.ts";

export interface AccessOptions {
  /** The address that is listened on. */
  readonly host: string;
  readonly token: string;
}

/**
 * Who may ask. On loopback a web page elsewhere is kept out by its Host (a name that was made to mean 127.0.0.1) or its
 * Origin; routes with `token` need the token too. Off loopback every route needs it.
 * @throws {HttpError} 401 or 403.
 */
export function checkAccess(
  headers: Headers,
  route: { readonly token: boolean },
  options: AccessOptions,
): void {
  const local = isLoopback(options.host);
  const host = headers.get("host") ?? "";
  if (local && !isLoopback(hostname(host))) {
    throw new HttpError(403, "UNAUTHORIZED", `Cannot answer for host "${host}", expected a loopback address`);
  }
  const origin = headers.get("origin");
  if (origin !== null && origin !== `http://${host}` && origin !== `https://${host}`) {
    throw new HttpError(
      403,
      "UNAUTHORIZED",
      `Cannot answer a page of "${origin}", expected none of another origin`,
    );
  }
  if (local && !route.token) return;
  const given = /^Bearer (\S+)$/i.exec(headers.get("authorization") ?? "")?.[1] ?? "";
  if (!sameText(given, options.token)) {
    const message =
      "Cannot answer without the token, expected the one of <state>/token in Authorization: Bearer";
    throw new HttpError(401, "UNAUTHORIZED", message, { "www-authenticate": 'Bearer realm="setpoint"' });
  }
}

/** Without the port, of `host`, `host:port`, `[v6]` or `[v6]:port`. */
function hostname(host: string): string {
  return host.replace(/:\d*$/, (port, at) => host.startsWith("[") && host[at - 1] !== "]" ? port : "");
}

/** In a time that tells nothing about where two texts differ. */
function sameText(a: string, b: string): boolean {
  let different = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) different |= a.charCodeAt(i) ^ b.charCodeAt(i % b.length);
  return different === 0 && b !== "";
}
