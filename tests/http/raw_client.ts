/** A client that sends what it likes, byte by byte, and reads what comes. */
export class RawClient implements Disposable {
  readonly #connection: Deno.Conn;

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async open(port: number): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  async send(data: string | Uint8Array): Promise<void> {
    const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
    for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
  }

  /** Text until `end` has come, or the connection ends. */
  async read(end = "\r\n\r\n"): Promise<string> {
    const buffer = new Uint8Array(65536);
    let text = "";
    while (!text.includes(end)) {
      const length = await this.#connection.read(buffer).catch(() => null);
      if (length === null) break;
      text += new TextDecoder().decode(buffer.subarray(0, length));
    }
    return text;
  }

  /** 0 when the connection ended without an answer. */
  async status(): Promise<number> {
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(await this.read())?.[1] ?? 0);
  }

  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch {
      // the other side was faster
    }
  }
}

/** The head of a POST /optimize; `headers` with their line ends. */
export function postHead(headers: string): string {
  return `POST /optimize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${headers}\r\n`;
}
