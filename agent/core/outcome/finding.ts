/** One thing that is not well on a host: what it is, and what to type next. */
export interface Finding {
  code: FindingCode
  /** `bad`: logins fail, or will without a person. `warn`: not as it should be. */
  level: 'bad' | 'warn'
  headline: string
  next: string
  /** What `next` has a person write, as it stands. */
  write?: readonly string[]
}

/** Every finding there is, in the order in which a person must see them. */
export const FINDINGS = [
  'sshd-down',
  'sshd-by-hand',
  'sshd-config-broken',
  'person-needed',
  'nothing-yet',
  'status-damaged',
  'state-damaged',
  'contested',
  'no-keys',
  'not-in-force',
  'drift',
  'config-broken',
  'agent-failing',
  'agent-stopped',
  'provisioner-unreachable',
  'source-away',
  'stale',
  'not-since-boot',
  'held-refused',
  'not-followed',
  'expired',
  'clock-skew',
  'sshd-port-closed',
  'sshd-masked',
  'sshd-forgotten',
  'agent-disabled',
  'not-exempt',
  'fail2ban-bans',
  'sshguard-bans',
  'few-startups',
  'unproved',
] as const

export type FindingCode = (typeof FINDINGS)[number]

export function bad(code: FindingCode, headline: string, next: string): Finding {
  return { code, level: 'bad', headline, next }
}

export function warn(code: FindingCode, headline: string, next: string): Finding {
  return { code, level: 'warn', headline, next }
}

const OF_SSHD: ReadonlySet<FindingCode> = new Set([
  'sshd-down',
  'sshd-by-hand',
  'sshd-port-closed',
  'sshd-masked',
  'sshd-forgotten',
])

/** Whether it is of sshd itself, whoever it trusts. */
export const isOfSshd = ({ code }: Finding) => OF_SSHD.has(code)

/** The worst first: what is bad, then what is not as it should be. */
export function ranked(findings: readonly Finding[]): Finding[] {
  const rank = ({ code, level }: Finding) =>
    FINDINGS.indexOf(code) + (level === 'bad' ? 0 : FINDINGS.length)
  return [...findings].sort((one, other) => rank(one) - rank(other))
}

/** A finding among the warnings of a plan or an outcome: in one text, what to write on lines of its own. */
export function asWarning({ code, headline, next, write = [] }: Finding): string {
  return [`${code}: ${headline}; ${next}`, ...write].join('\n')
}

/** Whether a warning was a finding, and of which a new look says whether it still holds. */
export function wasFinding(warning: string): boolean {
  return FINDINGS.some(code => warning.startsWith(`${code}: `))
}

/** What a person types where the agent itself can put things right. */
export const APPLY = 'run: sudo pomerium-host-agent apply'
