/** A host for tests, and problems for its optimizers. */
import { systemClock } from "../../runtime/clock.ts";
import {
  type HostOptions,
  type OpaqueRoute,
  PluginHost,
  type ProblemMessage,
} from "../../runtime/cells/host.ts";
import { Graph } from "../../runtime/graph/expr.ts";
import { lift } from "../../runtime/graph/nonsmooth.ts";
import { compileTape } from "../../runtime/graph/tape.ts";

/** No good call takes as long. */
const PATIENT = { wallMs: 60_000, lowerMs: 60_000, startMs: 60_000, silenceMs: 30_000, beatMs: 500 };

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Generous limits: the machine that runs the tests may be slow and busy. A test of a limit names its own. */
export function startHost(
  options: Partial<HostOptions> = {},
): { host: PluginHost; lines: LogLine[] } & AsyncDisposable {
  const lines: LogLine[] = [];
  const host = new PluginHost({
    clock: systemClock,
    log: (level, message, fields) => lines.push({ level, message, fields }),
    ...options,
    limits: { ...PATIENT, ...options.limits },
  });
  return { host, lines, [Symbol.asyncDispose]: () => host.close() };
}

/** min Σ (x_i − target)² + parameter 1 over two variables; parameter 0 is for the optimizer. */
export function bowl(target: number): ProblemMessage {
  const graph = new Graph();
  const square = (i: number) => {
    const d = graph.binary("sub", graph.variable(i), graph.constant(target));
    return graph.binary("mul", d, d);
  };
  const cost = graph.binary("add", graph.binary("add", square(0), square(1)), graph.parameter(1));
  return problemOf(graph, cost, []);
}

/** min opaque(x) + parameter 1, the opaque function being of two inputs and one output. */
export function foreignProblem(route: OpaqueRoute): ProblemMessage {
  const graph = new Graph();
  const answer = graph.opaque(0, graph.concat([graph.variable(0), graph.variable(1)]), 1);
  return problemOf(graph, graph.binary("add", answer, graph.parameter(1)), [route]);
}

function problemOf(graph: Graph, cost: number, opaques: readonly OpaqueRoute[]): ProblemMessage {
  const tape = compileTape(graph, { variables: 2, parameters: 2, outputs: [cost] });
  const lifted = lift({ graph, variables: 2, parameters: 2, cost, limits: [], scale: [1, 1] });
  return { exact: tape.buffer, lifted, limits: [], opaques };
}

/** A run of {@linkcode bowl} from (3, −2) in [−5, 5]². @param fault What the optimizer does wrong. */
export function runOf(fault = 0, deadlineMs = 60_000) {
  return {
    parameters: Float64Array.of(fault, 7),
    x0: Float64Array.of(3, -2),
    lo: Float64Array.of(-5, -5),
    hi: Float64Array.of(5, 5),
    scale: Float64Array.of(1, 1),
    deadlineMs,
  };
}

/** Whether a process is there and runs. */
export function lives(pid: number): boolean {
  const state = processStat(pid)[0];
  return state !== undefined && state !== "Z";
}

/** A letter of the system: R runs, S sleeps, T is stopped, Z is dead and not reaped; undefined if there is none. */
export function processState(pid: number): string | undefined {
  return processStat(pid)[0];
}

/** User and system time of a process, in clock ticks of the system. */
export function cpuTicks(pid: number): number {
  const fields = processStat(pid);
  return Number(fields[11]) + Number(fields[12]);
}

/** Resident memory of a process, bytes. */
export function residentBytes(pid: number): number {
  return Number(processStat(pid)[21]) * 4096;
}

/** The fields of /proc/PID/stat after the name, none if there is no such process. Deno itself may read it under -A only. */
function processStat(pid: number): string[] {
  const { stdout } = new Deno.Command("cat", { args: [`/proc/${pid}/stat`], stderr: "null" }).outputSync();
  const text = new TextDecoder().decode(stdout);
  return text === "" ? [] : text.split(") ").at(-1)!.split(" ");
}
