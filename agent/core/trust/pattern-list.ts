/**
 * Whether a text matches a pattern-list (ssh_config(5), PATTERNS): `*`, `?`, and `!` to exclude. As in
 * OpenSSH's match_pattern_list(), `?` is one byte, and a list with a pattern of 1023 bytes or more
 * matches nothing.
 */
export function matchesPatternList(text: string, list: string): boolean {
  const bytes = byteString(text)
  const patterns = byteString(list).split(',')
  if (patterns.some(pattern => pattern.replace(/^!/, '').length >= 1023)) return false
  const matching = patterns.filter(pattern => matchesPattern(bytes, pattern.replace(/^!/, '')))
  return matching.length > 0 && !matching.some(pattern => pattern.startsWith('!'))
}

function matchesPattern(text: string, pattern: string): boolean {
  const escaped = pattern.replace(/[\\^$.+()[\]{}|]/g, '\\$&')
  const source = escaped.replace(/\*+/g, '.*').replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(text)
}

const byteString = (text: string) => Buffer.from(text).toString('latin1')
