import type { ArtifactCache } from "../artifacts/cache.ts";
import { sha256 } from "../artifacts/digest.ts";
import { openResolver } from "../artifacts/release.ts";
import type { ResolvedArtifact } from "../artifacts/resolver.ts";
import type { PluginHandle, PluginHost, PluginSource } from "../cells/host.ts";
import { setpointError, whyUnreadable } from "../errors.ts";
import { PLUGIN_KINDS, type PluginKind } from "../graph/plugin_identity.ts";
import type { SkillFile } from "../graph/skill.ts";
import type { Clock } from "../clock.ts";
import { linkStrategy } from "../strategy/link.ts";
import type { PluginRef, Strategy } from "../strategy/strategy.ts";
import { Activation } from "./activation.ts";
import { LinkThread } from "./link_thread.ts";
import type { RefereeCase } from "./referee.ts";

/** Where the files of a strategy come from. */
export interface ActivationSource {
  /** The folder of a strategy file: models are looked for here before the store, and plugins only here. */
  readonly folder?: string;
  /** The files of a release; default: the folder, then the store. */
  readonly resolve?: (path: string) => Promise<ResolvedArtifact>;
}

export interface ActivatorParts {
  readonly clock: Clock;
  readonly host: PluginHost;
  readonly cache: ArtifactCache;
  readonly options: { readonly max_iterations?: number; readonly tolerance?: number };
}

/** Brings strategies to life: opens their plugins, links them, and loads their problems into the optimizer. */
export class Activator implements Disposable {
  readonly #parts: ActivatorParts;
  readonly #linker: LinkThread;
  #opened = 0;
  /** How many activations use a user's plugin, by its id. */
  readonly #uses = new Map<string, number>();

  constructor(parts: ActivatorParts) {
    this.#parts = parts;
    this.#linker = new LinkThread(parts.clock);
  }

  [Symbol.dispose](): void {
    this.#linker[Symbol.dispose]();
  }

  /** @throws {SetpointError} With every problem of the strategy; PLUGIN_* where a plugin cannot be opened. */
  async open(strategy: Strategy, source: ActivationSource): Promise<Activation> {
    const { host, cache, options } = this.#parts;
    this.#linker.wake();
    const resolver = openResolver(cache, { base: source.folder });
    const resolve = source.resolve ?? ((path: string) => resolver.resolve(path));
    const artifacts: Record<string, string> = {};
    const local = new Set<string>();
    const files = async (path: string): Promise<SkillFile> => {
      const { bytes, sha256, file, from } = await resolve(path);
      artifacts[path] = sha256;
      if (from === "folder") local.add(file);
      return { name: file, sha256, bytes };
    };
    const opening = new Map<string, Promise<PluginHandle>>();
    const samples: RefereeCase[] = [];
    const ids = new Set<string>();
    const release = () => this.#release(ids);
    const handleOf = (cls: string) => {
      let handle = opening.get(cls);
      if (handle === undefined) {
        const ref = strategy.plugins.get(cls)!;
        handle = pluginSource(ref, source, resolve).then((plugin) => {
          if (plugin.digest !== undefined) {
            artifacts[ref.source === "path" ? ref.path : plugin.file!] = plugin.digest;
          }
          if (plugin.builtin === undefined && !ids.has(plugin.id)) {
            ids.add(plugin.id);
            this.#uses.set(plugin.id, (this.#uses.get(plugin.id) ?? 0) + 1);
          }
          return host.open(plugin);
        });
        opening.set(cls, handle);
      }
      return handle;
    };
    try {
      const linked = await linkStrategy(
        strategy,
        {
          kindOf: async (cls) => (await handleOf(cls)).description.kind,
          schemaOf: async (cls) => (await handleOf(cls)).description.config,
          lower: async (spec) => {
            const lowered = await (await handleOf(spec.class)).lower(spec);
            if (lowered.sample !== undefined) samples.push({ spec, sample: lowered.sample });
            return lowered;
          },
          sequence: async (spec) => (await handleOf(spec.class)).sequence(spec),
        },
        files,
        (request) => this.#linker.link(request),
      );
      const handles = new Map<string, PluginHandle>();
      for (const [cls, handle] of opening) handles.set(cls, await handle);
      const activation = new Activation({
        strategy,
        linked,
        host,
        handles,
        optimizer: await handleOf(linked.optimizer),
        allocator: await host.open({ id: "builtin:optimizer", builtin: "optimizer" }),
        number: this.#opened++,
        artifacts,
        local: [...local],
        samples,
        options,
        release,
      });
      await activation.prepare();
      return activation;
    } catch (error) {
      await release();
      throw error;
    }
  }

  async #release(ids: ReadonlySet<string>): Promise<void> {
    for (const id of ids) {
      const left = this.#uses.get(id)! - 1;
      if (left > 0) this.#uses.set(id, left);
      else {
        this.#uses.delete(id);
        await this.#parts.host.release(id);
      }
    }
  }
}

/** What a host needs to open the plugin behind a class. A user's is known by its digest: the same text is one cell. */
async function pluginSource(
  ref: PluginRef,
  { folder }: ActivationSource,
  resolve: (path: string) => Promise<ResolvedArtifact>,
): Promise<PluginSource> {
  const fail = (message: string) => setpointError("PLUGIN_INVALID", message, ref.at && { at: ref.at });
  if (ref.source === "builtin") {
    const kind = ref.name as PluginKind;
    if (!PLUGIN_KINDS.includes(kind)) {
      throw fail(
        `Cannot use "builtin:${ref.name}" for class "${ref.class}", expected one of ${
          PLUGIN_KINDS.join(", ")
        }`,
      );
    }
    return { id: `builtin:${kind}`, builtin: kind };
  }
  let bytes: Uint8Array<ArrayBuffer>;
  let file: string;
  if (ref.source === "artifact") {
    ({ bytes, file } = await resolve(`plugins/${ref.name}@${ref.version}.ts`));
  } else {
    if (folder === undefined) {
      throw fail(
        `Cannot read the plugin "${ref.path}" of class "${ref.class}": a strategy without a folder names plugins as name@version with their digest`,
      );
    }
    file = `${folder}/${ref.path}`;
    try {
      bytes = await Deno.readFile(file);
    } catch (cause) {
      throw fail(`Cannot read the plugin "${file}" of class "${ref.class}": ${whyUnreadable(cause)}`);
    }
  }
  const digest = await sha256(bytes);
  if (ref.sha256 !== undefined && ref.sha256 !== digest) {
    throw fail(
      `Cannot use the plugin "${file}" of class "${ref.class}": its SHA-256 is ${digest}, expected ${ref.sha256}`,
    );
  }
  const { limits } = ref;
  // other limits are another process
  const granted = limits === undefined ? "" : ` ${JSON.stringify(limits)}`;
  const id = `${file}@${digest}${granted}`;
  return { id, text: new TextDecoder().decode(bytes), file, digest, ...(limits && { limits }) };
}
