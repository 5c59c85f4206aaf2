/**
 * Entry of a cell: a process with no permission but to read its trusted sources. It passes frames between the kernel and
 * its workers, watches its memory, and ends when the kernel does. It never runs what the workers run, so a worker that
 * spins cannot stop it; what a worker posts is checked as if an enemy had written it.
 */
import { systemClock } from "../clock.ts";
import { CellWorker } from "./cell_worker.ts";
import { decodeFrame, encodeFrame, FrameReader } from "./frames.ts";
import type { CellLimits } from "./limits.ts";
import type { FromCell, ToCell } from "./protocol.ts";
import { Rest } from "./rest.ts";
import type { SdkExtent } from "./sdk_extent.ts";

/** µs of this process; Deno 2.9 has it, its types do not. */
interface DenoCpu {
  cpuUsage(): { readonly user: number; readonly system: number };
}

const RSS_EVERY_MS = 20;
/** A kernel that has much to do is not gone, and one that is gone closes the pipe. */
const SILENCES = 10;
/** Exit code of a process that was ended for its memory: 128 + SIGKILL, as the kernel of the system does it. */
const OUT_OF_MEMORY = 137;

const limits = JSON.parse(Deno.args[0]) as CellLimits;
const sdk = Deno.args[1] as SdkExtent;
const requestLimits = { frameBytes: limits.requestBytes, jsonBytes: limits.requestBytes };
const workers = new Map<number, CellWorker>();
/** Compiled once; every worker gets it, which costs next to nothing. */
const engine = new WebAssembly.Module(Deno.readFileSync(new URL("../engine/engine.wasm", import.meta.url)));
let silentBeats = 0;
// what its own start took is not looked at
let cpuMs = processorMs();
let checkedMs = systemClock.monotonic();
const rest = new Rest();

function write(frame: Uint8Array): void {
  for (let at = 0; at < frame.byteLength;) at += Deno.stdout.writeSync(frame.subarray(at));
}

function tell(message: FromCell): void {
  write(encodeFrame(message, limits));
}

function end(reason: string, code = 1): never {
  try {
    tell({ t: "end", reason });
  } catch {
    // the kernel is gone, or the pipe is: there is nobody to tell
  }
  Deno.exit(code);
}

function workerOf(id: number): CellWorker {
  let worker = workers.get(id);
  if (worker === undefined) {
    workers.set(id, worker = new CellWorker(id, limits, { write, tell, end }, { sdk, engine }));
  }
  return worker;
}

function receive(frame: Uint8Array<ArrayBuffer>): void {
  silentBeats = 0;
  const message = decodeFrame(frame, requestLimits) as ToCell;
  switch (message.t) {
    case "beat":
      return;
    case "call":
      return workerOf(message.worker).call(message.call, frame);
    case "cancel":
      return workerOf(message.worker).cancel(message.call);
    case "supply":
      return workerOf(message.worker).supply(message.ask, message.values, message.error);
  }
}

async function listen(): Promise<never> {
  const reader = new FrameReader(requestLimits);
  const chunk = new Uint8Array(64 * 1024);
  for (let read = await Deno.stdin.read(chunk); read !== null; read = await Deno.stdin.read(chunk)) {
    for (const frame of reader.push(chunk.subarray(0, read))) receive(frame);
  }
  Deno.exit(0);
}

/** User and system time of this process, ms. */
function processorMs(): number {
  const { user, system } = (Deno as unknown as DenoCpu).cpuUsage();
  return (user + system) / 1000;
}

function checkRest(): void {
  const used = processorMs() - cpuMs;
  cpuMs += used;
  const elapsed = systemClock.monotonic() - checkedMs;
  checkedMs += elapsed;
  // every one is asked: a call that began and ended between two heartbeats has its work
  const rested = [...workers.values()].map((worker) => worker.rested()).every(Boolean);
  if (rest.broken(used, elapsed, rested)) end("the plugin does not rest after its answer: it works on");
}

systemClock.every(RSS_EVERY_MS, () => {
  const { rss } = Deno.memoryUsage();
  const megabytes = Math.round(rss / 2 ** 20);
  if (megabytes > limits.rssMb) {
    end(`memory: ${megabytes} MB are more than ${limits.rssMb} MB`, OUT_OF_MEMORY);
  }
});
systemClock.every(limits.beatMs, () => {
  if (++silentBeats * limits.beatMs > SILENCES * limits.silenceMs) end("the kernel is silent");
  for (const worker of workers.values()) worker.beat();
  checkRest();
  const heap = Math.max(0, ...[...workers.values()].map((worker) => worker.heap));
  tell({ t: "beat", rss: Deno.memoryUsage().rss, heap });
});
// every cell needs one: it loads what is trusted while the kernel hears of the cell
workerOf(0);
tell({ t: "ready" });
listen().catch((error) => end(`cannot go on: ${error}`));
