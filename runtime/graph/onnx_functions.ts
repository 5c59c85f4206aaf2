/** Operators that a file defines itself, as older exporters of torch write them, replaced by what they are made of. */
import type { AttributeProto, NodeProto } from "./onnx_reader.ts";
import { malformed } from "./protobuf.ts";

export interface FunctionProto {
  /** "domain:name". */
  readonly key: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly nodes: readonly NodeProto[];
  /** Of attributes that a call may leave out. */
  readonly defaults: ReadonlyMap<string, AttributeProto>;
  /** By domain, as far as its nodes need it. */
  readonly opsets: ReadonlyMap<string, number>;
}

export interface InlineLimits {
  /** The file's own opsets: a function that was written for others stays a call. */
  readonly opsets: ReadonlyMap<string, number>;
  readonly maxNodes: number;
}

/** Functions inside functions. */
const MAX_DEPTH = 8;

/** @throws {GraphError} ONNX if the nodes become too many. */
export function inlineFunctions(
  nodes: readonly NodeProto[],
  functions: ReadonlyMap<string, FunctionProto>,
  limits: InlineLimits,
): NodeProto[] {
  const flat: NodeProto[] = [];
  // Functions of nothing but functions make no node, and may still call each other without end.
  let visited = 0;
  const visit = (node: NodeProto, depth: number) => {
    if (visited++ === limits.maxNodes) throw malformed(`it has more than ${limits.maxNodes} nodes`);
    const called = functions.get(`${node.domain}:${node.op}`);
    if (called !== undefined && depth < MAX_DEPTH && canInline(called, limits)) {
      for (const inner of bodyOf(called, node, `${flat.length}`)) visit(inner, depth + 1);
    } else flat.push({ ...node, index: flat.length });
  };
  for (const node of nodes) visit(node, 0);
  return flat;
}

/** Names inside of a body's own bodies would have to be told apart too; no exporter of networks writes that. */
function canInline({ nodes, opsets }: FunctionProto, limits: InlineLimits): boolean {
  const plain = nodes.every(({ attributes }) => [...attributes.values()].every(({ graph }) => !graph));
  return plain && nodes.every(({ domain }) => {
    const own = opsets.get(domain);
    return own === undefined || own === limits.opsets.get(domain);
  });
}

function bodyOf(called: FunctionProto, call: NodeProto, number: string): NodeProto[] {
  const name = call.name === "" ? `${call.op} ${number}` : call.name;
  const names = new Map<string, string>([["", ""]]);
  called.inputs.forEach((own, i) => names.set(own, call.inputs[i] ?? ""));
  called.outputs.forEach((own, i) => {
    if (call.outputs[i]) names.set(own, call.outputs[i]);
  });
  // A space is in no exporter's names.
  const renamed = (own: string) => names.get(own) ?? `${name} ${number} ${own}`;
  return called.nodes.map((node) => ({
    ...node,
    name: `${name}/${node.name || node.op}`,
    inputs: node.inputs.map(renamed),
    outputs: node.outputs.map(renamed),
    attributes: new Map([...node.attributes].flatMap(([key, attribute]): [string, AttributeProto][] => {
      if (attribute.ref === "") return [[key, attribute]];
      const given = call.attributes.get(attribute.ref) ?? called.defaults.get(attribute.ref);
      return given === undefined ? [] : [[key, { ...given, name: key }]];
    })),
  }));
}
