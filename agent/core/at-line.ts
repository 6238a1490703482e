/** `file:line`, as editors take it; the file alone where the line is not known. */
export function atLine(file: string, line: number | undefined): string {
  return line === undefined ? file : `${file}:${line}`
}
