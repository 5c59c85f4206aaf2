/// <reference types="../solver/core/portable.d.ts" />
/** A program and its directions as the machine reads them: see program.ts and directions.ts. Filled once by the host. */
export class Plan {
  variables: i32 = 0;
  parameters: i32 = 0;
  slots: i32 = 0;
  /** Instructions that depend on parameters only. */
  fixed: i32 = 0;
  code: Int32Array = new Int32Array(0);
  /** Values of the slots after variables and parameters. */
  constants: Float64Array = new Float64Array(0);
  data: Float64Array = new Float64Array(0);
  /** The forests as integers, see trees.ts, and where each begins. */
  trees: Int32Array = new Int32Array(0);
  treesAt: Int32Array = new Int32Array(0);
  outputSlots: Int32Array = new Int32Array(0);
  outputEnds: Int32Array = new Int32Array(0);
  /** By output: how many of `live` and of `curved` outputs 0 … k need. */
  liveEnds: Int32Array = new Int32Array(0);
  curvedEnds: Int32Array = new Int32Array(0);
  low: Int32Array = new Int32Array(0);
  high: Int32Array = new Int32Array(0);
  place: Int32Array = new Int32Array(0);
  live: Int32Array = new Int32Array(0);
  curved: Int32Array = new Int32Array(0);
  uniform: Int32Array = new Int32Array(0);
  /** By opaque call: its position in the code, and where its Jacobian begins; then where the last one ends. */
  opaqueAt: Int32Array = new Int32Array(0);
  jacobianAt: Int32Array = new Int32Array(1);
}
