/** Descriptions of a skill that are too large, too deep or too strange, as a plugin's `lower` gives them. */
export interface Description {
  readonly name: string;
  /** Statements with `g`, `x`, `y`; they set `output`, and may set `more`. */
  readonly body: string;
  /** What the refusal says, or "links". */
  readonly says: RegExp | "links";
}

/** The strategy that it is tried with, beside "own.ts". */
export const DESCRIBED = `apiVersion: setpoint/v1
name: described
version: 1.0.0
objective: { minimize: cost }
plugins: { Own: own.ts }
variables:
  x: { type: Operative, units: "-", threshold: 1, min: -10, max: 10 }
  y: { type: Operative, units: "-", threshold: 1, min: 1, max: 10 }
  cost: { type: CalculatedKPI, units: "-" }
skills:
  find: { class: Own, inputs: [x, y], outputs: [cost] }
tasks: [{ name: Optimize, skill_sequence: [find] }]
`;

export function describingPlugin({ body }: Pick<Description, "body">): string {
  return `import { definePlugin, Graph } from "setpoint";
export default definePlugin({
  name: "test/description",
  version: "1.0.0",
  kind: "function",
  lower(skill) {
    const g = new Graph();
    const [x, y] = [g.parameter(0), g.parameter(1)];
    const c = (value) => g.constant(value);
    const many = (count, make) => Array.from({ length: count }, (_, k) => make(k));
    const chain = (count, next, first = x) => many(count, (k) => k).reduce((v, k) => next(v, k), first);
    const limit = { variable: "cost", mode: "hard", lower: -Infinity, upper: 1e9, physicalLower: -Infinity,
      physicalUpper: Infinity, weight: 1, priority: 1 };
    let output = x;
    let more = {};
    ${body}
    const sources = skill.inputs.map((variable) => ({ variable, role: "value" }));
    return { sources, expression: { graph: g, sources: sources.length, outputs: [output] }, ...more };
  },
  evaluate: (skill, batch, count) => new Float64Array(count),
});`;
}

const NODES = /nodes are more than 50000 \(skill "find" of class "Own"\)/;
const ELEMENTS = /more than 262144 elements, from node \d+ of length \d+ on \(skill "find" of class "Own"\)/;
const STEPS =
  /Cannot minimise "cost": \d+ conditions and roundings depend on what may move, expected at most 1000/;

