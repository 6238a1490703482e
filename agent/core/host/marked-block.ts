const BEGIN = '# BEGIN pomerium-host-agent (written by it; undo with: pomerium-host-agent remove)\n'
const END = '# END pomerium-host-agent\n'

/**
 * Puts lines at the very top of a configuration, between marks. At the top, since the first value
 * wins and since an appended line can fall into the scope of a `Match`.
 */
export function withBlock(text: string, lines: string): string {
  return `${BEGIN}${lines}${END}${withoutBlock(text)}`
}

/** How many lines at the top of a text are the block's; 0 where it does not begin with one. */
export function blockLines(text: string): number {
  const end = text.startsWith(BEGIN) ? text.indexOf(END) : -1
  return end === -1 ? 0 : text.slice(0, end + END.length).split('\n').length - 1
}

/** Whether there is a block, or what somebody's edit has left of one. */
export function hasBlock(text: string): boolean {
  return text.includes(BEGIN)
}

/** The text as it was before the block, byte for byte; also where somebody has edited around it. */
export function withoutBlock(text: string): string {
  const begin = text.indexOf(BEGIN)
  const end = text.indexOf(END, begin)
  return begin === -1 || end === -1
    ? text
    : withoutBlock(text.slice(0, begin) + text.slice(end + END.length))
}
