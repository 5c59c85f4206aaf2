import { wasmMachine } from "../../runtime/engine/wasm_machine.ts";

/** engine.wasm as it is committed. */
export const ENGINE = new WebAssembly.Module(
  Deno.readFileSync(new URL("../../runtime/engine/engine.wasm", import.meta.url)),
);

/** Tapes in WebAssembly. */
export const ENGINE_MACHINE = wasmMachine(ENGINE);
