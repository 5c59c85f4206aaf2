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

/** `configs/…` is a strategy, `plugins/…` a plugin, `models/…` a model but for its scaler and metadata files, which name themselves. */
export function artifactKind(path: string): ArtifactKind {
  if (path === "manifest.json") return "manifest";
  if (path.startsWith("metadata/")) return "pointer";
  if (path.startsWith("configs/")) return "strategy";
  if (path.startsWith("plugins/")) return "plugin";
  if (!path.startsWith("models/")) return "other";
  if (/scaler/i.test(path)) return "scaler";
  return /metadata/i.test(path) ? "metadata" : "model";
}
