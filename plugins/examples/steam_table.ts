/** Saturated steam from a table. Its code is called with whole batches, and tells its own derivatives. */
import { definePlugin, type SkillSpec } from "setpoint";

/** Pressure, bar (absolute) · saturation temperature, °C · enthalpy of the steam, kJ/kg (IAPWS-IF97, rounded). */
const TABLE: readonly (readonly [number, number, number])[] = [
  [1, 99.61, 2674.9],
  [2, 120.21, 2706.2],
  [5, 151.83, 2748.1],
  [10, 179.88, 2777.1],
  [20, 212.38, 2798.3],
  [40, 250.35, 2800.8],
];

const COLUMNS = { temperature: 1, enthalpy: 2 } as const;

export default definePlugin({
  name: "examples/steam-table",
  version: "1.0.0",
  kind: "model",
  sdk: "^1.1.0",
  description:
    "Temperature or enthalpy of saturated steam from its pressure, on lines between the rows of a table",
  config: {
    properties: { column: { type: "string", enum: ["temperature", "enthalpy"], default: "temperature" } },
  },
  limits: { wall_ms: 100, heap_mb: 64, rss_mb: 256 },
  examples: [{ title: "enthalpy", config: { column: "enthalpy" } }],
  tests: [
    { name: "a row", inputs: { pressure: 10 }, outputs: { t: 179.88 }, units: { pressure: "bar", t: "°C" } },
    { name: "between rows", inputs: { pressure: 15 }, outputs: { t: (179.88 + 212.38) / 2 } },
    {
      name: "enthalpy",
      config: { column: "enthalpy" },
      inputs: { pressure: 3.5 },
      outputs: { h: (2706.2 + 2748.1) / 2 },
    },
  ],

  evaluate(skill: SkillSpec, batch: Float64Array, count: number): Float64Array {
    const column = COLUMNS[skill.config.column as keyof typeof COLUMNS];
    return Float64Array.from({ length: count }, (_, row) => lookUp(batch[row], column).value);
  },

  jacobian(skill: SkillSpec, batch: Float64Array, count: number): Float64Array {
    const column = COLUMNS[skill.config.column as keyof typeof COLUMNS];
    return Float64Array.from({ length: count }, (_, row) => lookUp(batch[row], column).slope);
  },
});

/** On the line between two rows; NaN outside the table: nobody knows, and the optimizer keeps away. */
function lookUp(pressure: number, column: 1 | 2): { readonly value: number; readonly slope: number } {
  const above = TABLE.findIndex(([p], row) => row > 0 && p >= pressure);
  if (above < 0 || !(pressure >= TABLE[0][0])) return { value: NaN, slope: NaN };
  const [low, high] = [TABLE[above - 1], TABLE[above]];
  const slope = (high[column] - low[column]) / (high[0] - low[0]);
  return { value: low[column] + slope * (pressure - low[0]), slope };
}
