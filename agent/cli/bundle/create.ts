import { statSync } from 'node:fs'
import { optional } from '../../core/basics/when-defined.ts'
import { type Bundle, parseBundle } from '../../core/bundle/bundle.ts'
import { composeBundle } from '../../core/bundle/compose.ts'
import { parseSerial } from '../../core/bundle/headers.ts'
import { MAX_BUNDLE_BYTES } from '../../core/bundle/limits.ts'
import { gatherKeys } from '../../publisher/gather-keys.ts'
import { giveOut } from '../operator/give-out.ts'
import { readNamed } from '../operator/read-bundle.ts'
import { printRefusal } from '../operator/refusal.ts'
import { parseSpan, parseTime } from '../operator/times.ts'
import { warn, warnOfSize } from '../operator/warn.ts'
import { parseFlags } from '../terminal/flags.ts'
import { type Invocation, UsageError } from '../terminal/invocation.ts'

/** Makes an unsigned bundle of public keys, or of the public halves of private ones. */
export async function create({ args }: Invocation): Promise<number> {
  const { values, positionals } = parseFlags({
    args,
    allowPositionals: true,
    options: {
      serial: { type: 'string' },
      issued: { type: 'string' },
      expires: { type: 'string' },
      'valid-for': { type: 'string' },
      revoke: { type: 'string', multiple: true },
      output: { type: 'string', short: 'o' },
    },
  })
  if (positionals.length === 0) {
    throw new UsageError('bundle create wants key files: the .pub of each User CA')
  }
  const now = new Date()
  const headers = readHeaders(values, now)
  const gathered = await gatherKeys(positionals)
  if (gathered.kind === 'problem') throw new UsageError(gathered.message)
  if (gathered.kind === 'refused') return printRefusal(gathered.file, gathered.refusal, false)
  const dead = await gatherKeys(values.revoke ?? [])
  if (dead.kind === 'problem') throw new UsageError(dead.message)
  if (dead.kind === 'refused') return printRefusal(dead.file, dead.refusal, false)
  const revoked = new Map(
    [...gathered.revoked, ...dead.keys, ...dead.revoked].map(key => [key.base64, key]),
  )
  const composed = composeBundle({
    ...headers,
    keys: gathered.keys,
    revoked: [...revoked.values()],
  })
  if (composed.kind === 'refused') return printRefusal('the bundle', composed, false)
  const { text, bundle } = composed
  for (const { warning } of bundle.keys) if (warning !== undefined) warn(warning)
  if (bundle.serial === undefined) {
    warn('no --serial: a host takes any older bundle without one for a new one')
  }
  warnOfSize(text)
  for (const key of revokedNoLonger(values.output, bundle)) {
    warn(`${key} was revoked in ${values.output}, and is so no longer: give it to --revoke`)
  }
  giveOut(text, values.output)
  return 0
}

// By the bundle in whose place this one comes: what is forgotten in it is trusted by others again.
function revokedNoLonger(path: string | undefined, { revoked }: Bundle): string[] {
  if (path === undefined || !mayBeBundle(path)) return []
  const before = parseBundle(readNamed(path))
  if (before.kind !== 'bundle') return []
  const now = new Set(revoked.map(({ fingerprint }) => fingerprint))
  return before.revoked.map(({ fingerprint }) => fingerprint).filter(each => !now.has(each))
}

// A pipe or a device is only written to: to read it may take forever, or eat what is another's.
function mayBeBundle(path: string): boolean {
  try {
    const found = statSync(path)
    return found.isFile() && found.size <= MAX_BUNDLE_BYTES
  } catch {
    return false
  }
}

interface HeaderFlags {
  serial?: string | undefined
  issued?: string | undefined
  expires?: string | undefined
  'valid-for'?: string | undefined
}

function readHeaders(flags: HeaderFlags, now: Date) {
  const { serial, issued, expires, 'valid-for': validFor } = flags
  if (expires !== undefined && validFor !== undefined) {
    throw new UsageError('--expires and --valid-for say the same; give one')
  }
  const number = serial === undefined ? undefined : parseSerial(serial)
  if (serial !== undefined && number === undefined) {
    throw new UsageError('--serial must be a whole number, 0 or more')
  }
  const from = issued === undefined ? now : parseTime('--issued', issued)
  const until =
    validFor === undefined
      ? expires && parseTime('--expires', expires)
      : new Date(from.getTime() + parseSpan('--valid-for', validFor))
  if (until && until <= now) throw new UsageError('it would have expired already')
  return { issued: from, ...optional('serial', number), ...optional('expires', until || undefined) }
}
