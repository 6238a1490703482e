import { MAX_BUNDLE_BYTES } from '../bundle/limits.ts'
import type { Outcome } from '../outcome/outcome.ts'

/** What the daemon may ask of the provisioner: a line of JSON each way on its socket. */
export type ProvisionRequest =
  /** Put this bundle on the host, if it can be trusted. */
  | { op: 'apply'; bundle: Uint8Array }
  /** Put right what has drifted from the held bundle. */
  | { op: 'repair' }
  /** Write `metrics.textfile` anew; nothing else. */
  | { op: 'report' }

export type ProvisionReply =
  | { kind: 'outcome'; outcome: Outcome }
  /** The request was not one; nothing was done. */
  | { kind: 'malformed'; message: string }
  /** Something that should not happen did; the journal says what. */
  | { kind: 'failed'; message: string }

/** The longest request line in bytes: a bundle in base64, and what stands around it. */
export const MAX_REQUEST_BYTES = Math.ceil(MAX_BUNDLE_BYTES / 3) * 4 + 1024

export function encodeRequest(request: ProvisionRequest): string {
  const bundle =
    request.op === 'apply' ? { bundle: Buffer.from(request.bundle).toString('base64') } : {}
  return `${JSON.stringify({ op: request.op, ...bundle })}\n`
}

/** Whoever wrote the line has no word here: anything but exactly a request is none. */
export function decodeRequest(line: string): ProvisionRequest | undefined {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null || !('op' in value)) return undefined
  const keys = Object.keys(value)
  if ((value.op === 'repair' || value.op === 'report') && keys.length === 1) return { op: value.op }
  if (value.op !== 'apply' || keys.length !== 2 || !('bundle' in value)) return undefined
  const { bundle } = value
  if (typeof bundle !== 'string') return undefined
  const bytes = Buffer.from(bundle, 'base64')
  return bytes.toString('base64') === bundle ? { op: 'apply', bundle: bytes } : undefined
}

export function encodeReply(reply: ProvisionReply): string {
  return `${JSON.stringify(reply)}\n`
}

export function decodeReply(line: string): ProvisionReply {
  return JSON.parse(line) as ProvisionReply
}
