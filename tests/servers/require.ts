/**
 * Tests that need a real server on the machine. Where it is missing the test is listed as ignored, with the reason in
 * its name; with `SETPOINT_REQUIRE_SERVERS=1` (continuous integration) it fails instead, so nothing is left out unseen.
 */

/**
 * Registers a test that needs a server's program.
 * @param find Answers the path of the program, or undefined where the machine has none; called once, at registration.
 * @param fn Gets that path.
 * @param hint How to get the server, told with a skip or a failure; default: none.
 */
export function serverTest(
  name: string,
  find: () => string | undefined,
  fn: (program: string, t: Deno.TestContext) => void | Promise<void>,
  hint = "",
): void {
  const program = find();
  if (program !== undefined) return Deno.test(name, (t) => fn(program, t));
  const reason = `its server is not on this machine${hint && `: ${hint}`}`;
  if (Deno.env.get("SETPOINT_REQUIRE_SERVERS") !== "1") {
    return Deno.test({ name: `${name} (ignored: ${reason})`, ignore: true, fn: () => {} });
  }
  Deno.test(name, () => {
    throw new Error(`Cannot run "${name}": ${reason}, and SETPOINT_REQUIRE_SERVERS=1 requires it`);
  });
}

/** The first of `candidates` that is a file; undefined entries are passed over. */
export function firstFile(candidates: Iterable<string | undefined>): string | undefined {
  for (const path of candidates) {
    if (path !== undefined && path !== "" && isFile(path)) return path;
  }
}

/** Every place where `PATH` would look for `program`. */
export function onPath(program: string): string[] {
  return (Deno.env.get("PATH") ?? "").split(":").filter((folder) => folder !== "").map((folder) =>
    `${folder}/${program}`
  );
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
