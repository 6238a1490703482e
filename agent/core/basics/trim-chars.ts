/**
 * A text without those characters at its start and at its end, in one pass: a regular
 * expression such as `[ \t]+$` is tried at every blank of a long run, and takes the square of its length.
 */
export function trimChars(text: string, atStart: string, atEnd: string): string {
  let start = 0
  let end = text.length
  while (start < end && atStart.includes(text.charAt(start))) start += 1
  while (start < end && atEnd.includes(text.charAt(end - 1))) end -= 1
  return text.slice(start, end)
}
