import { bad, type Finding, type FindingCode } from '../outcome/finding.ts'
import { findingsOf, judge, type Known, type Verdict } from './host-health.ts'

/** What `/healthz` answers: in codes alone, since anybody may ask. */
export interface Health {
  /** Nothing bad was found; a warning is no reason to call a host sick. */
  ok: boolean
  code: Verdict['code']
  findings: FindingCode[]
}

export function healthOf(known: Known): Health {
  const findings = findingsOf(known)
  return {
    ok: findings.every(({ level }) => level !== 'bad'),
    code: judge(known, findings).code,
    findings: findings.map(({ code }) => code),
  }
}

/** What the daemon can see of the host from where it is: two tables of the kernel. */
export interface Listeners {
  /** Whether anything listens where sshd did; `undefined` where nobody has said where that was. */
  sshdListens: boolean | undefined
  /** Whether the provisioner's socket is open. */
  provisionerListens: boolean | undefined
}

export function judgeListeners({ sshdListens, provisionerListens }: Listeners): Finding[] {
  const see = 'see: sudo pomerium-host-agent status'
  return [
    ...(sshdListens === false ? [bad('sshd-down', 'nothing listens where sshd did', see)] : []),
    ...(provisionerListens === false
      ? [bad('provisioner-unreachable', "nobody listens on the provisioner's socket", see)]
      : []),
  ]
}
