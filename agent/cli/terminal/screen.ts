import { stripVTControlCharacters, styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Colours text where standard output is a terminal that takes them (and NO_COLOR is not set). */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout })
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}

/** Lines up columns, each as wide as its widest cell; the last is left ragged. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = []
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cell.length)
    }
  }
  return rows.map(row =>
    row
      .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

/** What every terminal has, in characters. */
export const WIDTH = 80

/**
 * A text as lines of at most 80 columns, all but the first indented by `indent`. It is broken at blanks
 * alone: a fingerprint, a path or a URL stays whole for whoever copies it.
 */
export function wrap(text: string, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const [word] of text.matchAll(/\s*\S+/g)) {
    if (line !== '' && stripVTControlCharacters(line + word).length > WIDTH) {
      lines.push(line)
      line = indent + word.trimStart()
    } else line += word
  }
  return [...lines, line]
}

/** The same, with the first line indented as the others. */
export function wrapped(text: string, indent = ''): string[] {
  return wrap(indent + text, indent)
}
