/** What becomes of every corner and condition of a graph: decided before anything is built, from influence and bounds alone. */
import type { Graph, NodeId } from "./expr.ts";
import { FALLING, type Influence, NONE, RISING } from "./influence.ts";
import type { Op } from "./ops.ts";

/**
 * keep: as it is (no influence, one side only, or a layer's step). lift: a variable and one row a piece. branch: a switch.
 * smooth: rounded off with a width.
 */
export type Treatment = "keep" | "lift" | "branch" | "smooth";

export interface LiftPlan {
  /** By slot of the result. */
  readonly treatment: readonly Treatment[];
  /** Slots of numbers that are used as a condition and get a branch "is 0". */
  readonly truths: ReadonlySet<number>;
  /** Steps whose value is given from outside, with the number of the first of their elements. */
  readonly held: ReadonlyMap<NodeId, number>;
  readonly heldElements: number;
  /** Number of slots with a branch; of these, all may turn out to be unnecessary. */
  readonly branches: number;
  /** Steps left as they are, and corners rounded off, because there are too many. */
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
export const LAYER = 8;

/** Steps that are no conditions; `mod` has one inside. */
export const STEPS: ReadonlySet<Op> = new Set<Op>(["floor", "ceil", "round", "floordiv", "mod", "trees"]);
export const COMPARISONS: ReadonlySet<Op> = new Set<Op>(["lt", "le", "eq"]);

export const BOOLEANS: ReadonlySet<Op> = new Set<Op>(["lt", "le", "eq", "and", "or", "not"]);

/**
 * @param ids The nodes that matter, arguments first. @param slotOf Their places. @param varies By slot: depends on a variable.
 * Where there are steps, or more conditions than branches, all of these are held: a search goes through their values, and
 * conditions are steps like others to it.
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
  const held = new Map<NodeId, number>();
  let heldElements = 0;
  const hold = (id: NodeId) => {
    if (varyingSlots(id).length === 0) return;
    held.set(id, heldElements);
    heldElements += graph.nodes[id].length;
  };
  const addConditions = (id: NodeId, kind: "truth" | "condition") => {
    const { length } = graph.nodes[id];
    const slots = varyingSlots(id);
    if (length > LAYER) stepped += slots.length;
    else for (const slot of slots) candidates.push({ slot, kind, length });
  };
  const varyingSlots = (id: NodeId) =>
    Array.from({ length: graph.nodes[id].length }, (_, i) => slotOf[id] + i)
      .filter((slot) => influence.signs[slot] !== NONE && varies(slot));
  const steps = ids.filter((id) => STEPS.has(graph.nodes[id].op) && varyingSlots(id).length > 0);
  const conditions = ids.filter((id) =>
    COMPARISONS.has(graph.nodes[id].op) && graph.nodes[id].length <= LAYER
  );
  const compared = conditions.reduce((sum, id) => sum + varyingSlots(id).length, 0);
  const holding = steps.length > 0 || compared > limits.branches;
  for (const id of ids) {
    const { op, args, length } = graph.nodes[id];
    if (holding && STEPS.has(op)) {
      if (op === "trees" || length <= LAYER) hold(id);
      else stepped += varyingSlots(id).length;
      continue;
    }
    if (holding && COMPARISONS.has(op) && length <= LAYER) {
      hold(id);
      continue;
    }
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
  return { treatment, truths, held, heldElements, branches, stepped, smoothed };
}
