/** From a strategy and its plugins to one graph. */
import { Findings, inFileOrder } from "./findings.ts";
import { linkAnswers, type LinkReply, type LinkRequest } from "./linker.ts";
import type { FileResolver, LinkedStrategy, SkillDriver } from "./linked.ts";
import { askPlugins, type Described } from "./lowering.ts";
import { foundPosition } from "./positions.ts";
import type { Note, Strategy } from "./strategy.ts";

/** Where a strategy is linked: here, or on another thread. */
export type LinkPlace = (request: LinkRequest) => LinkReply | Promise<LinkReply>;

/**
 * Lowers every skill and links all of them.
 * @param strategy As `readStrategy` gives it: its problems are told together with those found here.
 * @param place Default: here, which takes as long as the plugins' descriptions are large.
 * @throws {SetpointError} With all problems in one go.
 */
export async function linkStrategy(
  strategy: Strategy,
  driver: SkillDriver,
  files: FileResolver,
  place: LinkPlace = linkAnswers,
): Promise<LinkedStrategy> {
  const asked = new Findings(strategy, strategy.problems, strategy.notes);
  const answers = await askPlugins(strategy, driver, files, asked);
  const { position: _, keyPosition: __, ...plain } = strategy;
  const lowered = new Map([...answers.lowered].map(([name, described]) => [name, withoutFiles(described)]));
  const { problems, notes } = asked;
  const reply = await place({ ...answers, lowered, strategy: plain, problems, notes });

  const found = <T extends { readonly at?: Note["at"] }>(finding: T): T =>
    finding.at === undefined ? finding : { ...finding, at: foundPosition(strategy, finding.at) };
  const findings = new Findings(strategy, reply.problems.map(found), reply.notes.map(found));
  if (reply.wired === undefined) throw findings.error();
  const opaques = reply.wired.opaques.map((opaque) => {
    const { spec } = answers.lowered.get(opaque.skill)!;
    const model = opaque.file === undefined ? undefined : spec.files[opaque.file];
    return { ...opaque, spec, ...(model && { model }) };
  });
  return Object.freeze({
    ...reply.wired,
    variables: [...strategy.variables.values()],
    opaques,
    notes: Object.freeze(inFileOrder(findings.notes)),
  });
}

/** What the plugin needed beside the expression is not needed to link it. */
function withoutFiles({ spec, message }: Described): Described {
  const { sample: _, ...rest } = message;
  // a view of a whole frame would be posted with all of it
  return { spec: { ...spec, files: {} }, message: { ...rest, expression: message.expression.slice() } };
}
