/** `file:line`, as editors take it; the file alone where the line is not known. */
export function atLine(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`
}

/** A message with its place, as compilers and editors write it. */
export function messageAt(
  file: string,
  { line, message }: { line?: number | undefined; message: string },
): string {
  return `${atLine(file, line)}: ${message}`
}
