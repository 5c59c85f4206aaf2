/** What becomes of every corner and condition of a graph: decided before anything is built, from influence and bounds alone. */
import type { Graph, NodeId } from "./expr.ts";
import { FALLING, type Influence, NONE, RISING } from "./influence.ts";
import type { Op } from "./ops.ts";

/**
 * keep: as it is (no influence, one side only, or a step beyond the limit of branches). lift: a variable and one row a
 * piece. branch: a switch. smooth: rounded off with a width.
 */
export type Treatment = "keep" | "lift" | "branch" | "smooth";

export interface LiftPlan {
  /** By slot of the result. */
  readonly treatment: readonly Treatment[];
  /** Slots of numbers that are used as a condition and get a branch "is 0". */
  readonly truths: ReadonlySet<number>;
  /** Number of slots with a branch; of these, all may turn out to be unnecessary. */
  readonly branches: number;
  /** Conditions left as steps, and corners rounded off, because there are too many. */
  readonly stepped: number;
  readonly smoothed: number;
}

interface Candidate {
  readonly slot: number;
  readonly kind: "condition" | "truth" | "corner";
  /** Length of the node: the corners of a network's layer come after those of formulas. */
  readonly length: number;
}

export const BOOLEANS: ReadonlySet<Op> = new Set<Op>(["lt", "le", "eq", "and", "or", "not"]);

/**
 * @param ids The nodes that matter, arguments first. @param slotOf Their places. @param varies By slot: depends on a variable.
 * @param limit Most branches. Conditions come first, because a condition cannot be rounded off.
 */
export function planLift(
  graph: Graph,
  ids: readonly NodeId[],
  slotOf: Int32Array,
  varies: (slot: number) => boolean,
  influence: Influence,
  limit: number,
): LiftPlan {
  const treatment: Treatment[] = new Array(influence.signs.length).fill("keep");
  const candidates: Candidate[] = [];
  const addTruths = (id: NodeId) => {
    const node = graph.nodes[id];
    if (BOOLEANS.has(node.op)) return;
    for (let i = 0; i < node.length; i++) {
      if (varies(slotOf[id] + i)) {
        candidates.push({ slot: slotOf[id] + i, kind: "truth", length: node.length });
      }
    }
  };
  for (const id of ids) {
    const { op, args, length } = graph.nodes[id];
    if (op === "and" || op === "or" || op === "not") args.forEach(addTruths);
    else if (op === "select") addTruths(args[0]);
    else if (op === "lt" || op === "le" || op === "eq") {
      for (let i = 0; i < length; i++) {
        const slot = slotOf[id] + i;
        if (influence.signs[slot] !== NONE && varies(slot)) {
          candidates.push({ slot, kind: "condition", length });
        }
      }
    } else if (op === "min" || op === "max" || op === "abs") {
      for (let i = 0; i < length; i++) {
        const slot = slotOf[id] + i;
        const sign = influence.signs[slot];
        if (sign === NONE || !varies(slot)) continue;
        if (sign === (op === "min" ? FALLING : RISING)) treatment[slot] = "lift";
        else candidates.push({ slot, kind: "corner", length });
      }
    }
  }
  const rank = (c: Candidate) => c.kind === "corner" ? 1 + c.length : 0;
  candidates.sort((a, b) => rank(a) - rank(b) || a.slot - b.slot);
  const truths = new Set<number>();
  let [branches, stepped, smoothed] = [0, 0, 0];
  for (const { slot, kind } of candidates) {
    const room = branches < limit;
    if (kind === "truth") {
      if (room && !truths.has(slot)) truths.add(slot);
      else continue;
    } else treatment[slot] = room ? "branch" : kind === "corner" ? "smooth" : "keep";
    if (room) branches++;
    else if (kind === "corner") smoothed++;
    else stepped++;
  }
  return { treatment, truths, branches, stepped, smoothed };
}
