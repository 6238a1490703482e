import { messageAt } from '../../core/basics/format-place.ts'
import { othersDecide, whyUnsafe } from '../../core/basics/root-only-path.ts'
import type { FileState } from '../../core/host/observation.ts'
import { type HostRefused, refuseHost } from '../../core/outcome/host-refusal.ts'
import { type AllowedSigner, parseAllowedSigners } from '../../core/trust/allowed-signers.ts'
import { lookAt } from '../files/read-file-state.ts'
import type { Host } from '../host/host.ts'
import { localTime } from '../openssh/local-time.ts'

/**
 * The signers that a host takes bundles from, or why its file can't be gone by. Whoever can write
 * that file, or a folder on its way, decides what this host trusts: that must be root alone.
 */
export function readSigners(
  host: Pick<Host, 'fs' | 'at' | 'owner'>,
  path: string,
): { kind: 'signers'; signers: AllowedSigner[] } | HostRefused {
  const file = lookAt(host.fs, host.at(path))
  if (file.kind === 'missing') {
    const remedy = 'put the allowed_signers file there, or no bundle is taken'
    return refuseHost(
      'signers-file-missing',
      `${path}, which trust.signers_file names, is missing; ${remedy}`,
    )
  }
  const decided = othersDecide(path, place =>
    whyUnsafeHere(lookAt(host.fs, host.at(place)), host.owner.uid),
  )
  if (decided !== undefined) {
    return refuseHost('signers-file-unsafe', `${decided} what is trusted`)
  }
  if (file.kind !== 'file') {
    const why = file.kind === 'unseen' ? 'can be read by root only; run this as root' : 'is no file'
    return refuseHost('signers-file-unsafe', `${path} ${why}`)
  }
  const parsed = parseAllowedSigners(file.content.toString(), localTime)
  if ('signers' in parsed) return { kind: 'signers', signers: parsed.signers }
  const faults = parsed.faults.map(
    fault =>
      messageAt(path, fault) + (fault.instead === undefined ? '' : `; write: ${fault.instead}`),
  )
  return refuseHost('signers-file-malformed', faults.join('; '))
}

function whyUnsafeHere(state: FileState, owner: number): string | undefined {
  if (state.kind === 'other') return `is a ${state.what}`
  if (state.kind !== 'file' && state.kind !== 'folder') return undefined
  return whyUnsafe(state, owner)
}
