/** Memory as the system counts it; other programs read /proc, which Deno keeps for itself. */

/** Proportional set size of a process, MB; 0 where it is gone. */
export function pssOf(pid: number): number {
  return Number(/^Pss:\s+(\d+)/m.exec(said("cat", `/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1024;
}

/** A process and all below it. */
export function familyOf(root: number): number[] {
  const parents = new Map(
    said("ps", "-eo", "pid=,ppid=").trim().split("\n").map((line) =>
      line.trim().split(/\s+/).map(Number) as [number, number]
    ),
  );
  return [...parents.keys()].filter((pid) => {
    let up: number | undefined = pid;
    while (up !== undefined && up !== root) up = parents.get(up);
    return up === root;
  });
}

function said(program: string, ...args: string[]): string {
  return new TextDecoder().decode(new Deno.Command(program, { args }).outputSync().stdout);
}
