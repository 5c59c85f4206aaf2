/** Entry of a worker without permissions: how long its first solve takes, the solver's memory and code being cold. */
import { createSolver, createWasmSolver } from "../../runtime/solver/mod.ts";
import { hs071 } from "../solver/hs071.ts";

declare const self: Worker;

self.onmessage = ({ data: { module } }: MessageEvent<{ module?: WebAssembly.Module }>) => {
  const start = performance.now();
  const { n, m } = hs071;
  const solver = module === undefined ? createSolver(n, m) : createWasmSolver(module, n, m);
  const { status } = solver.solve(hs071);
  self.postMessage({ status, ms: performance.now() - start });
};
