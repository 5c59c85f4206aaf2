/** Median of `rounds` rounds of together `micros` µs, µs a call. */
export function median(run: () => void, rounds: number, micros: number): number {
  const time = (calls: number) => {
    const start = performance.now();
    for (let k = 0; k < calls; k++) run();
    return (performance.now() - start) * 1000 / calls;
  };
  time(3);
  // Long enough for the compiler to have had its say.
  const warm = performance.now();
  while (performance.now() - warm < micros / 2000) run();
  const calls = Math.max(1, Math.min(2000, Math.round(micros / rounds / time(3))));
  return Array.from({ length: rounds }, () => time(calls)).sort((a, b) => a - b)[rounds >> 1];
}
