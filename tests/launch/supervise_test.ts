import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Child, supervise } from "../../runtime/launch/supervise.ts";

/** Children that end when they are told to, on a clock that is stepped by hand. */
class Scene {
  now = 0;
  readonly children: FakeChild[] = [];
  readonly lines: string[] = [];
  readonly timers: { at: number; fn: () => void }[] = [];
  signal = () => {};
  ended: number | undefined;
  signalsEnded = false;

  constructor(options: { restart: boolean; service?: boolean }) {
    supervise({
      clock: {
        monotonic: () => this.now,
        after: (ms, fn) => {
          const timer = { at: this.now + ms, fn };
          this.timers.push(timer);
          return () => void this.timers.splice(this.timers.indexOf(timer) >>> 0, 1);
        },
      },
      start: () => {
        const child = new FakeChild(100 + this.children.length);
        this.children.push(child);
        return child;
      },
      onSignal: (handle) => {
        this.signal = handle;
        return () => this.signalsEnded = true;
      },
      service: true,
      log: (line) => this.lines.push(line),
      ...options,
    }).then((code) => this.ended = code);
  }

  get child(): FakeChild {
    return this.children[this.children.length - 1];
  }

  async step(ms: number): Promise<void> {
    this.now += ms;
    for (const timer of this.timers.filter(({ at }) => at <= this.now)) {
      this.timers.splice(this.timers.indexOf(timer), 1);
      timer.fn();
    }
    await settled();
  }
}

class FakeChild implements Child {
  readonly pid: number;
  readonly killed: string[] = [];
  readonly status: Child["status"];
  #end!: (status: { code: number; signal: string | null }) => void;

  constructor(pid: number) {
    this.pid = pid;
    this.status = new Promise((resolve) => this.#end = resolve);
  }

  kill(signal: string): void {
    this.killed.push(signal);
  }

  async end(code: number, signal: string | null = null): Promise<void> {
    this.#end({ code, signal });
    await settled();
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

Deno.test("supervise() forwards the first signal as one SIGTERM; repeats within 2 s are the same Ctrl-C", async () => {
  const scene = new Scene({ restart: true });
  scene.signal();
  await scene.step(500);
  scene.signal();
  await scene.step(1400);
  scene.signal();
  assertEquals(scene.child.killed, ["SIGTERM"]);
  await scene.child.end(0);
  assertEquals([scene.ended, scene.children.length, scene.signalsEnded, scene.timers.length], [
    0,
    1,
    true,
    0,
  ]);
});

Deno.test("supervise() exits at once on a signal after 2 s, and leaves nothing running", async () => {
  const scene = new Scene({ restart: true });
  scene.signal();
  await scene.step(2001);
  scene.signal();
  await settled();
  assertEquals(scene.child.killed, ["SIGTERM", "SIGKILL"]);
  assertEquals(scene.ended, 130);
});

Deno.test("supervise() kills a kernel that does not end within 11 s, and says so", async () => {
  const scene = new Scene({ restart: true });
  scene.signal();
  await scene.step(11_000);
  assertEquals(scene.child.killed, ["SIGTERM", "SIGKILL"]);
  await scene.child.end(137, "SIGKILL");
  assertEquals(scene.ended, 1);
  assertStringIncludes(scene.lines[0], "did not end within 11 s");
});

Deno.test("supervise() starts a crashed kernel again, with pauses that double up to 30 s", async () => {
  const scene = new Scene({ restart: true });
  const pauses: number[] = [];
  for (let crash = 0; crash < 10; crash++) {
    await scene.child.end(1);
    const pause = scene.timers[0].at - scene.now;
    pauses.push(pause);
    await scene.step(pause - 1);
    assertEquals(scene.children.length, crash + 1);
    await scene.step(1);
    assertEquals(scene.children.length, crash + 2);
  }
  assertEquals(pauses, [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
  assertStringIncludes(scene.lines[0], "(pid 100) ended with code 1; starting it again in 0.25 s");
});

Deno.test("supervise() forgets crashes of a kernel that then ran for a minute", async () => {
  const scene = new Scene({ restart: true });
  for (let crash = 0; crash < 3; crash++) {
    await scene.child.end(134, "SIGABRT");
    await scene.step(scene.timers[0].at - scene.now);
  }
  await scene.step(60_000);
  await scene.child.end(137, "SIGKILL");
  assertEquals(scene.timers[0].at - scene.now, 250);
  assertStringIncludes(scene.lines[3], "ended with SIGKILL");
});

Deno.test("supervise() never starts again what stopped (0) or cannot start (2), nor anything with restart off", async () => {
  for (const [restart, code] of [[true, 0], [true, 2], [false, 1], [false, 137]] as const) {
    const scene = new Scene({ restart });
    await scene.child.end(code);
    assertEquals([scene.ended, scene.children.length], [code, 1]);
  }
});

Deno.test("supervise() takes a signal between two starts and ends with 0", async () => {
  const scene = new Scene({ restart: true });
  await scene.child.end(1);
  scene.signal();
  await settled();
  assertEquals([scene.ended, scene.timers.length], [0, 0]);
});

Deno.test("supervise() reads a SIGTERM before the kernel listened as a stop of a service, not of a command", async () => {
  for (const [service, code] of [[true, 0], [false, 143]] as const) {
    const scene = new Scene({ restart: false, service });
    scene.signal();
    await scene.child.end(143, "SIGTERM");
    assertEquals(scene.ended, code);
  }
});
