/**
 * MathFunction: assigns `config.formula` to its one output. In a formula `V` and `V_dof` are the latest value of variable
 * V, `V_current` is its measured value and `V_threshold` its declared threshold; an exact name wins over a suffix.
 */
import {
  definePlugin,
  didYouMean,
  type FormulaAst,
  Graph,
  GraphError,
  type Json,
  type Lowered,
  lowerFormula,
  type NodeId,
  parseFormula,
  parseUnit,
  printUnit,
  sameUnit,
  SkillError,
  type SkillProblem,
  type SkillSpec,
  type Source,
  unitsOfFormula,
} from "setpoint";

const FORMULA = ["config", "formula"];
const SUFFIXES = [["_dof", "value"], ["_current", "measured"], ["_threshold", "threshold"]] as const;
const CONSTANTS = ["pi", "e"];

/** What a name of the formula stands for; a message where it stands for nothing. */
type Meaning = Source | "constant" | string[];

export default definePlugin({
  name: "builtin/function",
  version: "1.0.0",
  kind: "function",
  description: "Assigns the value of a formula to its output",
  sdk: "^1.0.0",
  config: {
    properties: {
      formula: { type: ["string", "number"], description: 'a formula such as "2 * a + b"' },
    },
    required: ["formula"],
  },
  examples: [{ title: "a sum", config: { formula: "2 * a + b" } }],
  tests: [{
    name: "latest and measured values, thresholds",
    config: { formula: "a + 10 * a_current + 100 * a_threshold + max(b, 2) ** 3" },
    inputs: { a: 1, a_current: 2, a_threshold: 3, b: 2.5 },
    outputs: { y: 1 + 20 + 300 + 15.625 },
  }],

  lower(skill: SkillSpec): Lowered {
    const problems = checkShape(skill);
    const text = formulaText(skill.config.formula);
    const ast = text === undefined ? undefined : tried(() => parseFormula(text), problems);
    if (text === undefined) {
      problems.push({
        message: `Cannot run skill "${skill.name}" without a formula: expected a text such as "2 * a + b"`,
        path: skill.config.formula === undefined ? ["config"] : FORMULA,
      });
    }
    if (ast === undefined) throw new SkillError(problems);
    const used = sourcesOf(skill, ast, problems);
    const notes = unusedInputs(skill, used);
    const units = problems.length === 0 ? unitProblems(skill, ast) : [];
    (skill.legacy ? notes : problems).push(...units);
    const built = problems.length === 0 ? tried(() => build(skill, ast), problems) : undefined;
    if (built === undefined) throw new SkillError(problems);
    return { ...built, notes };
  },
});

function checkShape(skill: SkillSpec): SkillProblem[] {
  const problems: SkillProblem[] = [];
  if (skill.outputs.length !== 1) {
    problems.push({
      message:
        `Cannot run skill "${skill.name}": it has ${skill.outputs.length} outputs, expected one, which gets the formula's value`,
      path: ["outputs"],
    });
  }
  return problems;
}

/** A number is its text: YAML reads `formula: 0` as one. */
function formulaText(formula: Json | undefined): string | undefined {
  if (typeof formula === "number") return String(formula);
  return typeof formula === "string" ? formula : undefined;
}

/** What a formula gives; what is wrong with it becomes a problem. */
function tried<T>(work: () => T, problems: SkillProblem[]): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    problems.push({ code: "FORMULA_INVALID", message: error.message, path: FORMULA, offset: error.offset });
  }
}

/** Every name's source; names that have none become problems, all of them. */
function sourcesOf(skill: SkillSpec, ast: FormulaAst, problems: SkillProblem[]): Source[] {
  const sources: Source[] = [];
  for (const { name, offset } of ast.names) {
    const meaning = meaningOf(skill, name);
    if (meaning === "constant") continue;
    if (Array.isArray(meaning)) {
      problems.push({ code: "FORMULA_INVALID", message: meaning[0], path: FORMULA, offset });
    } else if (typeof meaning !== "string") sources.push(meaning);
  }
  return sources;
}

