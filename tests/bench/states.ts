import { ROOT } from "../../runtime/config.ts";
import { seeded } from "../graph/random_graph.ts";

/** Random stressed states of the kiln in strategies/kiln: every value differs a little, three of them a lot. */
export function stressedStates(count: number, seed: number): Record<string, number>[] {
  const file = `${ROOT}/strategies/kiln/inputs/nominal.json`;
  const nominal: Record<string, number> = JSON.parse(Deno.readTextFileSync(file));
  const random = seeded(seed);
  const between = (low: number, high: number) => low + (high - low) * random();
  return Array.from({ length: count }, (_, k) => ({
    ...Object.fromEntries(
      Object.entries(nominal).map(([name, value]) => [name, value * between(0.995, 1.005)]),
    ),
    Clinker_temperature: between(120, 175),
    Calciner_outlet_CO: k % 4 === 0 ? 0 : between(0, 0.5),
    Kiln_Drive_Current: between(480, 630),
  }));
}
