import type { OnnxModelFiles } from "../cells/onnx_host.ts";
import type { SkillFile, SkillSpec } from "../graph/skill.ts";

/** The model of a skill under a config key, with the files that lie beside it. */
export function onnxModelOf({ files }: Pick<SkillSpec, "files">, key: string): OnnxModelFiles {
  const own = files[key];
  const stated = files[`${key.replace(/_path$/, "")}_data_path`];
  const beside = Object.entries(files).filter(([other]) => other.startsWith(`${key}:`));
  const external = [...stated === undefined ? [] : [stated], ...beside.map(([, file]) => file)];
  return {
    key: [own, ...external].map(({ sha256 }) => sha256).join("+"),
    bytes: own.bytes,
    external: external.map(({ name, bytes }) => ({ name: baseName({ name }), bytes })),
  };
}

function baseName({ name }: Pick<SkillFile, "name">): string {
  return name.slice(name.lastIndexOf("/") + 1);
}