function meaningOf(skill: SkillSpec, name: string): Meaning {
  const exact = Object.hasOwn(skill.variables, name);
  if (skill.inputs.includes(name)) return { variable: name, role: "value" };
  if (!exact) {
    for (const [suffix, role] of SUFFIXES) {
      const variable = name.slice(0, -suffix.length);
      if (!name.endsWith(suffix) || !skill.inputs.includes(variable)) continue;
      if (role === "threshold" && skill.variables[variable].threshold === undefined) {
        return [`Cannot read "${name}": variable "${variable}" has no threshold`];
      }
      return { variable, role };
    }
    if (CONSTANTS.includes(name)) return "constant";
  }
  const base = declaredBase(skill, name);
  if (base !== undefined) {
    return [
      `Cannot read "${name}": variable "${base}" is not an input of skill "${skill.name}"; expected it in "inputs"`,
    ];
  }
  const known = skill.inputs.flatMap((input) => [input, ...SUFFIXES.map(([suffix]) => input + suffix)]);
  const guess = didYouMean(name, known) || didYouMean(name, Object.keys(skill.variables));
  const inputs = skill.inputs.length === 0 ? "the skill has none" : skill.inputs.slice(0, 12).join(", ");
  return [
    `Cannot read "${name}": it is not a variable${guess}; expected an input of skill "${skill.name}": ${inputs}`,
  ];
}

function declaredBase(skill: SkillSpec, name: string): string | undefined {
  const bases = [
    name,
    ...SUFFIXES.map(([suffix]) => name.endsWith(suffix) ? name.slice(0, -suffix.length) : name),
  ];
  return bases.find((base) => Object.hasOwn(skill.variables, base));
}

function unusedInputs(skill: SkillSpec, used: readonly Source[]): SkillProblem[] {
  const read = new Set(used.map((source) => source.variable));
  return skill.inputs.flatMap((variable, i) =>
    read.has(variable) ? [] : [{
      message: `Skill "${skill.name}" declares the input "${variable}" and its formula does not read it`,
      path: ["inputs", i],
      variable,
    }]
  );
}

function unitProblems(skill: SkillSpec, ast: FormulaAst): SkillProblem[] {
  const { unit, mismatches } = unitsOfFormula(ast, (name) => {
    const meaning = meaningOf(skill, name);
    return typeof meaning === "object" && "variable" in meaning
      ? parseUnit(skill.variables[meaning.variable].units)
      : undefined;
  });
  const found: SkillProblem[] = mismatches.map(({ message, offset }) => ({
    code: "UNIT_MISMATCH",
    message: `${message} (skill "${skill.name}")`,
    path: FORMULA,
    offset,
  }));
  const target = parseUnit(skill.variables[skill.outputs[0]].units);
  if (found.length === 0 && unit !== undefined && !sameUnit(unit, target)) {
    const message = `Cannot assign ${printUnit(unit)} to "${skill.outputs[0]}" in ${
      printUnit(target)
    }: expected one unit`;
    found.push({
      code: "UNIT_MISMATCH",
      message: `${message} (skill "${skill.name}")`,
      path: FORMULA,
      offset: 0,
    });
  }
  return found;
}

function build(skill: SkillSpec, ast: FormulaAst): Lowered {
  const graph = new Graph();
  const sources: Source[] = [];
  const places = new Map<string, NodeId>();
  const output = lowerFormula(graph, ast, (name) => {
    const meaning = meaningOf(skill, name);
    if (typeof meaning !== "object" || !("variable" in meaning)) return undefined;
    const key = `${meaning.role} ${meaning.variable}`;
    if (!places.has(key)) places.set(key, graph.parameter(sources.push(meaning) - 1));
    return places.get(key);
  }, { strict: true });
  return { expression: { graph, sources: sources.length, outputs: [output] }, sources };
}
