import { formatDistance, formatTime } from '../../core/basics/time-span.ts'
import type { Unseen } from '../../core/host/observation.ts'
import type { Finding } from '../../core/outcome/finding.ts'
import type { TrustedKey } from '../../core/outcome/outcome.ts'
import { describeSkew } from '../../core/report/clock-skew.ts'
import type { LastCycle, Verdict } from '../../core/report/host-health.ts'
import type { HeldKey, HeldStatus } from '../../core/report/status-record.ts'
import { adoptedFrom, linesToWrite, messageLines, warningLines } from '../terminal/print-outcome.ts'
import { columns, paint, wrap } from '../terminal/screen.ts'

/** When the source is looked at next; `at` is missing while it is being looked at. */
export interface NextPoll {
  by: 'timer' | 'resident'
  /** At the latest, where a request is held. */
  at?: string
  /** The source holds a request, and answers when it has something new. */
  held?: boolean
  /** The daemon is to stay, and does not run. */
  stopped?: boolean
}

/** What `status` prints; what is not known is missing. Times are ISO 8601. */
export interface StatusReport {
  verdict: Verdict
  /** All that is not well; the verdict is the first of them. */
  findings: readonly Finding[]
  trusted?: readonly HeldKey[]
  /** CA keys that are dead on this host, whoever names them. */
  revoked?: readonly TrustedKey[]
  bundle?: HeldStatus
  effective?: { value: boolean; at: string }
  last?: LastCycle
  /** What went wrong last, where nothing since has mended it. */
  trouble?: LastCycle
  lastSuccess?: string
  nextPoll?: NextPoll
  /** Only a tree (`--root`): nothing polls for it. */
  tree?: true
  /** By `remove`: nothing polls until `apply` or `configure`. */
  standsDown?: true
  restarts?: { total: number; due: boolean; used?: number; left?: number; withinSeconds?: number }
  clockSkewSeconds?: number
  warnings: readonly string[]
  /** What this user could not see, and why. */
  unseen: readonly Unseen[]
}

const STYLE = { good: 'green', warn: 'yellow', bad: 'red' } as const

/** The same for programs, as `--json` prints it. */
export type PrintedStatus = { well: boolean } & Verdict & Omit<StatusReport, 'verdict'>

/** The names of the facts, in the order of the screen. */
export const FACTS = [
  'trusted',
  'revoked',
  'from',
  'bundle',
  'signed by',
  'in sshd',
  'last',
  'source',
  'next poll',
  'restarts',
  'clock',
] as const

/** How it is in the first line, what to do in the second; then the facts, and what went wrong. */
export function renderStatus(report: StatusReport, now: Date): string[] {
  const { verdict, findings, trouble, warnings, unseen } = report
  const blocks = [
    describeFinding(verdict),
    ...findings.slice(1).map(describeFinding),
    factsOf(report, now).flatMap(([name, ...lines]) =>
      lines.flatMap((line, index) =>
        wrap(`${index === 0 ? name.padEnd(9) : ' '.repeat(9)}  ${line}`, INDENT),
      ),
    ),
    trouble === undefined ? [] : messageLines(trouble).flatMap(line => wrap(line, '  ')),
    warningLines(warnings),
    unseen.length === 0 ? [] : ['not seen:', ...unseenLines(unseen)],
  ]
  return blocks
    .filter(lines => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]))
}

// Where the facts begin, and what is left of them for the next line.
const INDENT = ' '.repeat(11)

function describeFinding({ code, level, headline, next, write = [] }: Verdict): string[] {
  return [
    ...wrap(`${paint(STYLE[level], code)}: ${headline}`, '  '),
    ...(next === undefined ? [] : wrap(`  ${next}`, '  ')),
    ...linesToWrite(write),
  ]
}

function unseenLines(unseen: readonly Unseen[]): string[] {
  return columns(unseen.map(({ what, why }) => [`  ${what}`, why]))
}

