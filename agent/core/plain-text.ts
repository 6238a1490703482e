/** Somebody else's text for a line of a screen or a log: nothing in it moves a cursor or starts a line. */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
}
