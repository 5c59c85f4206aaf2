/** A kernel that will be killed: prints the pid of its cell. */
import { GAIN } from "../cells/plugins.ts";
import { startHost } from "../cells/start.ts";

const { host } = startHost();
await host.open({ id: "gain", text: GAIN });
Deno.stdout.writeSync(new TextEncoder().encode(String(host.status()[0].pid)));
