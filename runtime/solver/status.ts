/** IPOPT's return codes, each with a sentence for a person. */
const SENTENCES: Readonly<Record<number, string>> = {
  0: "Solved: the optimality conditions hold within the tolerance",
  1: "Solved to the acceptable tolerance only",
  2: "No feasible point: the violation of the constraints has a local minimum above zero",
  3: "Steps have become too small to go on",
  4: "The iterates grow without end: the problem may be unbounded",
  5: "Stopped by the caller",
  6: "A feasible point was found",
  [-1]: "The limit of iterations was reached",
  [-2]: "The restoration phase found no point to go on from",
  [-3]: "No usable search direction could be computed",
  [-4]: "The limit of processor time was reached",
  [-5]: "The limit of wall-clock time was reached",
  [-10]: "More equality constraints than free variables",
  [-11]: "The problem is not well defined: some bounds leave no number between them",
  [-12]: "An option is unknown or has a value it cannot have",
  [-13]: "A function or a derivative could not be evaluated",
  [-100]: "An exception came out of the solver",
};

/** A sentence without a final period for one of IPOPT's return codes. */
export function describeStatus(status: number): string {
  return SENTENCES[status] ?? `Unknown status ${status}`;
}