type Row = [name: (typeof FACTS)[number], ...lines: string[]]

function factsOf(report: StatusReport, now: Date): Row[] {
  const { bundle, effective, last, lastSuccess, nextPoll, restarts, clockSkewSeconds } = report
  const row = (name: Row[0], ...lines: (string | undefined)[]): Row[] => {
    const known = lines.filter(line => line !== undefined)
    return known.length === 0 ? [] : [[name, ...known]]
  }
  return [
    ...row('trusted', ...(report.trusted ?? []).flatMap(describeKey)),
    ...row('revoked', ...(report.revoked ?? []).flatMap(describeKey)),
    ...row('from', bundle?.source),
    ...row('bundle', ...(bundle === undefined ? [] : describeBundle(bundle, now))),
    ...row('signed by', ...(bundle === undefined ? [] : describeSigner(bundle))),
    ...row(
      'in sshd',
      effective && `${effective.value ? 'yes' : 'NO'}, seen ${ago(effective.at, now)}`,
    ),
    ...row(
      'last',
      last && `${last.outcome}${last.code ? ` (${last.code})` : ''} ${ago(last.at, now)}`,
    ),
    ...row('source', lastSuccess && `last gave a bundle ${ago(lastSuccess, now)}`),
    ...row('next poll', report.tree || report.standsDown ? undefined : describeNext(nextPoll, now)),
    ...row('restarts', restarts && describeRestarts(restarts)),
    ...row('clock', clockSkewSeconds === undefined ? undefined : describeClock(clockSkewSeconds)),
  ]
}

// The fingerprint alone on its line: that is what a person compares.
function describeKey({ fingerprint, type, comment, since, adopted }: HeldKey): string[] {
  const more = [
    ...(since === undefined ? [] : [`since ${formatTime(new Date(since))}`]),
    ...adoptedFrom(adopted),
  ]
  return [fingerprint, [`  ${type} ${comment}`.trimEnd(), ...more].join(', ')]
}

function describeBundle({ serial, issued, expires, acceptedAt }: HeldStatus, now: Date): string[] {
  const taken = [
    serial === undefined ? 'no serial' : `serial ${serial}`,
    ...(issued === undefined ? [] : [`issued ${formatTime(new Date(issued))}`]),
    `taken ${formatTime(new Date(acceptedAt))}`,
  ].join(', ')
  return [taken, expires === undefined ? 'no expiry' : describeExpiry(new Date(expires), now)]
}

function describeExpiry(expires: Date, now: Date): string {
  const verb = expires <= now ? 'EXPIRED' : 'expires'
  return `${verb} ${formatTime(expires)} (${formatDistance(expires, now)})`
}

function describeSigner({ signer }: HeldStatus): string[] {
  return signer === undefined ? ['nobody'] : [signer.principal, signer.fingerprint]
}

function describeNext(next: NextPoll | undefined, now: Date): string {
  // Where that is not as it should be, a finding says what starts it, by the init that is here.
  if (next === undefined || next.stopped) return 'none: nothing here asks the source by itself'
  if (next.held && next.at !== undefined) {
    const latest = formatDistance(new Date(next.at), now)
    return `held at the source (long poll); ${latest} at the latest`
  }
  return next.at === undefined ? 'under way' : formatDistance(new Date(next.at), now)
}

function describeRestarts({
  total,
  due,
  used,
  left,
  withinSeconds,
}: NonNullable<StatusReport['restarts']>) {
  const budget =
    used === undefined ? '' : `, ${used} in the last ${withinSeconds} s and ${left} left`
  return `${total} so far${budget}${due ? '; one is put off, and will be made' : ''}`
}

function describeClock(seconds: number): string {
  const trouble = describeSkew(seconds)
  return trouble === undefined
    ? `as the source's, within ${Math.max(1, Math.abs(seconds))} s`
    : trouble
}

const ago = (at: string, now: Date) => formatDistance(new Date(at), now)