export const DESCRIPTIONS: readonly Description[] = [
  {
    name: "a chain of 16,000 corners",
    body: 'output = chain(16_000, (v, k) => g.binary("max", v, g.binary("sub", y, c(k))));',
    says: "links",
  },
  {
    name: "a chain of 20,000 corners",
    body: 'output = chain(20_000, (v, k) => g.binary("max", v, g.binary("sub", y, c(k))));',
    says: NODES,
  },
  {
    name: "49,000 functions of each other",
    body: 'output = chain(49_000, (v) => g.unary("tanh", v));',
    says: "links",
  },
  {
    name: "a value that is doubled 40,000 times",
    body: 'output = chain(40_000, (v) => g.binary("add", v, v));',
    says: "links",
  },
  {
    name: "corners with as many ways down as there are to the power of two",
    body: `let before = y;
    output = chain(60, (v) => { const next = g.binary("max", v, before); before = v; return next; });
    more = { limits: [limit] };`,
    says: "links",
  },
  {
    name: "a hard limit on a corner of 10,000 sides",
    body: `output = chain(10_000, (v, k) => g.binary("max", v, g.binary("mul", x, c(k + 0.1))));
    more = { limits: [limit] };`,
    says: /10001 limits, counting each side of a corner, depend on what may move, expected at most 4000/,
  },
  {
    name: "900 conditions within each other",
    body: 'output = chain(900, (v, k) => g.select(g.binary("lt", v, c(k)), v, g.binary("add", y, c(k))));',
    says: "links",
  },
  {
    name: "5,000 conditions within each other",
    body: 'output = chain(5_000, (v, k) => g.select(g.binary("lt", v, c(k)), v, g.binary("add", y, c(k))));',
    says: STEPS,
  },
  {
    name: "5,000 roundings of each other",
    body: 'output = chain(5_000, (v, k) => g.unary("floor", g.binary("add", v, c(k + 0.5))));',
    says: STEPS,
  },
  {
    name: "900 remainders of each other",
    body: 'output = chain(900, (v, k) => g.binary("mod", v, c(k + 2.5)));',
    says: "links",
  },
  {
    name: "a sum of 15,000 parts",
    body: 'output = g.sum(g.concat(many(15_000, (k) => g.binary("mul", x, c(k + 0.1)))));',
    says: "links",
  },
  {
    name: "a vector that is doubled until it is long",
    body: "output = g.sum(chain(19, (v) => g.concat([v, v])));",
    says: ELEMENTS,
  },
  {
    name: "a slice through 20,000 vectors within each other",
    body: "output = g.slice(chain(20_000, (v) => g.concat([y, g.slice(v, 0, 1)]), g.concat([x, y])), 0, 1);",
    says: "links",
  },
  {
    name: "a slice of a vector within 500 others",
    body: "output = g.slice(chain(500, (v) => g.concat([v, y])), 0, 1);",
    says: "links",
  },
  {
    name: "a layer of 490,000 weights",
    body: `const wide = g.linear(new Float64Array(700).fill(1), x);
    output = g.sum(g.linear(Float64Array.from({ length: 490_000 }, (_, k) => Math.sin(k)), wide));`,
    says: "links",
  },
  {
    name: "40,000 layers of one weight",
    body: "output = chain(40_000, (v, k) => g.linear([1.0001], v, [k]));",
    says: "links",
  },
  {
    name: "a constant that is not a number",
    body: 'output = g.binary("add", x, c(NaN));',
    says: /a number in it is NaN \(skill "find" of class "Own"\)/,
  },
  {
    name: "5,000 constants that are infinite",
    body: 'output = chain(5_000, (v, k) => g.binary("mul", g.binary("add", v, c(Infinity)), c(k)));',
    says: "links",
  },
  {
    name: "1,000 opaque nodes",
    body: `const opaques = many(1_000, () => ({ engine: "self", inputs: 1, outputs: 1 }));
    output = chain(1_000, (v, k) => g.opaque(k, v, 1));
    more = { opaques };`,
    says: /1000 opaques, expected at most 256 \(skill "find" of class "Own"\)/,
  },
  {
    name: "one opaque node 5,000 times",
    body: `output = chain(5_000, (v) => g.opaque(0, v, 1));
    more = { opaques: [{ engine: "self", inputs: 1, outputs: 1 }] };`,
    says: "links",
  },
  {
    name: "5,000 limits",
    body: "more = { limits: many(5_000, (k) => ({ ...limit, upper: k })) };",
    says: /5000 limits, expected at most 1000 \(skill "find" of class "Own"\)/,
  },
  {
    name: "1,000 limits of as many priorities",
    body: 'more = { limits: many(1_000, (k) => ({ ...limit, mode: "soft", upper: k, priority: k + 1 })) };',
    says: "links",
  },
  {
    name: "5,000 notes",
    body: 'more = { notes: many(5_000, (k) => ({ message: "note " + k })) };',
    says: "links",
  },
  {
    name: "16,000 sources",
    body: `output = chain(15_998, (v, k) => g.binary("add", v, g.parameter(k + 2)));
    const all = many(16_000, (k) => ({ variable: k % 2 === 0 ? "x" : "y", role: "value" }));
    more = { sources: all, expression: { graph: g, sources: 16_000, outputs: [output] } };`,
    says: "links",
  },
  {
    name: "17,000 sources",
    body: `const all = many(17_000, () => ({ variable: "x", role: "value" }));
    more = { sources: all, expression: { graph: g, sources: 17_000, outputs: [x] } };`,
    says: /17000 sources are more than 16384 \(skill "find" of class "Own"\)/,
  },
];
