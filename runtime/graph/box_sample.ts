/** Points that fill a box evenly. */

/**
 * Kronecker's sequence with the generalised golden ratio, from a random origin (M. Roberts, "The unreasonable
 * effectiveness of quasirandom sequences").
 * @param corners How many corners of the box come after it: all where there are no more, else random ones.
 */
export function sampleBox(
  lo: Float64Array,
  hi: Float64Array,
  count: number,
  corners: number,
  random: () => number,
): Float64Array[] {
  const n = lo.length;
  let ratio = 2;
  for (let k = 0; k < 40; k++) ratio = (1 + ratio) ** (1 / (n + 1));
  const origin = Float64Array.from(lo, random);
  const points = Array.from(
    { length: count },
    (_, k) => lo.map((low, i) => low + (hi[i] - low) * ((origin[i] + (k + 1) * ratio ** -(i + 1)) % 1)),
  );
  const all = n <= 12 && 2 ** n <= corners;
  for (let corner = 0; corner < (all ? 2 ** n : corners); corner++) {
    points.push(lo.map((low, i) => ((all ? corner >> i & 1 : random() < 0.5) ? hi[i] : low)));
  }
  return points;
}
