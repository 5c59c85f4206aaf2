/** The one function of the compiler that the build uses; its own types redefine those of the language. */
interface Host {
  readFile(name: string): string | null;
  writeFile(name: string, contents: string | Uint8Array): void;
  listFiles(folder: string): string[];
}
declare const asc: {
  main(
    flags: readonly string[],
    host: Host,
  ): Promise<{ error: Error | null; stderr: { toString(): string } }>;
};
export default asc;
