/** Changed inputs, and what becomes of them: a result or a known error, soon, within bounded memory. */
import { cpuUsage } from "node:process";
import { GraphError } from "../../runtime/graph/graph_error.ts";
import { readZip } from "../../runtime/graph/zip_reader.ts";
import { makeZip } from "../graph/zip_writer.ts";
import { assert } from "../std/assert.ts";

export type Random = () => number;

/** A few bytes changed, or a piece removed, repeated or cut off. */
export function mutate(original: Uint8Array, random: Random): Uint8Array {
  const at = Math.floor(random() * original.length);
  const length = 1 + Math.floor(random() * Math.min(24, original.length - at));
  const head = original.subarray(0, at);
  switch (Math.floor(random() * 16)) {
    case 0:
      return head.slice();
    case 1:
      return joined(head, original.subarray(at + length));
    case 2:
      return joined(head, original.subarray(at, at + length), original.subarray(at));
    default: {
      const changed = original.slice();
      for (let i = 0; i < 1 + random() * 4; i++) {
        const place = Math.floor(random() * changed.length);
        const choice = random();
        changed[place] = choice < 0.4
          ? changed[place] ^ (1 << Math.floor(8 * random()))
          : choice < 0.7
          ? Math.floor(random() * 256)
          : changed[Math.floor(random() * changed.length)];
      }
      return changed;
    }
  }
}

/** A change inside of a zip archive, with the checksums made right again: a random one would never get past them. */
export function mutateArchive(original: Uint8Array, random: Random): Uint8Array {
  if (random() < 0.1) return mutate(original, random);
  const contents = Object.fromEntries([...readZip(original)].map(([name, { bytes }]) => [name, bytes]));
  const names = Object.keys(contents);
  const pickle = names.find((name) => name.endsWith("/data.pkl"))!;
  const chosen = random() < 0.8 ? pickle : names[Math.floor(random() * names.length)];
  if (contents[chosen].length > 0) contents[chosen] = mutate(contents[chosen], random);
  return makeZip(contents);
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export interface Mutant {
  /** For messages. */
  readonly name: string;
  /** Reads it, and checks what it has become. @throws {GraphError} Expected of what is broken. */
  readonly read: () => void;
}

export interface Outcome {
  readonly total: number;
  /** Became something that can be used. */
  readonly sound: number;
  /** Refused for more than its first bytes. */
  readonly deep: number;
  /** Of a processor. */
  readonly slowestMs: number;
  /** How far the memory of the process rose above where it was. */
  readonly grownMb: number;
}

const HANG_MS = 1000;

/** @param header What an error says when an input was not even taken for one of its kind. */
export function readAll(mutants: Iterable<Mutant>, header: RegExp): Outcome {
  const before = Deno.memoryUsage().rss;
  let [total, sound, deep, slowestMs, most] = [0, 0, 0, 0, before];
  for (const { name, read } of mutants) {
    let ms = timed(() => {
      try {
        read();
        sound++;
      } catch (error) {
        if (!(error instanceof GraphError)) throw new Error(`mutant ${total} of ${name}`, { cause: error });
        if (!header.test(error.message)) deep++;
      }
    });
    // The process may have collected garbage meanwhile.
    for (let again = 0; ms >= HANG_MS && again < 3; again++) ms = Math.min(ms, timed(() => tried(read)));
    assert(ms < HANG_MS, `mutant ${total} of ${name} took ${ms} ms`);
    slowestMs = Math.max(slowestMs, ms);
    if (++total % 100 === 0) most = Math.max(most, Deno.memoryUsage().rss);
  }
  return { total, sound, deep, slowestMs, grownMb: (most - before) / 2 ** 20 };
}

/** Time of a processor, ms: the same on a busy machine. */
function timed(run: () => void): number {
  const began = cpuUsage();
  run();
  const { user, system } = cpuUsage(began);
  return (user + system) / 1000;
}

function tried(read: () => void): void {
  try {
    read();
  } catch {
    // only its time is asked for
  }
}

/** One line for a person. */
export function printOutcome({ total, sound, deep, slowestMs, grownMb }: Outcome): string {
  const share = (count: number) => `${Math.round(100 * count / total)} %`;
  return `${total} mutants: ${share(sound)} sound, ${share(deep)} refused behind the header, the slowest ${
    slowestMs.toFixed(0)
  } ms, ${grownMb.toFixed(0)} MB more memory`;
}
