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

/**
 * A longer vector is taken for a network's layer. Its conditions stay steps (a leaky ReLU has no jump); its corners are
 * lifted as a whole or rounded off, never branched.
 */
const LAYER = 8;

export const BOOLEANS: ReadonlySet<Op> = new Set<Op>(["lt", "le", "eq", "and", "or", "not"]);

/**
 * @param ids The nodes that matter, arguments first. @param slotOf Their places. @param varies By slot: depends on a variable.
 * @param limits Most branches and auxiliary variables. Conditions come first, because a condition cannot be rounded off;
 *   shorter vectors come before longer ones.
 */
export function planLift(
  graph: Graph,
  ids: readonly NodeId[],
  slotOf: Int32Array,
  varies: (slot: number) => boolean,
  influence: Influence,
  limits: { readonly branches: number; readonly auxiliaries: number },
): LiftPlan {
  const treatment: Treatment[] = new Array(influence.signs.length).fill("keep");
  const candidates: Candidate[] = [];
  const lifts: Candidate[] = [];
  let [branches, stepped, smoothed] = [0, 0, 0];
  const addConditions = (id: NodeId, kind: "truth" | "condition") => {
    const { length } = graph.nodes[id];
    const slots = varyingSlots(id);
    if (length > LAYER) stepped += slots.length;
    else for (const slot of slots) candidates.push({ slot, kind, length });
  };
  const varyingSlots = (id: NodeId) =>
    Array.from({ length: graph.nodes[id].length }, (_, i) => slotOf[id] + i)
      .filter((slot) => influence.signs[slot] !== NONE && varies(slot));
  for (const id of ids) {
    const { op, args, length } = graph.nodes[id];
    const tested = op === "and" || op === "or" || op === "not" ? args : op === "select" ? [args[0]] : [];
    for (const arg of tested) if (!BOOLEANS.has(graph.nodes[arg].op)) addConditions(arg, "truth");
    if (op === "lt" || op === "le" || op === "eq") {
      addConditions(id, "condition");
    } else if (op === "min" || op === "max" || op === "abs") {
      const slots = varyingSlots(id);
      const liftable = (slot: number) => influence.signs[slot] === (op === "min" ? FALLING : RISING);
      const whole = length <= LAYER || slots.every(liftable);
      if (!whole) smoothed += slots.length;
      for (const slot of slots) {
        if (!whole) treatment[slot] = "smooth";
        else (liftable(slot) ? lifts : candidates).push({ slot, kind: "corner", length });
      }
    }
  }
  const rank = (c: Candidate) => c.kind === "corner" ? 1 + c.length : 0;
  candidates.sort((a, b) => rank(a) - rank(b) || a.slot - b.slot);
  const truths = new Set<number>();
  lifts.sort((a, b) => a.length - b.length || a.slot - b.slot);
  for (const { slot } of lifts.slice(0, limits.auxiliaries)) treatment[slot] = "lift";
  for (const { slot } of lifts.slice(limits.auxiliaries)) {
    treatment[slot] = "smooth";
    smoothed++;
  }
  for (const { slot, kind } of candidates) {
    const room = branches < limits.branches;
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
