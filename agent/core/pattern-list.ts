/** Whether a text matches a pattern-list (ssh_config(5), PATTERNS): `*`, `?`, and `!` to exclude. */
export function matchesPatternList(text: string, list: string): boolean {
  let matched = false
  for (const pattern of list.split(',')) {
    const negated = pattern.startsWith('!')
    if (!matchesPattern(text, negated ? pattern.slice(1) : pattern)) continue
    if (negated) return false
    matched = true
  }
  return matched
}

function matchesPattern(text: string, pattern: string): boolean {
  const escaped = pattern.replace(/[\\^$.+()[\]{}|]/g, '\\$&')
  const source = escaped.replace(/\*+/g, '.*').replaceAll('?', '.')
  return new RegExp(`^${source}$`, 's').test(text)
}
