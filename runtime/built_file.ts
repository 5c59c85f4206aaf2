/**
 * A plugin that was built from several files says where each begins, by a comment in the line before; each line of an
 * author's file is one line of the built one. So a position in it is a position in the author's file.
 */
const MARK = /^\/\* setpoint:module ([^*]+) \*\//;

/** The comment before the lines of a file. @param path As its author knows it. */
export function moduleMark(path: string): string {
  return `/* setpoint:module ${path.replaceAll("*", "")} */`;
}

/**
 * The author's place of a line of a plugin.
 * @param file The name of the plugin's file; what the built one says is relative to its folder.
 * @param line From 1.
 */
export function placeIn(text: string, file: string, line: number): { file: string; line: number } {
  const lines = text.split("\n", line);
  for (let at = lines.length - 1; at >= 0; at--) {
    const path = MARK.exec(lines[at])?.[1];
    if (path !== undefined && at + 1 < line) return { file: `${file} (${path})`, line: line - at - 1 };
  }
  return { file, line };
}
