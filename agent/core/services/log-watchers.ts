import { leftOut, withRanges } from '../network/address-list.ts'
import { type Finding, type FindingCode, warn } from '../outcome/finding.ts'

/** A program on the host that reads sshd's log and has addresses shut out by the firewall. */
export type LogWatcher =
  /** Its jails of sshd, by name, with the addresses that each ignores. */
  | { program: 'fail2ban'; jails: ReadonlyMap<string, readonly string[]> }
  | { program: 'sshguard'; whitelist: string; spares: readonly string[] }
  /** It runs, and could not be asked. */
  | { program: 'fail2ban' | 'sshguard'; silent: string }

const CODES = { fail2ban: 'fail2ban-bans', sshguard: 'sshguard-bans' } as const

/** Whoever would shut out Pomerium's addresses, with the lines that keep them from it. */
export function judgeLogWatchers(
  watchers: readonly LogWatcher[],
  exempt: readonly string[] | undefined,
): Finding[] {
  if (exempt === undefined) return []
  return watchers.flatMap(watcher => {
    const code = CODES[watcher.program]
    if ('silent' in watcher) {
      const headline = `${watcher.program} runs and does not say whom it spares (${watcher.silent})`
      return [warn(code, headline, `see: systemctl status ${watcher.program}`)]
    }
    return watcher.program === 'fail2ban'
      ? judgeJails(code, watcher.jails, exempt)
      : judgeWhitelist(code, watcher, exempt)
  })
}

function judgeJails(
  code: FindingCode,
  jails: ReadonlyMap<string, readonly string[]>,
  exempt: readonly string[],
): Finding[] {
  const open = [...jails].filter(([, ignored]) => leftOut(exempt, ignored).length > 0)
  if (open.length === 0) return []
  const missing = new Set(open.flatMap(([, ignored]) => leftOut(exempt, ignored)))
  const names = open.map(([name]) => name).join(', ')
  const headline = `some failed logins make fail2ban (${names}) shut out ${[...missing].join(', ')}, and with them all of Pomerium's users`
  // Read last, so that what the administrator ignores is said once more (jail.conf(5)).
  const next =
    'write these lines into /etc/fail2ban/jail.d/pomerium.local, then: sudo fail2ban-client reload'
  const write = open.flatMap(([name, ignored]) => [
    `[${name}]`,
    `ignoreip = ${withRanges(ignored, exempt).join(' ')}`,
  ])
  return [{ ...warn(code, headline, next), write }]
}

function judgeWhitelist(
  code: FindingCode,
  { whitelist, spares }: { whitelist: string; spares: readonly string[] },
  exempt: readonly string[],
): Finding[] {
  const missing = leftOut(exempt, spares)
  if (missing.length === 0) return []
  const headline = `some failed logins make sshguard shut out ${missing.join(', ')}, and with them all of Pomerium's users`
  const next = `add these lines to ${whitelist}, then: sudo systemctl restart sshguard`
  return [{ ...warn(code, headline, next), write: missing }]
}

/** The names behind "Jail list:" of `fail2ban-client status` that are of sshd. */
export function parseJails(status: string): string[] {
  const list = /Jail list:\s*(.*)/.exec(status)?.[1] ?? ''
  return list
    .split(',')
    .map(name => name.trim())
    .filter(name => /^[\w-]*ssh[\w-]*$/i.test(name))
}

/** The addresses in what `fail2ban-client get JAIL ignoreip` says: one a line, behind `|-` or `` `- ``. */
export function parseIgnored(answer: string): string[] {
  return [...answer.matchAll(/^[|`]- (\S+)$/gm)].map(([, entry = '']) => entry)
}

/** The file that sshguard.conf, a shell's text, names as WHITELIST_FILE. */
export function whitelistOf(conf: string): string | undefined {
  return /^\s*WHITELIST_FILE=["']?([^"'\s#]+)/m.exec(conf)?.[1]
}

/** The addresses in sshguard's whitelist: one a line, `#` begins a comment. */
export function parseWhitelist(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.replace(/#.*/, '').trim())
    .filter(line => line !== '')
}
