import { readFileSync } from 'node:fs'
import type { TrustedKey } from '../core/outcome.ts'
import { parseStatus, type Status } from '../core/status.ts'

/** The provisioner's last status, which anybody may read; `undefined` where there is none. */
export function readReport(statusFile: string): Status | undefined {
  try {
    return parseStatus(readFileSync(statusFile, 'utf8'))
  } catch {
    return undefined
  }
}

/** The keys that the host trusts, by that status. */
export function trustedBy(statusFile: string): TrustedKey[] {
  return readReport(statusFile)?.outcome.trusted ?? []
}
