import { WIDTH } from './screen.ts'

/** A command to be copied: on one line where that has room, else a word or flag a line. */
export function copyable(call: string, words: readonly string[]): string[] {
  const line = [`  ${call}`, ...words].join(' ')
  if (line.length <= WIDTH) return [line]
  return [`  ${call}`, ...words.map(word => `    ${word}`)].map((each, at) =>
    at < words.length ? `${each} \\` : each,
  )
}

/** A word as a shell takes it. */
export const quoted = (word: string) =>
  /^[\w./@:+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
