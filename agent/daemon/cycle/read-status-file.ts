import { readFileSync, statSync } from 'node:fs'
import type { TrustedKey } from '../../core/outcome/outcome.ts'
import { parseStatus, type Status } from '../../core/report/status-record.ts'

/** The provisioner's last status, which anybody may read, or why there is none. */
export function lookAtStatusFile(statusFile: string): Status | 'missing' | 'damaged' {
  let text: string
  try {
    // A larger one is none of ours.
    if (statSync(statusFile).size > 1024 * 1024) return 'damaged'
    text = readFileSync(statusFile, 'utf8')
  } catch {
    return 'missing'
  }
  return parseStatus(text) ?? 'damaged'
}

/** The same; `undefined` where there is none. */
export function readStatusFile(statusFile: string): Status | undefined {
  const report = lookAtStatusFile(statusFile)
  return typeof report === 'object' ? report : undefined
}

/** The keys that the host trusts, by that status. */
export function trustedBy(statusFile: string): TrustedKey[] {
  return readStatusFile(statusFile)?.outcome.trusted ?? []
}
