/** A skill goes to a worker once a life; afterwards its number is enough. The worker keeps the newest ones. */
import type { SkillSpec } from "../graph/skill.ts";
import type { SkillReference } from "./protocol.ts";

const MOST_KEPT = 256;

export class SkillNumbers {
  readonly #numbers = new WeakMap<SkillSpec, number>();
  /** What the worker knows, oldest first. */
  readonly #known = new Set<number>();
  #life = 0;
  #last = 0;

  /** @param life The number of the cell's life that the reference is for. */
  reference(spec: SkillSpec, life: number): SkillReference {
    if (life !== this.#life) {
      this.#known.clear();
      this.#life = life;
    }
    let id = this.#numbers.get(spec);
    if (id === undefined) this.#numbers.set(spec, id = ++this.#last);
    if (this.#known.has(id)) return { id };
    this.#known.add(id);
    const forget = [...this.#known].slice(0, Math.max(0, this.#known.size - MOST_KEPT));
    for (const old of forget) this.#known.delete(old);
    return { id, spec, forget };
  }

  /** The message that held a skill was not sent after all. */
  forgetAll(): void {
    this.#life = 0;
  }
}
