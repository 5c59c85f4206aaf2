/** The one importer of onnxruntime-web: as text and as bytes, never run in this process. Read when first needed. */

export interface OnnxRuntime {
  /** A self-contained JavaScript module. */
  readonly script: string;
  readonly wasm: Uint8Array;
}

export async function loadOnnxRuntime(): Promise<OnnxRuntime> {
  const [script, wasm] = await Promise.all([
    import("onnxruntime-web/wasm", { with: { type: "text" } }),
    import("onnxruntime-web/ort-wasm-simd-threaded.wasm", { with: { type: "bytes" } }),
  ]);
  return { script: script.default as unknown as string, wasm: wasm.default as unknown as Uint8Array };
}
