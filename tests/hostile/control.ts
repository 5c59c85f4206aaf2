/** The throw-away process of attackControl(): a worker with the permissions of its second argument, and nothing else of a cell. */
// no control lasts as long
setTimeout(() => Deno.exit(1), 120_000);
new BroadcastChannel("control").onmessage = ({ data }) => {
  print(`heard ${data}`);
  Deno.exit(0);
};
const url = URL.createObjectURL(new Blob([Deno.args[0]], { type: "application/typescript" }));
const worker = new Worker(url, {
  type: "module",
  deno: { permissions: Deno.args[1] as "none" | "inherit" },
});
let unasked = 0;
let told = "";
worker.onmessage = ({ data }) => {
  if (Array.isArray(data)) return void unasked++;
  told = data instanceof Uint8Array ? `bytes ${data.length}` : String(data);
  print(told);
  if (data === "terminate me") worker.terminate();
  else if (data === "bye") setTimeout(silence, 500);
  else if (data === "flooded") end();
  else if (data !== "go on" && data !== "got sent") Deno.exit(0);
};
worker.onerror = (event) => {
  event.preventDefault();
  print(`error ${event.message}`);
  Deno.exit(1);
};

/** After its last words: no message, no error. */
function silence(): void {
  if (told === "bye") print("then nothing, and no event");
  Deno.exit(0);
}

function end(): void {
  print(`took in ${unasked} messages`);
  Deno.exit(0);
}

function print(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}
