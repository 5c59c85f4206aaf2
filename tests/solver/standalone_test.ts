import { assertEquals } from "@std/assert";

const SOLVER = new URL("../../runtime/solver/", import.meta.url);

/** Copies the solver's folder into an empty one. */
async function takenOut(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await takenOut(new URL(`${name}/`, from), `${to}/${name}`);
    else await Deno.copyFile(new URL(name, from), `${to}/${name}`);
  }
}

async function inEmptyFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await takenOut(SOLVER, folder);
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const FLAGS = ["run", "--no-config", "--no-remote", "--no-npm", "--no-prompt", "--quiet"];

async function output(args: readonly string[], cwd: string): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...args], cwd }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}

Deno.test("the README's examples run in a copy of the folder, without configuration or permissions", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", SOLVER));
  const examples = [...readme.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);
  assertEquals(examples.length, 2);
  const tells = [
    "console.log(result.status, ...Array.from(result.x, (v) => v.toFixed(4)));",
    "console.log(status, ...Array.from(x, (v) => v.toFixed(4)));",
  ];
  const expected = ["0 2.0000 -1.5000\n", "0 0.6667 0.3333\n"];
  await inEmptyFolder(async (folder) => {
    for (const [k, example] of examples.entries()) {
      await Deno.writeTextFile(`${folder}/example.ts`, example + tells[k]);
      assertEquals(await output([...FLAGS, "example.ts"], folder), expected[k]);
    }
  });
});

Deno.test("both forms run in a module worker that has nothing of Deno", async () => {
  await inEmptyFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/worker.ts`, WORKER);
    await Deno.writeTextFile(`${folder}/main.ts`, MAIN);
    const answers = await output(
      [...FLAGS, "--unstable-worker-options", "--allow-read=.", "main.ts"],
      folder,
    );
    assertEquals(answers, "TypeScript 0 1.0000\nWebAssembly 0 1.0000\n");
  });
});

/** min Σ (x_j² − j)² for j = 0 … 4, with all x ≥ 1: all terms but the first vanish. */
const WORKER = `
import { createSolver, createWasmSolver } from "./mod.ts";
self.onmessage = ({ data: module }) => {
  delete globalThis.Deno;
  const n = 5;
  const problem = {
    n, m: 0, x0: new Float64Array(n).fill(3), xl: new Float64Array(n).fill(1), xu: new Float64Array(n).fill(1e19),
    gl: new Float64Array(0), gu: new Float64Array(0),
    objective: (x) => x.reduce((sum, v, j) => sum + (v * v - j) ** 2, 0),
    gradient: (x, g) => { x.forEach((v, j) => g[j] = 4 * v * (v * v - j)); return true; },
    constraints: () => true,
    jacobian: () => true,
    hessian: (x, s, _y, h) => { h.fill(0); x.forEach((v, j) => h[j * 6] = s * (12 * v * v - 4 * j)); return true; },
  };
  const answers = Object.entries({ TypeScript: createSolver(n, 0), WebAssembly: createWasmSolver(module, n, 0) });
  self.postMessage(answers.map(([form, solver]) => {
    const { status, objective } = solver.solve(problem);
    return form + " " + status + " " + objective.toFixed(4);
  }));
};
`;

const MAIN = `
const module = new WebAssembly.Module(await Deno.readFile("solver.wasm"));
const worker = new Worker(new URL("worker.ts", import.meta.url), { type: "module", deno: { permissions: "none" } });
worker.onmessage = ({ data }) => { console.log(data.join("\\n")); worker.terminate(); };
worker.postMessage(module);
`;
