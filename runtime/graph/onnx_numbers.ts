/** Where a value is a number. */
import { type Graph, type NodeId, reachable } from "./expr.ts";
import { NotLowerable, type OnnxBuilder, type OnnxValue } from "./onnx_value.ts";

/**
 * Where a value is a number, 1 or 0 an element; undefined: everywhere. What asks for NaN gets none from the inputs, as the
 * gate lets no missing value pass; it may get it from operators that not every number has a result of.
 * @throws {NotLowerable} Where an element is made of several.
 */
export function numbersOf(build: OnnxBuilder, { id, shape }: OnnxValue): OnnxValue | undefined {
  if (id === undefined) return undefined;
  const { graph } = build;
  const signs = new Map<NodeId, Sign>();
  const known = new Map<NodeId, NodeId | undefined>();
  for (const at of reachable(graph, [id])) {
    signs.set(at, signOf(graph, at, signs));
    known.set(at, domainOf(graph, at, signs, known));
  }
  const found = known.get(id);
  return found === undefined
    ? undefined
    : build.wrap(graph.nodes[found].length === 1 ? [] : shape, found, true);
}

/** What its arguments need comes first: a condition on what is no number would be none either. */
function domainOf(
  graph: Graph,
  id: NodeId,
  signs: ReadonlyMap<NodeId, Sign>,
  known: ReadonlyMap<NodeId, NodeId | undefined>,
): NodeId | undefined {
  const { op, args, length, index } = graph.nodes[id];
  const zero = () => graph.constant(0);
  const whole = args.length === 2 && graph.nodes[args[1]].data?.every(Number.isInteger);
  const both = (a: NodeId | undefined, b: NodeId | undefined) =>
    a === undefined || b === undefined ? a ?? b : graph.binary("and", a, b);
  const own = () => args.map((arg) => known.get(arg)).reduce(both, undefined);
  switch (op) {
    case "log":
    case "sqrt":
      return signs.get(args[0]) !== undefined ? own() : both(own(), graph.binary("le", zero(), args[0]));
    case "pow":
      return whole || signs.get(args[0]) !== undefined
        ? own()
        : both(own(), graph.binary("le", zero(), args[0]));
    case "div":
    case "mod":
    case "floordiv": {
      const divisor = graph.nodes[args[1]];
      if (signs.get(args[1]) === "positive" || divisor.data?.every((value) => value !== 0)) return own();
      return both(own(), graph.unary("not", graph.binary("eq", args[1], zero())));
    }
    case "slice": {
      const from = known.get(args[0]);
      return from === undefined || graph.nodes[from].length === 1 ? from : graph.slice(from, index!, length);
    }
    case "concat":
      if (args.every((arg) => known.get(arg) === undefined)) return undefined;
      return graph.concat(args.map((arg) => spread(graph, known.get(arg), graph.nodes[arg].length)));
    case "select": {
      const [condition, a, b] = args.map((arg) => known.get(arg));
      if (a === undefined && b === undefined) return condition;
      const yes = graph.constant(1);
      return both(condition, graph.select(args[0], a ?? yes, b ?? yes));
    }
    case "linear":
    case "sum":
    case "trees":
    case "opaque":
      if (own() !== undefined) throw new NotLowerable("it looks for results that are not numbers in a sum");
      return undefined;
    default:
      return own();
  }
}

/** A condition for `length` elements. */
function spread(graph: Graph, condition: NodeId | undefined, length: number): NodeId {
  const yes = graph.constant(new Float64Array(length).fill(1));
  return condition === undefined ? yes : graph.binary("mul", yes, condition);
}

/** Of every element; undefined: not known. */
type Sign = "positive" | "not negative" | undefined;

function signOf({ nodes }: Graph, id: NodeId, signs: ReadonlyMap<NodeId, Sign>): Sign {
  const { op, args, data, length } = nodes[id];
  const known = args.map((arg) => signs.get(arg));
  const least = known.includes(undefined)
    ? undefined
    : known.includes("not negative")
    ? "not negative"
    : "positive";
  const most = known.find((sign) => sign === "positive") ?? known.find((sign) => sign !== undefined);
  switch (op) {
    case "constant":
      return data!.every((value) => value > 0)
        ? "positive"
        : data!.every((value) => value >= 0)
        ? "not negative"
        : undefined;
    case "exp":
    case "sigmoid":
    case "softplus":
      return "positive";
    case "abs":
      return known[0] ?? "not negative";
    case "mul":
      return args[0] === args[1] ? known[0] ?? "not negative" : least;
    case "add":
      return least === undefined ? undefined : most;
    case "max":
      return most;
    case "linear":
      if (least === undefined || data!.some((value) => !(value >= 0))) return undefined;
      return least === "positive" && hasFullRows(data!, length) ? least : "not negative";
    case "div":
    case "sqrt":
    case "min":
    case "sum":
    case "concat":
    case "slice":
      return least;
    default:
      return undefined;
  }
}

/** Whether each of `rows` rows of weights that are not negative has one above 0. */
function hasFullRows(data: Float64Array, rows: number): boolean {
  const columns = data.length / rows - 1;
  return Array.from({ length: rows }, (_, row) => data.subarray(row * columns, (row + 1) * columns))
    .every((weights) => weights.some((value) => value > 0));
}
