/** The longest sentence that is shown of what another says, in characters. */
const MOST = 1000

/**
 * Text from outside as it may be shown: one line, and no word to the terminal (ECMA-48's controls, what
 * turns the direction of writing) in it.
 */
export function plainText(text: string): string {
  const cut = text.length > MOST ? `${text.slice(0, MOST)}…` : text
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ').trim()
}
