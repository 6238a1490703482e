import { DIRECT_RESPONSE_BYTES } from '../../core/bundle/compose.ts'

/** A line on standard error, so that it is in no file and no pipe. */
export function warn(text: string): void {
  process.stderr.write(`warning: ${text}\n`)
}

/** What is too large for a Direct Response route can still be served from anywhere else. */
export function warnOfSize(text: string): void {
  const size = Buffer.byteLength(text)
  if (size <= DIRECT_RESPONSE_BYTES) return
  warn(`${size} bytes; a Pomerium Direct Response route serves ${DIRECT_RESPONSE_BYTES} at most`)
}
