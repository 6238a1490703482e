import { type TrustedKey, trustedKeys } from '../../core/outcome.ts'
import { plainText } from '../../core/plain-text.ts'
import type { HostReport } from '../../publisher/notify/notify.ts'
import { adoptedFrom } from '../print-outcome.ts'
import { columns, paint, print } from '../screen.ts'

const COLOURS = {
  converged: 'green',
  waiting: 'yellow',
  unreachable: 'red',
  failed: 'red',
} as const

/** Who trusts what, a line for each host and key; why not, for those that have not converged. */
export function printHosts(reports: readonly HostReport[]): void {
  const rows = reports.flatMap(({ host, state, trusted, effective }) => {
    const keys = trusted ?? []
    const first = keys[0]
    const told = trusted === undefined ? 'not known' : 'no key'
    const key = first === undefined ? [told] : cells(first)
    const more = keys.slice(1).map(each => ['', '', '', ...cells(each)])
    return [[host, state, effective === true ? 'yes' : '?', ...key], ...more]
  })
  const lines = columns([['HOST', 'STATE', 'IN SSHD', 'TRUSTS', ''], ...rows])
  for (const line of lines) {
    const state = reports.find(each => line.startsWith(`${each.host} `))?.state
    print(state === undefined ? line : line.replace(state, paint(COLOURS[state], state)))
  }
  const behind = reports.filter(({ state }) => state !== 'converged')
  if (behind.length === 0) return
  print('')
  // Whoever answers may be anybody: no line of the table, and no word to the terminal, is theirs to write.
  const reasons = behind.map(({ host, code, message }) => [
    `  ${host}`,
    plainText(code ?? ''),
    plainText(message),
  ])
  for (const line of columns(reasons)) print(line)
}

const cells = ({ fingerprint, comment, adopted }: TrustedKey) =>
  [fingerprint, comment, ...adoptedFrom(adopted)].map(plainText)

/** The same for programs. */
export function hostsForPrograms(reports: readonly HostReport[]) {
  return reports.map(({ host, state, code, message, trusted, serial, effective, attempts }) => ({
    host,
    state,
    ...(code === undefined ? {} : { code }),
    message,
    ...(trusted === undefined ? {} : { trusted: trustedKeys(trusted) }),
    ...(serial === undefined ? {} : { serial }),
    ...(effective === undefined ? {} : { effective }),
    attempts,
  }))
}
