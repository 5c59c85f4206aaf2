/** Tensors while a model is lowered: known numbers, or a node of the graph that holds them flat in row-major order. */
import { type Graph, MAX_LENGTH, type NodeId } from "./expr.ts";
import { GraphError } from "./graph_error.ts";
import type { BinaryOp, UnaryOp } from "./ops.ts";

export interface OnnxValue {
  readonly shape: readonly number[];
  /** Integers and truth values, on which Div truncates. */
  readonly integer: boolean;
  /** Set where the values are known. */
  readonly data?: Float64Array;
  /** Set where they are not. */
  readonly id?: NodeId;
  /** Read by one node only: what is folded into it is not computed twice. */
  readonly once?: boolean;
}

/** Thrown where a model is right but cannot become a graph; it then runs in ONNX Runtime. */
export class NotLowerable extends Error {}

/** All values of one model together may have so many elements. */
const MAX_ELEMENTS = 1 << 24;
/** A permutation of more than so many pieces would be a graph that is slower than the model. */
const MAX_PIECES = 4096;

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}

/** Distance in the flat order from one element to the next, a dimension. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** Builds graph nodes from tensors; broadcasting is ONNX's (the same as NumPy's). */
export class OnnxBuilder {
  readonly graph: Graph;
  #elements = 0;

  constructor(graph: Graph) {
    this.graph = graph;
  }

  known(shape: readonly number[], data: Float64Array, integer = false): OnnxValue {
    this.spend(data.length);
    return { shape, data, integer };
  }

  /** A node's value; known numbers where the graph has folded them. */
  wrap(shape: readonly number[], id: NodeId, integer = false): OnnxValue {
    const node = this.graph.nodes[id];
    this.spend(node.length);
    return node.op === "constant" ? { shape, data: node.data!, integer } : { shape, id, integer };
  }

  node(value: OnnxValue): NodeId {
    if (value.id !== undefined) return value.id;
    if (value.data!.length === 0) throw new NotLowerable("a tensor has no elements");
    if (value.data!.length > MAX_LENGTH) {
      throw new NotLowerable(`a tensor has ${value.data!.length} elements`);
    }
    return this.graph.constant(value.data!);
  }

