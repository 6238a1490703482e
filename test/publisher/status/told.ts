import type { ToldStatus } from '../../../agent/publisher/status/host-status.ts'

export const AT = '2026-11-20T10:00:00.000Z'

/** What a host tells that is well and trusts these. */
export function toldOf(
  fingerprints: readonly string[],
  serial: number | undefined,
  rest: Partial<ToldStatus> = {},
): ToldStatus {
  const key = (fingerprint: string) => ({ type: 'ssh-ed25519', fingerprint, comment: '' })
  return {
    ...{ ok: true, code: 'in-force', findings: [], message: 'sshd trusts it' },
    trusted: fingerprints.map(key),
    ...(serial === undefined ? {} : { serial }),
    effective: { value: true, at: AT },
    last: { at: AT, outcome: 'unchanged', message: 'nothing new' },
    ...rest,
  }
}
