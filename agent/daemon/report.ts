import { readFileSync, statSync } from 'node:fs'
import type { TrustedKey } from '../core/outcome.ts'
import { parseStatus, type Status } from '../core/status.ts'

/** The provisioner's last status, which anybody may read; `undefined` where there is none. */
export function readReport(statusFile: string): Status | undefined {
  try {
    // A larger one is none of ours.
    if (statSync(statusFile).size > 1024 * 1024) return undefined
    return parseStatus(readFileSync(statusFile, 'utf8'))
  } catch {
    return undefined
  }
}

/** The keys that the host trusts, by that status. */
export function trustedBy(statusFile: string): TrustedKey[] {
  return readReport(statusFile)?.outcome.trusted ?? []
}
