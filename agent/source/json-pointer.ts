/** Reads an RFC 6901 pointer into its reference tokens; undefined where it is not one. */
export function parseJsonPointer(pointer: string): string[] | undefined {
  if (pointer === '') return []
  if (!pointer.startsWith('/') || /~(?![01])/.test(pointer)) return undefined
  // "~1" first: the other way round "~01" would become "/". §4.
  return pointer
    .slice(1)
    .split('/')
    .map(token => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** What the tokens lead to in a parsed JSON text, or undefined. Own properties only: no `/constructor/name`. */
export function lookUp(document: unknown, tokens: string[]): unknown {
  let value = document
  for (const token of tokens) {
    if (typeof value !== 'object' || value === null) return undefined
    if (Array.isArray(value) && !/^(?:0|[1-9]\d*)$/.test(token)) return undefined
    if (!Object.hasOwn(value, token)) return undefined
    value = (value as Record<string, unknown>)[token]
  }
  return value
}
