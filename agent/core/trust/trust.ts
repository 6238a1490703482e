import { type Bundle, type BundleRefused, parseBundle } from '../bundle/bundle.ts'
import { contentDigest } from '../bundle/content-digest.ts'
import type { AllowedSigner } from './allowed-signers.ts'
import { judgeSignature, type SignerRefusalCode } from './judge-signature.ts'
import type { Question } from './second-verifier.ts'
import type { Signer } from './signer.ts'

/** The operator's limits on what a host may be told to trust (`trust:` in the config). */
export interface TrustPolicy {
  /** An allow-list of `SHA256:…`; every key of a bundle must be in it. Absent: any key. */
  fingerprints?: readonly string[]
  /** Who must have signed it (`trust.signers_file`); `undefined`: signatures are not looked at. */
  signers: readonly AllowedSigner[] | undefined
}

/** What this host has accepted before; what a rollback is measured against. */
export interface Held {
  serial?: number
  /** Of the accepted bytes, see `contentDigest`: the same serial must say the same. */
  digest: string
  /** Who signed it, as seen when it was accepted; absent where nobody asked. */
  signer?: Signer
}

export type TrustRefusalCode =
  | SignerRefusalCode
  | 'unsigned'
  | 'fingerprint-not-allowed'
  | 'rollback'
  | 'serial-reused'
  | 'serial-missing'
  | 'expired'

export type Verdict =
  | { kind: 'trusted'; signer?: Signer; question?: Question }
  | { kind: 'refused'; code: TrustRefusalCode; message: string }

/** A bundle that may be put on the host, or why not. */
export type Accepted =
  | {
      kind: 'accepted'
      bundle: Bundle
      digest: string
      signer?: Signer
      /** Where its signature counts: what the second verifier is to be asked before it does. */
      question?: Question
      warnings: string[]
    }
  | BundleRefused
  | Extract<Verdict, { kind: 'refused' }>

/** Everything that is decided on a bundle's bytes: its form, then its trust. */
export function acceptBundle(
  bytes: Uint8Array,
  held: Held | undefined,
  policy: TrustPolicy,
  now: Date,
): Accepted {
  const bundle = parseBundle(bytes)
  if (bundle.kind === 'refused') return bundle
  const digest = contentDigest(bytes, bundle)
  const verdict = judgeTrust(bundle, digest, held, policy, now)
  if (verdict.kind === 'refused') return verdict
  const warnings = warningsOf(bundle, policy)
  const { kind: _, ...signed } = verdict
  return { kind: 'accepted', bundle, digest, ...signed, warnings }
}

/** What may be put on the host, and ought to be better. */
function warningsOf({ keys, signature }: Bundle, { signers }: TrustPolicy): string[] {
  const unchecked =
    signature !== undefined && signers === undefined
      ? ['the bundle is signed, and nobody checked by whom; set trust.signers_file']
      : []
  const local = signers?.find(({ inLocalTime }) => inLocalTime)
  const zoneless =
    local === undefined
      ? []
      : [
          `line ${local.line} of trust.signers_file has a time without Z, which is read by this host's clock and, around summer time, up to an hour short; write it in UTC, with Z`,
        ]
  return [...keys.flatMap(({ warning }) => warning ?? []), ...unchecked, ...zoneless]
}

/** Decides whether a well-formed bundle may replace what is held. Pure: `now` is taken once per cycle. */
export function judgeTrust(
  bundle: Bundle,
  digest: string,
  held: Held | undefined,
  policy: TrustPolicy,
  now: Date,
): Verdict {
  const signed = judgeSigner(bundle, digest, held, policy, now)
  if (signed.kind === 'refused') return signed
  const stranger = bundle.keys.find(
    key => policy.fingerprints !== undefined && !policy.fingerprints.includes(key.fingerprint),
  )
  if (stranger !== undefined) {
    return refuse(
      'fingerprint-not-allowed',
      `${stranger.fingerprint} is not in trust.fingerprints; add it there first if it is yours`,
    )
  }
  const fresh = judgeFreshness(bundle, digest, held, now)
  return fresh.kind === 'refused' ? fresh : signed
}

function judgeSigner(
  { signature }: Bundle,
  digest: string,
  held: Held | undefined,
  { signers }: TrustPolicy,
  now: Date,
): Verdict {
  if (signers === undefined) return { kind: 'trusted' }
  if (signature === undefined) {
    return refuse(
      'unsigned',
      'trust.signers_file is set, and the bundle is not signed; see bundle sign',
    )
  }
  // A signer whose time is over signs nothing new; what was accepted as theirs was signed in time.
  const inTime = digest === held?.digest ? held.signer?.fingerprint : undefined
  const limits = signers.map(each => (each.key.fingerprint === inTime ? withoutTimes(each) : each))
  const judged = judgeSignature(signature, limits, now)
  return judged.kind === 'refused' ? judged : { ...judged, kind: 'trusted' }
}

function withoutTimes({ validAfter, validBefore, ...signer }: AllowedSigner): AllowedSigner {
  return signer
}

function judgeFreshness(
  bundle: Bundle,
  digest: string,
  held: Held | undefined,
  now: Date,
): Verdict {
  if (held?.serial !== undefined) {
    if (bundle.serial === undefined) {
      return refuse('serial-missing', `no serial, and this host has seen serial ${held.serial}`)
    }
    if (bundle.serial < held.serial) {
      return refuse(
        'rollback',
        `serial ${bundle.serial} is older than the held ${held.serial}; publish with --serial ${held.serial + 1}`,
      )
    }
    if (bundle.serial === held.serial && digest !== held.digest) {
      return refuse(
        'serial-reused',
        `serial ${bundle.serial} was published before with other content; raise it`,
      )
    }
  }
  // What is held already may expire and is kept: an expiry must not lock anyone out.
  if (bundle.expires !== undefined && bundle.expires <= now && digest !== held?.digest) {
    return refuse('expired', `it expired at ${bundle.expires.toISOString()}; publish a fresh one`)
  }
  return { kind: 'trusted' }
}

function refuse(code: TrustRefusalCode, message: string): Verdict {
  return { kind: 'refused', code, message }
}
