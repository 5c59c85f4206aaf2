/**
 * Uniform numbers in [0, 1) with 32 bits, the same ones for the same seed: SplitMix32 (Steele, Lea and Flood 2014, in its
 * 32-bit form).
 *
 * Code that is evaluated must answer the same at the same point, also in the kernel's own check of a result; so it draws
 * afresh in each call, e.g. with the name of its skill as the seed.
 *
 * ```ts
 * import { seededRandom } from "setpoint";
 *
 * const random = seededRandom("kiln");
 * const noise = Array.from({ length: 100 }, () => random() - 0.5);
 * ```
 * @param seed A number, of which the lower 32 bits count, or any text.
 */
export function seededRandom(seed: number | string): () => number {
  let state = typeof seed === "number" ? seed | 0 : hashOf(seed);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** FNV-1a over the code units. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash;
}
