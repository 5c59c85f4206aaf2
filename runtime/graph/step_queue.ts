/** What branch and bound through steps has still to look at. */
import type { Cell } from "./step_axes.ts";

/** Part of a cell. */
export interface Part extends Cell {
  readonly lo: Float64Array;
  readonly hi: Float64Array;
  readonly halvings: number;
}

export interface Node extends Part {
  readonly bound: number;
  readonly branch: { readonly axis: number; readonly place: number } | undefined;
  /** The held steps, where each has one value in it. */
  readonly values: Float64Array | undefined;
}

/** Least bound first. */
export class Heap {
  readonly #nodes: Node[] = [];

  get size(): number {
    return this.#nodes.length;
  }

  least(): number {
    return this.#nodes[0].bound;
  }

  push(node: Node): void {
    const nodes = this.#nodes;
    let at = nodes.push(node) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && node.bound < nodes[parent].bound; parent = (at - 1) >> 1) {
      nodes[at] = nodes[parent];
      at = parent;
    }
    nodes[at] = node;
  }

  pop(): Node {
    const nodes = this.#nodes;
    const [first] = nodes;
    const last = nodes.pop()!;
    if (nodes.length === 0) return first;
    let at = 0;
    for (let child = 1; child < nodes.length; child = 2 * at + 1) {
      if (child + 1 < nodes.length && nodes[child + 1].bound < nodes[child].bound) child++;
      if (nodes[child].bound >= last.bound) break;
      nodes[at] = nodes[child];
      at = child;
    }
    nodes[at] = last;
    return first;
  }
}
