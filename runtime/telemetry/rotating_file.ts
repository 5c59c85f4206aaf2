/** A file that starts anew at a size, keeps a few old ones, and rather loses a line than stops who writes it. */
export class RotatingFile implements Disposable {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #keep: number;
  #file: Deno.FsFile | undefined;
  #size = 0;
  #lost = 0;

  /**
   * @param maxBytes Of one file; default 5 MB.
   * @param keep Old ones, `path.1` the youngest; default 3.
   */
  constructor(path: string, { maxBytes = 5_000_000, keep = 3 } = {}) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#keep = keep;
  }

  /** Lines that could not be written. */
  get lost(): number {
    return this.#lost;
  }

  append(line: string): void {
    try {
      const bytes = new TextEncoder().encode(line);
      if (this.#size > 0 && this.#size + bytes.length > this.#maxBytes) this.#rotate();
      const file = this.#file ??= this.#open();
      for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
      this.#size += bytes.length;
    } catch {
      this.#lost++;
      this.#close();
    }
  }

  [Symbol.dispose](): void {
    this.#close();
  }

  #open(): Deno.FsFile {
    Deno.mkdirSync(this.#path.slice(0, this.#path.lastIndexOf("/")), { recursive: true });
    const file = Deno.openSync(this.#path, { append: true, create: true });
    this.#size = file.statSync().size;
    return file;
  }

  #rotate(): void {
    this.#close();
    for (let i = this.#keep; i > 0; i--) {
      const older = i === 1 ? this.#path : `${this.#path}.${i - 1}`;
      try {
        Deno.renameSync(older, `${this.#path}.${i}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }

  #close(): void {
    try {
      this.#file?.close();
    } catch {
      // already gone
    }
    this.#file = undefined;
    this.#size = 0;
  }
}
