import { setpointError } from "../errors.ts";
import { isVersion, noVersion } from "../version.ts";

/** Where the strategy of a version lies in a store. @throws {SetpointError} POINTER_INVALID */
export function strategyPath(version: string): string {
  if (isVersion(version)) return `configs/config-${version}.yaml`;
  throw setpointError(
    "POINTER_INVALID",
    `Cannot load strategy version ${JSON.stringify(version)}: ${noVersion(version)}`,
  );
}
