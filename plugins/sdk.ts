/**
 * Everything that a plugin may use: it imports this module as "setpoint", and no other. A plugin is one file whose
 * default export is what {@linkcode definePlugin} returns. It does no I/O and knows no world: values come in as
 * arguments, answers go out as results.
 *
 * ```ts
 * import { definePlugin, describe, op } from "setpoint";
 *
 * export default definePlugin({
 *   name: "demo/double",
 *   version: "1.0.0",
 *   kind: "function",
 *   lower: (skill) => describe(skill, ([x]) => op.mul(2, x)),
 * });
 * ```
 *
 * What most plugins need is in sdk_core.ts. A cell loads the rest, which is more than half of it, only for a plugin that
 * imports some of it.
 */
export * from "./sdk_core.ts";
export { lift } from "../runtime/graph/nonsmooth.ts";
export { ElasticNlp, LiftedNlp } from "../runtime/graph/lifted_nlp.ts";
export { BranchSettings } from "../runtime/graph/branch_settings.ts";
export { type Ended, landings } from "../runtime/graph/landing.ts";
export { answersInSteps, type CellBox, cellSearch } from "../runtime/graph/cell_search.ts";
export { type HeldBox, type SolveBox, type StepSearch, stepSearch } from "../runtime/graph/step_search.ts";
export { AGREEMENT, better, byMerit, holds, type Judged, noWorse, worse } from "../runtime/graph/merit.ts";
export { type Candidate, clamp, Judge, type LocalEnd, SOLVED } from "../runtime/graph/judge.ts";
export { branchesOf, explore, type LocalSearch, type Start } from "../runtime/graph/multi_start.ts";
export { type Restored, restored } from "../runtime/graph/restoration.ts";
export { landed, polish } from "../runtime/graph/polish.ts";
export { missedGolden } from "../runtime/graph/golden.ts";
export type { MissedVector } from "../runtime/graph/golden.ts";
export { metadataOfJson, parseJson, scalersOfJson } from "../runtime/graph/model_json.ts";
export type { Scaler } from "../runtime/graph/scaler_file.ts";
export type { GoldenVector, ModelMetadata } from "../runtime/graph/model_json.ts";
export { lowerFormula, parseFormula, printFormula } from "../runtime/graph/formula.ts";
export type { FormulaAst, FormulaName, FormulaNode } from "../runtime/graph/formula.ts";
export { unitsOfFormula } from "../runtime/graph/formula_units.ts";
export type { FormulaUnits, UnitMismatch } from "../runtime/graph/formula_units.ts";
export {
  combineUnits,
  DIMENSIONLESS,
  parseUnit,
  powerOfUnit,
  printUnit,
  sameUnit,
} from "../runtime/graph/units.ts";
export type { Unit } from "../runtime/graph/units.ts";
export { lowerOnnx } from "../runtime/graph/onnx.ts";
export type { LoweredOnnx, OnnxPort, OpaqueOnnx } from "../runtime/graph/onnx.ts";
export { exportTorch } from "../runtime/graph/torch_export.ts";
export { lowerTorch } from "../runtime/graph/torch_lower.ts";
export { TORCH_ACTIVATIONS, torchSteps } from "../runtime/graph/torch_steps.ts";
export type { TorchActivation } from "../runtime/graph/torch_steps.ts";
export { readScalers } from "../runtime/graph/scaler_file.ts";
export { createLiftedSolver, type LiftedSolver } from "../runtime/engine/tape_solver.ts";
export { createSolver, describeStatus, solve, solveDense } from "../runtime/solver/mod.ts";
export type { DenseProblem, KktError, SolveOptions, Solver, SolveResult } from "../runtime/solver/mod.ts";
