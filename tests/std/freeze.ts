import { eventually } from "./eventually.ts";

/** Stops a process; it does nothing more once this resolves, which is a while after the signal. */
export async function freeze(pid: number): Promise<void> {
  Deno.kill(pid, "SIGSTOP");
  await eventually(`all threads of process ${pid} are stopped`, () => states(pid) === "T");
}

/** The states that the threads of a process are in, each once. Deno itself may read them under -A only. */
function states(pid: number): string {
  const { stdout } = new Deno.Command("sh", { args: ["-c", `cat /proc/${pid}/task/*/stat`] }).outputSync();
  const lines = new TextDecoder().decode(stdout).trim().split("\n");
  return [...new Set(lines.map((line) => line.slice(line.lastIndexOf(") ") + 2)[0]))].join("");
}