  /** Counts what is built, so that small files cannot ask for much memory. */
  spend(elements: number): void {
    this.#elements += elements;
    if (!(this.#elements <= MAX_ELEMENTS)) {
      throw new GraphError("ONNX", `its tensors have more than ${MAX_ELEMENTS} elements together`);
    }
  }

  /** Checks a size before it is allocated. */
  room(shape: readonly number[]): number {
    const size = sizeOf(shape);
    if (!(size <= MAX_LENGTH)) throw new GraphError("ONNX", `it makes a tensor of shape [${shape}]`);
    return size;
  }

  reshaped(value: OnnxValue, shape: readonly number[]): OnnxValue {
    return { ...value, shape };
  }

  /** Elements of `value` by their place in its flat order. */
  gather(value: OnnxValue, places: ArrayLike<number>, shape: readonly number[]): OnnxValue {
    this.spend(places.length);
    if (value.data !== undefined) {
      const data = Float64Array.from(places, (place) => value.data![place]);
      return { shape, data, integer: value.integer };
    }
    const runs = runsOf(places);
    if (places.length === 0) throw new NotLowerable("a tensor has no elements");
    if (runs.length > MAX_PIECES) throw new NotLowerable(`it permutes a tensor into ${runs.length} pieces`);
    const id = this.graph.concat(runs.map(([start, length]) => this.graph.slice(value.id!, start, length)));
    return { shape, id, integer: value.integer };
  }

  broadcast(value: OnnxValue, shape: readonly number[]): OnnxValue {
    const size = this.room(shape);
    if (sizeOf(value.shape) === size) return this.reshaped(value, shape);
    const offset = shape.length - value.shape.length;
    const strides = stridesOf(value.shape);
    const places = new Int32Array(size);
    eachPlace(shape, (index, place) => {
      let from = 0;
      for (let axis = 0; axis < value.shape.length; axis++) {
        if (value.shape[axis] !== 1) from += index[axis + offset] * strides[axis];
      }
      places[place] = from;
    });
    return this.gather(value, places, shape);
  }

  unary(op: UnaryOp, value: OnnxValue, integer = false): OnnxValue {
    return this.wrap(value.shape, this.graph.unary(op, this.node(value)), integer);
  }

  binary(op: BinaryOp, a: OnnxValue, b: OnnxValue, integer = a.integer && b.integer): OnnxValue {
    const shape = broadcastShape(a.shape, b.shape);
    const [left, right] = [this.#operand(a, shape), this.#operand(b, shape)];
    return this.wrap(shape, this.graph.binary(op, left, right), integer);
  }

  select(condition: OnnxValue, a: OnnxValue, b: OnnxValue): OnnxValue {
    const shape = broadcastShape(condition.shape, broadcastShape(a.shape, b.shape));
    const [c, left, right] = [condition, a, b].map((value) => this.#operand(value, shape));
    return this.wrap(shape, this.graph.select(c, left, right), a.integer && b.integer);
  }

  /** W x + b, W row-major. Every use of the weights counts, also of the same ones. */
  linear(shape: readonly number[], weight: Float64Array, x: OnnxValue, bias?: Float64Array): OnnxValue {
    this.spend(weight.length);
    checkFinite(weight);
    if (bias !== undefined) checkFinite(bias);
    return this.wrap(shape, this.graph.linear(weight, this.node(x), bias));
  }

  scalar(value: number): OnnxValue {
    return { shape: [], data: Float64Array.of(value), integer: false };
  }

  /** x·scale + shift with known numbers; where x is a matrix product that nothing else reads, they go into its weights. */
  affine(x: OnnxValue, scale: OnnxValue, shift: OnnxValue): OnnxValue {
    const shape = broadcastShape(x.shape, broadcastShape(scale.shape, shift.shape));
    const node = x.id === undefined ? undefined : this.graph.nodes[x.id];
    if (node?.op !== "linear" || !x.once || sizeOf(shape) !== node.length || !scale.data || !shift.data) {
      return this.binary("add", this.binary("mul", x, scale), shift);
    }
    const a = this.broadcast(scale, shape).data!;
    const b = this.broadcast(shift, shape).data!;
    const columns = this.graph.nodes[node.args[0]].length;
    const weight = Float64Array.from(
      { length: node.length * columns },
      (_, i) => node.data![i] * a[Math.floor(i / columns)],
    );
    const bias = Float64Array.from(b, (value, i) => node.data![weight.length + i] * a[i] + value);
    this.spend(weight.length);
    checkFinite(weight);
    checkFinite(bias);
    return this.wrap(shape, this.graph.linear(weight, node.args[0], bias));
  }

  /** A scalar stays one, the graph spreads it; other sizes are spread here. */
  #operand(value: OnnxValue, shape: readonly number[]): NodeId {
    return this.node(sizeOf(value.shape) === 1 && sizeOf(shape) > 0 ? value : this.broadcast(value, shape));
  }
}

/** An infinite bound or mask may be meant; an infinite weight gives NaN for every input of 0. */
function checkFinite(weights: Float64Array): void {
  const bad = weights.find((weight) => !Number.isFinite(weight));
  if (bad !== undefined) {
    throw new GraphError("ONNX", `one of its weights is ${bad}, expected finite numbers`);
  }
}

/** @throws {GraphError} ONNX if the shapes do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) {
      throw new GraphError("ONNX", `shapes [${a}] and [${b}] do not fit`);
    }
    return left === 1 ? right : left;
  });
}

/** Visits each index of a shape in the flat order; `index` is one array that changes. */
export function eachPlace(
  shape: readonly number[],
  visit: (index: readonly number[], place: number) => void,
): void {
  const size = sizeOf(shape);
  const index = shape.map(() => 0);
  for (let place = 0; place < size; place++) {
    visit(index, place);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
}

/** With the dimensions in another order. */
export function ordered(build: OnnxBuilder, value: OnnxValue, order: readonly number[]): OnnxValue {
  const shape = order.map((axis) => value.shape[axis]);
  const strides = stridesOf(value.shape);
  const places = new Int32Array(build.room(shape));
  eachPlace(shape, (index, at) => {
    places[at] = index.reduce((sum, i, axis) => sum + i * strides[order[axis]], 0);
  });
  return build.gather(value, places, shape);
}

/** −1 is the last axis. @throws {GraphError} ONNX */
export function axisOf(axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || positive < 0 || positive >= rank) {
    throw new GraphError("ONNX", `axis ${axis} is not one of ${rank} dimensions`);
  }
  return positive;
}

/** Runs of consecutive places as [start, length]. */
function runsOf(places: ArrayLike<number>): [number, number][] {
  const runs: [number, number][] = [];
  for (let i = 0; i < places.length; i++) {
    const last = runs.at(-1);
    if (last !== undefined && last[0] + last[1] === places[i]) last[1]++;
    else runs.push([places[i], 1]);
  }
  return runs;
}
