/** The part of `@std/cli` that Setpoint uses, on `node:util`, so that nothing but npm is needed. */
export { parseArgs, styleText } from "node:util";
