/** What the predecessor's tools read of the last run. */

/** `last_run_timestamp` of the metadata folder's mirror. */
export async function readMirror(metadata: string): Promise<string | undefined> {
  const text = await Deno.readTextFile(`${metadata}/last_run_timestamp.yaml`);
  return /^last_run_timestamp: '(.*)'$/m.exec(text)?.[1];
}
