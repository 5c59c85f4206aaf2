import { lift, type LiftRequest } from "../graph/nonsmooth.ts";
import { compileTape } from "../graph/tape.ts";
import type { LinkedProblem } from "./linked.ts";

/** Both forms of a problem, exact and lifted, from the same nodes. */
export function problemOf(request: LiftRequest): LinkedProblem {
  const { graph, variables, parameters, cost, limits } = request;
  const outputs = [cost, ...limits.map(({ node }) => node)];
  return Object.freeze({
    exact: compileTape(graph, { variables, parameters, outputs }).buffer,
    lifted: lift(request),
    limits: limits.map(({ lower, upper }) => Object.freeze({ lower, upper })),
  });
}
