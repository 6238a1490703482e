import { describeSkew } from '../core/clock-skew.ts'
import type { HeldKey, HeldStatus } from '../core/status.ts'
import { formatDistance, formatTime } from '../core/time-span.ts'
import type { LastCycle, Verdict } from '../core/verdict.ts'
import { adoptedFrom, messageLines, warningLines } from './print-outcome.ts'
import { columns, paint } from './screen.ts'

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
  trusted?: readonly HeldKey[]
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
}

const STYLE = { good: 'green', warn: 'yellow', bad: 'red' } as const

/** How it is in the first line, what to do in the second; then the facts, and what went wrong. */
export function renderStatus(report: StatusReport, now: Date): string[] {
  const { verdict, trouble, warnings } = report
  const blocks = [
    [
      `${paint(STYLE[verdict.level], verdict.code)}: ${verdict.headline}`,
      ...(verdict.next === undefined ? [] : [`  ${verdict.next}`]),
    ],
    columns(factsOf(report, now)),
    trouble === undefined ? [] : messageLines(trouble),
    warningLines(warnings),
  ]
  return blocks
    .filter(lines => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]))
}

type Row = [name: string, value: string]

function factsOf(report: StatusReport, now: Date): Row[] {
  const { bundle, effective, last, nextPoll, restarts, clockSkewSeconds } = report
  const row = (name: string, value: string | undefined): Row[] =>
    value === undefined ? [] : [[name, value]]
  return [
    ...keyRows(report.trusted ?? []),
    ...row('from', bundle?.source),
    ...row('bundle', bundle && describeBundle(bundle, now)),
    ...row('signed by', bundle && describeSigner(bundle)),
    ...row(
      'in sshd',
      effective && `${effective.value ? 'yes' : 'NO'}, seen ${ago(effective.at, now)}`,
    ),
    ...row(
      'last',
      last && `${last.outcome}${last.code ? ` (${last.code})` : ''} ${ago(last.at, now)}`,
    ),
    ...row('next poll', report.tree || report.standsDown ? undefined : describeNext(nextPoll, now)),
    ...row('restarts', restarts && describeRestarts(restarts)),
    ...row('clock', clockSkewSeconds === undefined ? undefined : describeClock(clockSkewSeconds)),
  ]
}

function keyRows(keys: readonly HeldKey[]): Row[] {
  const lines = columns(
    keys.map(({ fingerprint, type, comment, since, adopted }) => [
      fingerprint,
      type,
      comment,
      ...(since === undefined ? [] : [`since ${formatTime(new Date(since))}`]),
      ...adoptedFrom(adopted),
    ]),
  )
  return lines.map((line, index) => [index === 0 ? 'trusted' : '', line])
}

function describeBundle({ serial, issued, expires, acceptedAt }: HeldStatus, now: Date): string {
  return [
    serial === undefined ? 'no serial' : `serial ${serial}`,
    ...(issued === undefined ? [] : [`issued ${formatTime(new Date(issued))}`]),
    `taken ${formatTime(new Date(acceptedAt))}`,
    expires === undefined ? 'no expiry' : describeExpiry(new Date(expires), now),
  ].join(', ')
}

function describeExpiry(expires: Date, now: Date): string {
  const verb = expires <= now ? 'EXPIRED' : 'expires'
  return `${verb} ${formatTime(expires)} (${formatDistance(expires, now)})`
}

function describeSigner({ signer }: HeldStatus): string {
  return signer === undefined ? 'nobody' : `${signer.principal}, ${signer.fingerprint}`
}

function describeNext(next: NextPoll | undefined, now: Date): string {
  if (next === undefined) {
    return 'none; start it: sudo systemctl enable --now pomerium-host-agent.timer'
  }
  if (next.stopped) return 'none; start it: sudo systemctl start pomerium-host-agent.service'
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
