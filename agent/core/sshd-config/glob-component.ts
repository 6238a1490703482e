const CLASSES: ReadonlyMap<string, string> = new Map([
  ['alnum', '0-9A-Za-z'],
  ['alpha', 'A-Za-z'],
  ['blank', ' \\t'],
  ['cntrl', '\\0-\\x1f\\x7f'],
  ['digit', '0-9'],
  ['graph', '!-~'],
  ['lower', 'a-z'],
  ['print', ' -~'],
  ['punct', '!-/:-@[-`{-~'],
  ['space', ' \\t-\\r'],
  ['upper', 'A-Z'],
  ['xdigit', '0-9A-Fa-f'],
])

/** Whether glob(7) would take the part of a pattern between two slashes for more than a name. */
export function isWild(component: string): boolean {
  return /[*?[]/.test(component.replaceAll(/\\./gs, ''))
}

/** The name that a component means which is not wild: without the backslashes that escape. */
export function plainName(component: string): string {
  return component.replaceAll(/\\(.)/gs, '$1')
}

/**
 * Matches one component of a path as glob(3) without flags does, in the C locale: `*`, `?`, `[a-z]`,
 * `[!a]`, `[[:digit:]]` and `\`, no braces, and a leading dot only by a dot that is written.
 * (node:path's matchesGlob is another language: it takes `{a,b}`, `!(a)` and `**` for patterns.)
 * Both are bytes (see bytes.ts): sshd sets no locale, so for it `?` is one of them.
 */
export function componentMatcher(pattern: string): (name: string) => boolean {
  const hidden = /^\\?\./.test(pattern)
  let source = ''
  for (let at = 0; at < pattern.length; at += 1) {
    const char = pattern.charAt(at)
    const bracket = char === '[' ? readBracket(pattern, at) : undefined
    if (bracket) {
      source += bracket.source
      at = bracket.end
    } else if (char === '*') source += '.*'
    else if (char === '?') source += '.'
    else if (char === '\\' && at + 1 < pattern.length) {
      at += 1
      source += literal(pattern.charAt(at))
    } else source += literal(char)
  }
  const regExp = new RegExp(`^${hidden ? '' : '(?!\\.)'}${source}$`, 's')
  return name => regExp.test(name)
}

// `end` is the index of the closing bracket; without one, `[` stands for itself.
function readBracket(pattern: string, start: number): { source: string; end: number } | undefined {
  const negated = /^[!^]/.test(pattern.slice(start + 1))
  const first = start + (negated ? 2 : 1)
  let source = ''
  for (let at = first; at < pattern.length; at += 1) {
    if (pattern.charAt(at) === ']' && at > first) {
      // An empty class, `[z-a]`, matches nothing, and negated anything: as in a RegExp.
      return { source: `[${negated ? '^' : ''}${source}]`, end: at }
    }
    const named = /^\[:([a-z]+):\]/.exec(pattern.slice(at))
    if (named) {
      source += CLASSES.get(named[1] ?? '') ?? ''
      at += named[0].length - 1
      continue
    }
    const [item = '', low = '', high] = /^\\?(.)(?:-\\?([^\]]))?/s.exec(pattern.slice(at)) ?? []
    if (high === undefined) source += literal(low)
    else if (low <= high) source += `${literal(low)}-${literal(high)}`
    at += item.length - 1
  }
  return undefined
}

function literal(char: string): string {
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
}
