/** A bar on standard error while many states run; nothing where nobody watches. */
export class Progress implements Disposable {
  readonly #total: number;
  readonly #write: ((text: string) => void) | undefined;
  #shown = -1;

  /** @param write Default: standard error, if it is a terminal and there is more than one to do. */
  constructor(total: number, write?: (text: string) => void) {
    this.#total = total;
    const watched = total > 1 && Deno.stderr.isTerminal();
    this.#write = write ??
      (watched ? (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)) : undefined);
  }

  /** Redraws at each percent. */
  update(done: number): void {
    const percent = Math.floor(100 * done / this.#total);
    if (this.#write === undefined || percent === this.#shown) return;
    this.#shown = percent;
    const full = Math.round(percent / 100 * WIDTH);
    this.#write(`\r[${"#".repeat(full)}${".".repeat(WIDTH - full)}] ${done}/${this.#total}`);
  }

  /** Takes its line back, so that something else may be printed there. */
  clear(): void {
    if (this.#shown >= 0) this.#write?.(`\r${" ".repeat(WIDTH + 24)}\r`);
    this.#shown = -1;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}

const WIDTH = 40;
