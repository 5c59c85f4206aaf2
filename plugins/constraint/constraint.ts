/**
 * Constraint: how well a variable keeps its operating range op_min … op_max inside the physical range var_min … var_max.
 * The score is 1 inside, falls on a line to 0 at the physical limit and goes on below 0 outside it; where both limits are
 * the same it jumps to 0, and on a side without a physical limit it stays 1.
 */
import {
  definePlugin,
  describe,
  type Limit,
  type Lowered,
  op,
  type Operand,
  parseUnit,
  printUnit,
  SkillError,
  type SkillProblem,
  type SkillSpec,
  type Term,
} from "setpoint";

const { div, lt, min, sub, where } = op;

const MODES = ["score", "soft", "hard"] as const;
const LIMITS = ["var_min", "op_min", "op_max", "var_max"] as const;
/** Cost of a soft violation as large as the range. */
const DEFAULT_WEIGHT = 1000;

export default definePlugin({
  name: "builtin/constraint",
  version: "1.0.0",
  kind: "constraint",
  description: "Scores or limits a variable by its operating and physical range",
  sdk: "^1.0.0",
  config: {
    properties: {
      ...Object.fromEntries(LIMITS.map((key) => [key, { type: "number" as const }])),
      mode: { type: "string", enum: MODES },
      weight: { type: "number", minimum: 0 },
      priority: { type: "number" },
    },
  },
  examples: [{ title: "a temperature", config: { op_min: 60, op_max: 90, var_min: 40, var_max: 110 } }],
  tests: [
    {
      name: "half-way to the physical limit",
      config: { op_min: 60, var_min: 40 },
      inputs: { t: 50 },
      outputs: { score: 0.5 },
    },
    {
      name: "inside",
      config: { op_min: 60, op_max: 90, mode: "hard" },
      inputs: { t: 70 },
      outputs: { score: 1 },
    },
  ],

  lower(skill: SkillSpec): Lowered {
    const problems: SkillProblem[] = [];
    const notes: SkillProblem[] = [];
    checkShape(skill, problems);
    const limit = readLimit(skill, problems, notes);
    checkUnits(skill, skill.legacy ? notes : problems);
    if (problems.length > 0) throw new SkillError(problems);
    return { ...describe(skill, ([v]) => scoreOf(v, limit)), limits: [limit], notes };
  },
});

function checkShape({ name, inputs, outputs }: SkillSpec, problems: SkillProblem[]): void {
  for (const [what, list] of [["inputs", inputs], ["outputs", outputs]] as const) {
    if (list.length === 1) continue;
    problems.push({
      message: `Cannot run skill "${name}": it has ${list.length} ${what}, expected one`,
      path: [what],
    });
  }
}

function readLimit(skill: SkillSpec, problems: SkillProblem[], notes: SkillProblem[]): Limit {
  const { config, name, inputs } = skill;
  const number = (key: string, otherwise: number): number => {
    const value = config[key];
    if (value === undefined) return otherwise;
    if (typeof value === "number" && !Number.isNaN(value)) return value;
    problems.push({
      message: `Cannot use ${JSON.stringify(value)} as "${key}" of skill "${name}": expected a number`,
      path: ["config", key],
    });
    return otherwise;
  };
  const physicalLower = number("var_min", -Infinity);
  const physicalUpper = number("var_max", Infinity);
  const lower = number("op_min", physicalLower);
  const upper = number("op_max", physicalUpper);
  const weight = number("weight", DEFAULT_WEIGHT);
  const priority = number("priority", 0);
  const mode = MODES.find((known) => known === (config.mode ?? "score"));
  if (mode === undefined) {
    problems.push({
      message: `Cannot use mode ${JSON.stringify(config.mode)} of skill "${name}": expected ${
        MODES.join(", ")
      }`,
      path: ["config", "mode"],
    });
  }
  if (!(weight >= 0 && weight < Infinity)) {
    problems.push({
      message: `Cannot weigh skill "${name}" with ${weight}: expected 0 or more`,
      path: ["config", "weight"],
    });
  }
  if (!Number.isFinite(priority)) {
    problems.push({
      message: `Cannot order skill "${name}" by priority ${priority}: expected a finite number`,
      path: ["config", "priority"],
    });
  }
  const limit = {
    variable: inputs[0],
    mode: mode ?? "score",
    lower,
    upper,
    physicalLower,
    physicalUpper,
    weight,
    priority,
  };
  checkOrder(skill, limit, problems);
  if (mode === "score") checkRamps(skill, limit, problems);
  if (mode !== "soft") {
    for (const key of ["weight", "priority"].filter((key) => config[key] !== undefined)) {
      notes.push({
        message: `"${key}" of skill "${name}" has no effect in mode ${mode}`,
        path: ["config", key],
      });
    }
  }
  if (lower === -Infinity && upper === Infinity) {
    notes.push({ message: `Skill "${name}" has no limits: its score is always 1`, path: ["config"] });
  }
  return limit;
}

