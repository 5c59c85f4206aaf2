/** Strategy versions: semantic versions, strictly (https://semver.org §2, §9, §10), with no "v" and no missing part. */
import { setpointError } from "../errors.ts";

const NUMBER = "(?:0|[1-9]\\d*)";
const LABEL = `(?:${NUMBER}|\\d*[A-Za-z-][0-9A-Za-z-]*)`;
const VERSION = new RegExp(
  `^${NUMBER}\\.${NUMBER}\\.${NUMBER}(?:-${LABEL}(?:\\.${LABEL})*)?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

export function isVersion(text: string): boolean {
  return text.length <= 64 && VERSION.test(text);
}

/** Where the strategy of a version lies in a store. */
export function strategyPath(version: string): string {
  if (!isVersion(version)) {
    throw setpointError(
      "POINTER_INVALID",
      `Cannot load strategy version ${JSON.stringify(version)}: ${expected(version)}`,
    );
  }
  return `configs/config-${version}.yaml`;
}

/** What is wrong with it and what would be right. */
export function expected(text: string): string {
  const short = /^v?(\d+)(?:\.(\d+))?$/.exec(text);
  const example = short ? `${short[1]}.${short[2] ?? 0}.0` : "1.1.0";
  return `it is not a semantic version, expected three numbers such as ${example}`;
}
