/** Whether a value is a number whatever the inputs are. */
import { type Graph, type NodeId, reachable } from "./expr.ts";
import { NotLowerable, type OnnxBuilder, type OnnxValue } from "./onnx_value.ts";

/**
 * What asks for NaN gets none from the inputs: the gate lets no missing value pass. What it may get from operators that
 * not every number has a result of cannot be asked in the graph, where NaN spreads.
 */
export function checkNumbers({ graph }: OnnxBuilder, { id }: OnnxValue): void {
  if (id === undefined) return;
  const signs = new Map<NodeId, Sign>();
  const partial = reachable(graph, [id]).some((at) => {
    signs.set(at, signOf(graph, at, signs));
    const { op, args: [a, b] } = graph.nodes[at];
    return op === "log" && signs.get(a) !== "positive" || op === "sqrt" && signs.get(a) === undefined ||
      op === "div" && graph.nodes[b].op !== "constant" && signs.get(b) !== "positive" ||
      op === "pow" && signs.get(a) !== "positive" || op === "tan";
  });
  if (partial) throw new NotLowerable("it looks for results that are not numbers");
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
