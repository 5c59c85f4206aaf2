/** In a worker: calls of a plugin that works on skills. */
import {
  encodeExpression,
  Graph,
  type Lowered,
  type OpaqueSpec,
  type Plugin,
  type SkillSpec,
  type Source,
} from "../../plugins/sdk_core.ts";
import type { LoweredMessage } from "../graph/skill.ts";
import { given } from "./given.ts";
import { sampleModel } from "./model_sample.ts";
import type { CallMessage, SkillReference } from "./protocol.ts";

type SkillMessage = Extract<CallMessage, { skill: SkillReference }>;
type EvaluateMessage = Extract<SkillMessage, { method: "evaluate" }>;

export class SkillCalls {
  readonly #plugin: Plugin;
  readonly #skills = new Map<number, SkillSpec>();

  constructor(plugin: Plugin) {
    this.#plugin = plugin;
  }

  call(message: SkillMessage): unknown {
    const skill = this.#find(message.skill);
    switch (message.method) {
      case "lower":
        return this.#lower(skill);
      case "sequence":
        return this.#sequence(skill);
      case "evaluate":
        return this.#evaluate(skill, message);
    }
  }

  #find({ id, spec, forget }: SkillReference): SkillSpec {
    for (const old of forget ?? []) this.#skills.delete(old);
    if (spec !== undefined) this.#skills.set(id, spec);
    const skill = this.#skills.get(id);
    if (skill === undefined) throw new TypeError(`Cannot find skill ${id}`);
    return skill;
  }

  #lower(skill: SkillSpec): LoweredMessage {
    const plugin = this.#plugin;
    if (plugin.kind === "optimizer" || plugin.kind === "composition") {
      throw new TypeError(`Cannot lower a skill with a plugin of kind "${plugin.kind}"`);
    }
    const lowered = plugin.lower === undefined ? wholeOpaque(skill) : described(plugin.lower(skill));
    const jacobian = plugin.jacobian !== undefined;
    const opaques = (lowered.opaques ?? []).map((spec) => (
      spec.engine === "self" ? { ...spec, jacobian: jacobian && spec.jacobian !== false } : spec
    ));
    if (opaques.some(({ engine }) => engine === "self") && plugin.evaluate === undefined) {
      throw new TypeError('Cannot use an opaque node of engine "self": the plugin has no "evaluate"');
    }
    return {
      expression: encodeExpression(lowered.expression),
      sources: lowered.sources,
      opaques,
      limits: lowered.limits ?? [],
      notes: lowered.notes ?? [],
      ...(lowered.check && { sample: sampleModel(lowered.check) }),
    };
  }

  #sequence(skill: SkillSpec): readonly string[] {
    if (this.#plugin.kind !== "composition") {
      throw new TypeError(`Cannot order skills with a plugin of kind "${this.#plugin.kind}"`);
    }
    return this.#plugin.sequence(skill);
  }

  #evaluate(skill: SkillSpec, message: EvaluateMessage): unknown {
    const plugin = this.#plugin;
    if (plugin.kind === "optimizer" || plugin.kind === "composition" || plugin.evaluate === undefined) {
      throw new TypeError('Cannot evaluate: the plugin has no "evaluate"');
    }
    const { batch, count, opaque, jacobians } = message;
    const values = floats(plugin.evaluate(skill, batch, count, opaque), "evaluate");
    if (!jacobians) return values;
    return { values, jacobians: floats(plugin.jacobian!(skill, batch, count, opaque), "jacobian") };
  }
}

function floats(answer: unknown, method: string): Float64Array {
  if (answer instanceof Float64Array) return answer;
  throw new TypeError(`Cannot use the answer of "${method}": got ${given(answer)}, expected a Float64Array`);
}

/** The rest of it is the kernel's to check. */
function described(answer: Lowered): Lowered {
  if (answer?.expression?.graph instanceof Graph && Array.isArray(answer.sources)) return answer;
  throw new TypeError(
    `Cannot use the answer of "lower": got ${given(answer)}, expected what describe() gives`,
  );
}

/** What a plugin without `lower` means: one opaque node over the values of all inputs. */
function wholeOpaque(skill: SkillSpec): Lowered {
  const graph = new Graph();
  const sources = skill.inputs.map((variable): Source => ({ variable, role: "value" }));
  const spec: OpaqueSpec = { engine: "self", inputs: skill.inputs.length, outputs: skill.outputs.length };
  const input = graph.concat(skill.inputs.map((_, index) => graph.parameter(index)));
  const answer = graph.opaque(0, input, skill.outputs.length);
  const outputs = skill.outputs.map((_, index) => graph.slice(answer, index, 1));
  return { expression: { graph, sources: sources.length, outputs }, sources, opaques: [spec] };
}
