/** A line on standard error, so that it is in no file and no pipe. */
export function warn(text: string): void {
  process.stderr.write(`warning: ${text}\n`)
}
