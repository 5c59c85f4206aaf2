/**
 * Writes kiln_values.json from a reference of the kiln: points of the search with the values there, by another program.
 *
 * deno run --allow-read --allow-write=tests/strategy tests/strategy/make_kiln_values.ts REFERENCE.json
 */
interface Reference {
  readonly decision_variables: readonly string[];
  readonly input_state: Values;
  readonly scenarios: Readonly<Record<string, Scenario>>;
  readonly probes:
    readonly (Readonly<Record<Feed, Values>> & { readonly state: Values; readonly x: readonly number[] })[];
}

type Values = Readonly<Record<string, number>>;
/** flowing: models see predicted inputs. zero_fed: they see 0 in their place. */
type Feed = "flowing" | "zero_fed";
type Scenario =
  & Readonly<Record<Feed, Readonly<Record<"at_x0" | "best", Values & { readonly x?: readonly number[] }>>>>
  & {
    readonly input_state: Values;
    readonly x0: readonly number[];
    readonly bounds: readonly (readonly [number, number])[];
  };

const FEEDS: readonly Feed[] = ["flowing", "zero_fed"];

if (import.meta.main) {
  const reference: Reference = JSON.parse(Deno.readTextFileSync(Deno.args[0]));
  const { decision_variables: decisions, input_state: state } = reference;
  const changes = (other: Values) =>
    Object.fromEntries(Object.entries(other).filter(([name, value]) => state[name] !== value));
  const values = (all: Values) => Object.fromEntries(Object.entries(all).filter(([name]) => name !== "x"));
  const points = Object.values(reference.scenarios).flatMap((scenario) =>
    FEEDS.flatMap((feed) =>
      (["at_x0", "best"] as const).map((at) => ({
        feed,
        state: changes(scenario.input_state),
        x: scenario[feed][at].x ?? scenario.x0,
        values: values(scenario[feed][at]),
      }))
    )
  );
  const probes = reference.probes.flatMap((probe) =>
    FEEDS.map((feed) => ({ feed, state: changes(probe.state), x: probe.x, values: values(probe[feed]) }))
  );
  const scenarios = Object.values(reference.scenarios).map(({ input_state, x0, bounds }) => ({
    state: changes(input_state),
    x0,
    bounds,
  }));
  const text = JSON.stringify({ decisions, state, scenarios, points: [...points, ...probes] }, undefined, 1);
  // one line for each list and each small object
  const short = text.replace(/[[{][^[\]{}]*[\]}]/g, (part) => part.replace(/\s*\n\s*/g, " "));
  Deno.writeTextFileSync(new URL("kiln_values.json", import.meta.url), `${short}\n`);
}
