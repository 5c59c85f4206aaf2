/** What an artifact is for, told by its path in the bucket's layout: the statistics and the TTLs go by it. */
export const ARTIFACT_KINDS = [
  "strategy",
  "model",
  "scaler",
  "metadata",
  "plugin",
  "manifest",
  "pointer",
  "other",
] as const;

export type ArtifactKind = (typeof ARTIFACT_KINDS)[number];

/**
 * `configs/…` is a strategy, `plugins/…` a plugin, `models/…` a model but for its scaler and metadata files, which name
 * themselves; a folder of a person's own is told by the files' endings.
 */
export function artifactKind(path: string): ArtifactKind {
  if (path === "manifest.json") return "manifest";
  if (path.startsWith("metadata/")) return "pointer";
  if (path.startsWith("plugins/")) return "plugin";
  if (path.startsWith("configs/") || /\.ya?ml$/.test(path)) return "strategy";
  if (/scaler/i.test(path)) return "scaler";
  if (/metadata/i.test(path)) return "metadata";
  return path.startsWith("models/") || /\.(onnx|pth?)$/.test(path) ? "model" : "other";
}
