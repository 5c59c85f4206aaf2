/** The attacks of A1 to A17 that a plugin makes while it loads. */
export interface Attack {
  readonly id: string;
  readonly name: string;
  readonly body: string;
  readonly statics?: string;
  /** What the control shows. */
  readonly control: { readonly text?: RegExp; readonly signal?: string };
}

export const ATTACKS: readonly Attack[] = [
  {
    id: "A1",
    name: "SIGKILL of its own process",
    body: 'Deno.kill(Deno.pid, "SIGKILL"); await new Promise((done) => setTimeout(done, 2000));',
    control: { signal: "SIGKILL" },
  },
  {
    id: "A1",
    name: "SIGKILL by process.kill",
    body: "process.kill(process.pid, 9); await new Promise((done) => setTimeout(done, 2000));",
    control: { signal: "SIGKILL" },
  },
  {
    id: "A1",
    name: "SIGKILL by an imported node:process",
    body:
      'const p = await import("node:process"); p.kill(p.pid, 9); await new Promise((done) => setTimeout(done, 2000));',
    control: { signal: "SIGKILL" },
  },
  {
    id: "A7",
    name: "posting messages without end",
    body:
      'const big = Array.from({ length: 500 }, (_, k) => ({ k, text: "x".repeat(50) })); for (let k = 0; k < 5_000; k++) postMessage(big); postMessage("flooded");',
    control: { text: /took in 5000 messages/ },
  },
  {
    id: "A10",
    name: "starting workers",
    body: 'new Worker("data:text/javascript,1", { type: "module" }); return "started";',
    control: { text: /^got started/ },
  },
  {
    id: "A11",
    name: "a static text import of a file",
    statics: 'import secret from "file:///etc/passwd" with { type: "text" };',
    body: "return secret.slice(0, 4);",
    control: { text: /^got root/ },
  },
  {
    id: "A13",
    name: "importing a package by a computed name",
    body: 'return new (await import("npm:" + "lru-cache@11.5.3")).LRUCache({ max: 1 }).max;',
    control: { text: /^got 1/ },
  },
  {
    id: "A14",
    name: "BroadcastChannel",
    // who does not listen yet misses a message
    body:
      'const channel = new BroadcastChannel("control"); channel.postMessage("you"); globalThis.setInterval?.(() => channel.postMessage("you"), 20); return "sent";',
    control: { text: /^heard you$/m },
  },
  {
    id: "A15",
    name: "writing to stdout",
    body: 'Deno.stdout.writeSync(new TextEncoder().encode("forged\\n")); return "wrote";',
    control: { text: /^forged/ },
  },
  {
    id: "A16",
    name: "V8 flags",
    body:
      'const { setFlagsFromString } = await import("node:v8"); setFlagsFromString("--no-opt"); return "set";',
    control: { text: /^got set/ },
  },
  {
    id: "A17",
    name: "Deno.exit",
    body: 'postMessage("bye"); Deno.exit(3); await new Promise(() => {});',
    control: { text: /^bye\nthen nothing, and no event/ },
  },
  {
    id: "A17",
    name: "self.close",
    body: 'postMessage("bye"); self.close(); await new Promise(() => {});',
    control: { text: /^bye\nthen nothing, and no event/ },
  },
];
