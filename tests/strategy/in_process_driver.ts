import { encodeExpression, Graph, type Lowered, type Plugin, type SkillSpec } from "setpoint";
import { setpointError } from "../../runtime/errors.ts";
import type { LoweredMessage } from "../../runtime/graph/skill.ts";
import type { FileResolver, SkillDriver } from "../../runtime/strategy/linked.ts";

/** Plugins by class, called where the test runs: what they describe goes through the same bytes as over a cell. */
export function inProcessDriver(plugins: Readonly<Record<string, Plugin>>): SkillDriver {
  return {
    kindOf: (cls) => Promise.resolve(plugins[cls].kind),
    async lower(spec): Promise<LoweredMessage> {
      await Promise.resolve();
      const plugin = plugins[spec.class];
      if (plugin.kind === "optimizer" || plugin.kind === "composition") {
        throw new TypeError("not to be lowered");
      }
      const lowered = plugin.lower?.(spec) ?? wholeOpaque(spec);
      return {
        expression: encodeExpression(lowered.expression),
        sources: lowered.sources,
        opaques: lowered.opaques ?? [],
        limits: lowered.limits ?? [],
        notes: lowered.notes ?? [],
      };
    },
    async sequence(spec) {
      await Promise.resolve();
      const plugin = plugins[spec.class];
      if (plugin.kind !== "composition") throw new TypeError("no composition");
      return plugin.sequence(spec);
    },
  };
}

function wholeOpaque(spec: SkillSpec): Lowered {
  const graph = new Graph();
  const input = graph.concat(spec.inputs.map((_, k) => graph.parameter(k)));
  const answer = graph.opaque(0, input, spec.outputs.length);
  return {
    expression: {
      graph,
      sources: spec.inputs.length,
      outputs: spec.outputs.map((_, k) => graph.slice(answer, k, 1)),
    },
    sources: spec.inputs.map((variable) => ({ variable, role: "value" })),
    opaques: [{ engine: "self", inputs: spec.inputs.length, outputs: spec.outputs.length }],
  };
}

/** For strategies that name no files. */
export const noFiles: FileResolver = (path) =>
  Promise.reject(setpointError("FILE_MISSING", `Cannot find the file "${path}"`));