/** var_min ≤ op_min ≤ op_max ≤ var_max; the position is that of a limit that the file gives. */
function checkOrder({ name, config }: SkillSpec, limit: Limit, problems: SkillProblem[]): void {
  const values = [limit.physicalLower, limit.lower, limit.upper, limit.physicalUpper];
  for (let i = 0; i < 3; i++) {
    if (values[i] <= values[i + 1]) continue;
    const given = [LIMITS[i + 1], LIMITS[i]].find((key) => config[key] !== undefined);
    problems.push({
      code: "BOUNDS_REVERSED",
      message: `Cannot limit "${limit.variable}": ${LIMITS[i]} ${values[i]} is above ${LIMITS[i + 1]} ${
        values[i + 1]
      } (skill "${name}")`,
      path: given === undefined ? ["config"] : ["config", given],
      variable: limit.variable,
    });
  }
  for (
    const [key, wrong] of [["op_min", limit.lower === Infinity], [
      "op_max",
      limit.upper === -Infinity,
    ]] as const
  ) {
    if (wrong) {
      problems.push({
        message: `Cannot limit "${limit.variable}": no value keeps ${key} of skill "${name}"`,
        path: ["config", key],
      });
    }
  }
}

function checkRamps({ name }: SkillSpec, limit: Limit, problems: SkillProblem[]): void {
  const sides = [["op_min", "var_min", limit.lower, limit.physicalLower], [
    "op_max",
    "var_max",
    limit.upper,
    limit.physicalUpper,
  ]] as const;
  for (const [key, outer, operating, physical] of sides) {
    if (!Number.isFinite(operating) || Number.isFinite(physical)) continue;
    problems.push({
      message:
        `Cannot score "${limit.variable}" of skill "${name}": ${key} is ${operating} and there is no ${outer}; expected ${outer}, or mode hard or soft`,
      path: ["config", key],
      variable: limit.variable,
    });
  }
}

/** The score is a plain number, whatever its variable's units say. */
function checkUnits({ name, outputs, variables }: SkillSpec, problems: SkillProblem[]): void {
  if (outputs.length !== 1) return;
  const unit = parseUnit(variables[outputs[0]].units);
  if (unit.size === 0) return;
  problems.push({
    code: "UNIT_MISMATCH",
    message: `Cannot assign a score to "${outputs[0]}" in ${
      printUnit(unit)
    }: expected [0-1] or - (skill "${name}")`,
    path: ["outputs", 0],
    variable: outputs[0],
  });
}

function scoreOf(v: Term, { lower, upper, physicalLower, physicalUpper }: Limit): Operand {
  let score: Operand = 1;
  if (Number.isFinite(physicalLower) && physicalLower < lower) {
    score = min(score, div(sub(v, physicalLower), lower - physicalLower));
  }
  if (Number.isFinite(physicalUpper) && upper < physicalUpper) {
    score = min(score, div(sub(physicalUpper, v), physicalUpper - upper));
  }
  if (Number.isFinite(lower) && physicalLower === lower) score = where(lt(v, lower), 0, score);
  if (Number.isFinite(upper) && physicalUpper === upper) score = where(lt(upper, v), 0, score);
  return score;
}
