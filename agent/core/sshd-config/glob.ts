import { componentMatcher, isWild, plainName } from './glob-component.ts'

/** Where relative patterns start: SSHDIR, set when sshd is built; every distribution has this one. */
const SSH_FOLDER = '/etc/ssh'

/**
 * A pattern of an Include, made absolute and without `//` and `.`; what `..` leads to is the file
 * system's to say. One that starts with `~` stays as it is: sshd expands it no more than glob(3) does,
 * so it reaches nothing.
 */
export function absolutePattern(pattern: string): string {
  if (pattern.startsWith('~')) return pattern
  const absolute = pattern.startsWith('/') ? pattern : `${SSH_FOLDER}/${pattern}`
  return absolute.replaceAll(/\/(\.?\/)+/g, '/')
}

/** Whether an absolute pattern takes in an absolute path, be there such a file or not; glob(3). */
export function matchesPattern(path: string, pattern: string): boolean {
  const names = path.split('/')
  const components = pattern.split('/')
  return (
    names.length === components.length &&
    components.every((component, index) => componentMatches(component, names[index] ?? ''))
  )
}

function componentMatches(component: string, name: string): boolean {
  return isWild(component) ? componentMatcher(component)(name) : plainName(component) === name
}

/**
 * The paths that an absolute pattern comes to, in the order of glob(3). Where nothing is wild that
 * is the one path that it names, whether it exists or not. `list` gives the names in a folder, those
 * with a dot too; none where there is no such folder.
 */
export function expandPattern(
  pattern: string,
  list: (folder: string) => readonly string[],
): string[] {
  if (!pattern.startsWith('/')) return []
  let paths = ['']
  for (const component of pattern.slice(1).split('/')) {
    if (isWild(component)) {
      const matches = componentMatcher(component)
      paths = paths.flatMap(path =>
        ['.', '..', ...list(path || '/')].filter(matches).map(name => `${path}/${name}`),
      )
    } else {
      paths = paths.map(path => `${path}/${plainName(component)}`)
    }
  }
  return paths.sort(byBytes)
}

/** The order in which sshd reads the files of one pattern: that of strcmp on the whole path. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
