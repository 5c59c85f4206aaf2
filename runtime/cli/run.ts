/** The commands that end by themselves. */
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { inputFiles, type Invocation, outputFile } from "./command_line.ts";
import { printLog } from "./print.ts";

/** @returns The exit code. @throws {SetpointError} */
export async function runCommand(invocation: Invocation, config: Config, clock: Clock): Promise<number> {
  const { command, flags, operands } = invocation;
  const json = "json" in flags;
  const asked = { state: config.folders.state, json, clock };
  switch (command) {
    case "start":
      throw new TypeError("start does not end by itself");
    case "cache:stats":
      return await (await import("./cache.ts")).cacheStats(asked);
    case "cache:clear":
      return await (await import("./cache.ts")).cacheClear(asked);
    case "plugins":
      return await (await import("./plugins.ts")).plugins({ ...asked, release: flags.release });
    case "plugin:new":
      return await (await import("./plugin_new.ts")).pluginNew(
        outputFile(invocation)!,
        invocation.operands[0],
        flags.kind,
      );
    case "plugin:build":
      return await (await import("./plugin_dev.ts")).pluginBuild(
        inputFiles(invocation)[0],
        outputFile(invocation)!,
      );
    case "plugin:test":
      return await (await import("./plugin_test.ts")).pluginTest(inputFiles(invocation)[0], { json, clock });
    case "plugin:dev": {
      const out = outputFile(invocation);
      return await (await import("./plugin_dev.ts")).pluginDev(inputFiles(invocation)[0], { out, clock });
    }
    case "model:inspect": {
      const [file] = inputFiles(invocation);
      return await (await import("./model_inspect.ts")).modelInspect({
        file,
        json,
        activation: flags.activation,
        outputActivation: flags["output-activation"],
        eps: flags.eps,
      });
    }
    case "model:import": {
      const asked = { file: inputFiles(invocation)[0], store: outputFile(invocation)!, json };
      return await (await import("./model_import.ts")).modelImport({
        ...asked,
        activation: flags.activation,
        outputActivation: flags["output-activation"],
        eps: flags.eps,
      });
    }
    case "health":
      return await (await import("./health.ts")).health(asked);
  }
  const { composeKernel } = await import("../kernel/compose.ts");
  const { debug } = config.api;
  const [file] = inputFiles(invocation);
  // both print the warnings themselves
  const log = printLog(debug ? "info" : "error");
  await using composed = await composeKernel(config, { clock, log, serving: false });
  if (command === "optimize") {
    const { optimize } = await import("./optimize.ts");
    return await optimize(composed.kernel, { input: file, json, debug });
  }
  if (command === "explain") {
    const { explain } = await import("./explain.ts");
    return await explain(composed.kernel, { input: file, json });
  }
  const { validate } = await import("./validate.ts");
  return await validate(composed.kernel, { file, shown: operands[0], json });
}
