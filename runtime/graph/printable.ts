/** Text of strangers, without what a terminal or a reader of logs would obey; line breaks and tabs stay. */
export function printable(text: string): string {
  return text.toWellFormed().replace(/[^\P{C}\n\t]/gu, " ");
}
