/** The throw-away process of attackControl(): a worker with the permissions of its second argument, and nothing else of a cell. */
const url = URL.createObjectURL(new Blob([Deno.args[0]], { type: "application/typescript" }));
const worker = new Worker(url, {
  type: "module",
  deno: { permissions: Deno.args[1] as "none" | "inherit" },
});
new BroadcastChannel("control").onmessage = ({ data }) => print(`heard ${data}`);
worker.onmessage = ({ data }) => {
  print(data instanceof Uint8Array ? `bytes ${data.length}` : String(data));
  if (data === "terminate me") worker.terminate();
  else Deno.exit(0);
};
worker.onerror = (event) => {
  event.preventDefault();
  print(`error ${event.message}`);
  Deno.exit(1);
};

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
