import { parseListener } from '../../sshd/listener-argv.ts'
import { parseUnits } from './systemd-units.ts'

/** What to ask systemd for: `systemctl show` with these, of the unit (an instance of a template). */
export const START_PROPERTIES = ['ExecStart', 'Environment', 'EnvironmentFiles'] as const

/**
 * The argv with which systemd would start sshd, from `systemctl show`: for one that does not run yet,
 * behind a socket or stopped. Variables come from the unit and its files, as in /etc/default/ssh.
 */
export function parseStartLine(
  shown: string,
  read: (path: string) => string | undefined,
): readonly string[] | undefined {
  const [unit] = parseUnits(shown)
  const line = / argv\[\]=(.*?) ; ignore_errors=/.exec(unit?.get('ExecStart') ?? '')?.[1]
  if (line === undefined) return undefined
  const files = shown.split('\n').flatMap(text => {
    const [, path] = /^EnvironmentFiles=(\S+) \(ignore_errors=/.exec(text) ?? []
    return path === undefined ? [] : (read(path) ?? '').split('\n')
  })
  const variables = new Map(
    [...(unit?.get('Environment') ?? '').split(' '), ...files].flatMap(pair),
  )
  const words = line.replaceAll(
    /\$(?:\{(\w+)\}|(\w+))/g,
    (_, braced: string, plain: string) => variables.get(braced ?? plain) ?? '',
  )
  // It is joined by blanks as the title of a listening sshd is, and read alike.
  return parseListener(`sshd: ${words.replaceAll(/["']/g, '').trim().replaceAll(/\s+/g, ' ')}`)
    ?.argv
}

// A line of systemd.exec(5)'s EnvironmentFile, which also a shell may read.
function pair(line: string): [string, string][] {
  const [, name, value = ''] = /^\s*(\w+)=(.*?)\s*$/.exec(line) ?? []
  if (name === undefined) return []
  const quoted = /^(["'])(.*)\1$/.exec(value)
  return [[name, quoted?.[2] ?? value]]
}
